/** ESP without UDP, or AH, was asked for where it cannot be had; the message says why, in words for the operator. */
export class NativeEspError extends Error {
  override readonly name = 'NativeEspError'

  constructor(
    reason: string,
    { carrier = 'esp', ...options }: ErrorOptions & { readonly carrier?: 'esp' | 'ah' } = {},
  ) {
    const what = carrier === 'ah' ? 'AH (IP protocol 51)' : 'ESP without UDP (IP protocol 50)'
    super(`${what} cannot be had: ${reason}.`, options)
  }
}
