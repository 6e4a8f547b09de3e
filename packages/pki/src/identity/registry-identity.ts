/**
 * Identities that a certificate can name: host names and mailboxes, in ASCII, in the form in which they are compared.
 */
const MAX_HOST_BYTES = 253
const MAX_LOCAL_BYTES = 64

/** Labels of letters, digits, hyphens and underscores; no wildcard, no dot at the end. Underscores stand in many device names. */
const HOST_NAME = /^(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*$/
/** Atoms of RFC 5322 3.2.3; a quoted local part is not taken. */
const LOCAL_PART = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/

/** @returns lower case, or null for what is no host name. */
export function hostName(octets: Uint8Array): string | null {
  const text = asciiOf(octets, MAX_HOST_BYTES)?.toLowerCase() ?? null
  return text !== null && HOST_NAME.test(text) ? text : null
}

/** @returns the local part as it is and the host in lower case, or null for what is no mailbox. */
export function mailbox(octets: Uint8Array): string | null {
  const text = asciiOf(octets, MAX_LOCAL_BYTES + 1 + MAX_HOST_BYTES)
  if (text === null) return null
  const at = text.lastIndexOf('@')
  const local = text.slice(0, Math.max(at, 0))
  const host = hostName(octets.subarray(at + 1))
  return host !== null && at <= MAX_LOCAL_BYTES && LOCAL_PART.test(local) ? `${local}@${host}` : null
}

function asciiOf(octets: Uint8Array, maxBytes: number): string | null {
  if (octets.length === 0 || octets.length > maxBytes) return null
  return octets.every((octet) => octet > 0x20 && octet < 0x7f) ? String.fromCharCode(...octets) : null
}
