/**
 * Comparing, joining and printing byte arrays.
 *
 * `constantTimeEqual` is for anything a peer may probe (ICVs, AUTH, cookies, tokens); `compareBytes` is for public values
 * such as nonces and addresses. Hexadecimal is lower case without separators.
 */

/** Compares without leaking where the difference is; the lengths are public and compared first. */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0)
  return difference === 0
}

/** Compares public values octet by octet; a proper prefix is the lower one (RFC 7296 2.8.1). @returns -1, 0 or 1. */
export function compareBytes(a: Uint8Array, b: Uint8Array): -1 | 0 | 1 {
  const common = Math.min(a.length, b.length)
  for (let i = 0; i < common; i++) {
    const left = a[i] ?? 0
    const right = b[i] ?? 0
    if (left !== right) return left < right ? -1 : 1
  }
  if (a.length === b.length) return 0
  return a.length < b.length ? -1 : 1
}

/** @returns a fresh array with all chunks in order. */
export function concatBytes(...chunks: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const chunk of chunks) length += chunk.length
  const joined = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    joined.set(chunk, offset)
    offset += chunk.length
  }
  return joined
}

/** Overwrites secrets with zeros, in place. */
export function zeroize(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0)
}

const HEX_OF_OCTET: readonly string[] = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0'))

export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const octet of bytes) text += HEX_OF_OCTET[octet] ?? ''
  return text
}

/** @returns `undefined` for an odd number of digits or anything that is no hexadecimal digit. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)
  return bytes
}
