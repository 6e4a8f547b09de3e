/**
 * PEM (RFC 7468): one object between its lines, as people paste it.
 */
export type PemLabel = 'CERTIFICATE' | 'CERTIFICATE REQUEST' | 'X509 CRL'

const MAX_PEM_CHARS = 4_000_000
const LINE_CHARS = 64

/** Label with which old tools name a request (RFC 7468 7). */
const OLD_REQUEST = 'NEW CERTIFICATE REQUEST'

/** @returns the objects of this label in order; null when the text is too long or a block is broken. */
export function fromPem(text: string, label: PemLabel): Uint8Array[] | null {
  if (text.length > MAX_PEM_CHARS) return null
  const blocks: Uint8Array[] = []
  for (const [, name, body = ''] of text.matchAll(BLOCK)) {
    if (name !== label && !(label === 'CERTIFICATE REQUEST' && name === OLD_REQUEST)) continue
    const base64 = body.replaceAll(/[ \t\r\n]/g, '')
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || base64.length % 4 !== 0) return null
    blocks.push(new Uint8Array(Buffer.from(base64, 'base64')))
  }
  return blocks
}

/** @returns text with a line feed at its end. */
export function toPem(der: Uint8Array, label: PemLabel): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('base64')
  const lines = base64.match(new RegExp(`.{1,${LINE_CHARS}}`, 'g')) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,32})-----([^-]*)-----END \1-----/g
