/** Base64 with padding (RFC 4648 4). */

export function toBase64(octets: Uint8Array): string {
  let text = ''
  for (const octet of octets) text += String.fromCharCode(octet)
  return btoa(text)
}

/** @returns null for anything but whole base64, so that one value has one spelling */
export function fromBase64(text: string): Uint8Array | null {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return null
  const octets = Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  return toBase64(octets) === text ? octets : null
}
