/** ESP without UDP was asked for where it cannot be had; the message says why, in words for the operator. */
export class NativeEspError extends Error {
  override readonly name = 'NativeEspError'

  constructor(reason: string, options?: ErrorOptions) {
    super(`ESP without UDP (IP protocol 50) cannot be had: ${reason}.`, options)
  }
}
