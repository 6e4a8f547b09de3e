/** Names that peers send: UTF-8 without control characters, so that they can be looked up, compared and shown. */

/** Of a NAI (RFC 7542 2.2); user names of MS-CHAPv2 have at most 256 octets. */
const MOST_NAME_BYTES = 256

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const CONTROL = /\p{Cc}/u

/** @returns null for what is no name: malformed UTF-8, control characters (NUL, CR and LF too), more than 256 octets. */
export function decodeName(octets: Uint8Array): string | null {
  if (octets.length > MOST_NAME_BYTES) return null
  try {
    const name = utf8.decode(octets)
    return CONTROL.test(name) ? null : name
  } catch {
    return null
  }
}
