/**
 * SSH public keys as people paste them: one line of OpenSSH's public key file, `type base64 [comment]` (RFC 4253 6.6; RFC 5656
 * 3.1 for ECDSA, RFC 8709 4 for Ed25519, OpenSSH's PROTOCOL.u2f for the `sk-` types). Read strictly: what is kept is made anew out
 * of the parts, so that one key has one text, and nothing that we do not understand is kept. No private key is ever kept or named.
 */
import { ByteReader } from '@culvert/bytes'
import { ed25519 } from '@noble/curves/ed25519.js'
import { createHash, createPublicKey } from 'node:crypto'

export const sshKeyTypes = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
  'sk-ssh-ed25519@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com',
] as const
export type SshKeyType = (typeof sshKeyTypes)[number]

export interface SshPublicKey {
  readonly type: SshKeyType
  /** Of the modulus for RSA, of the field for the others. */
  readonly bits: number
  /** `type base64`, without the comment. */
  readonly line: string
  /** `SHA256:` and the hash of the key in base64 without padding, as `ssh-keygen -l` shows it. */
  readonly fingerprint: string
  /** What stood behind the key; empty when nothing did. */
  readonly comment: string
}

export type SshKeyFault =
  | 'private_key'
  | 'several_lines'
  | 'options'
  | 'certificate'
  | 'type'
  | 'base64'
  | 'contents'
  | 'too_short'
  | 'too_long'
  | 'comment'

export const leastRsaBits = 2048
export const mostRsaBits = 16_384
/** Characters of a line; the longest RSA key takes less than 3000. */
export const longestSshKey = 4096
const longestComment = 255

/** Looks for it anywhere, whatever else is wrong with the text: PEM of any kind, OpenSSH's own without its frame, PuTTY's. */
export function looksLikePrivateKey(text: string): boolean {
  return /-----\s*BEGIN[A-Z0-9 ]*PRIVATE KEY|PuTTY-User-Key-File-|Private-Lines:|b3BlbnNzaC1rZXktdjEA/i.test(text)
}

/** @param text as it was pasted; white space around it does not matter */
export function parseSshPublicKey(text: string): SshPublicKey | { readonly fault: SshKeyFault } {
  if (looksLikePrivateKey(text)) return { fault: 'private_key' }
  const line = text.trim()
  if (line.length > longestSshKey) return { fault: 'too_long' }
  if (/[\r\n]/.test(line)) return { fault: 'several_lines' }
  const [, name = '', base64 = '', comment = ''] = /^(\S+)[ \t]+(\S+)(?:[ \t]+(.*))?$/.exec(line) ?? []
  if (/-cert-v\d\d@/.test(name)) return { fault: 'certificate' }
  const type = sshKeyTypes.find((known) => known === name)
  if (type === undefined)
    return { fault: sshKeyTypes.some((known) => line.includes(` ${known} `)) ? 'options' : 'type' }
  const blob = Buffer.from(base64, 'base64')
  if (blob.length === 0 || blob.toString('base64') !== base64) return { fault: 'base64' }
  const bits = bitsOf(type, new ByteReader(blob))
  if (typeof bits !== 'number') return bits
  if (comment.length > longestComment || !/^[^\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]*$/u.test(comment))
    return { fault: 'comment' }
  const fingerprint = `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
  return { type, bits, line: `${type} ${base64}`, fingerprint, comment: comment.trim() }
}

/** @returns the size of a key that is whole, of the type that stands before it, and long enough */
function bitsOf(type: SshKeyType, reader: ByteReader): number | { readonly fault: SshKeyFault } {
  if (text(reader) !== type) return { fault: 'contents' }
  const bits =
    type === 'ssh-rsa' ? rsaBits(reader) : type.includes('ed25519') ? ed25519Bits(reader) : ecBits(type, reader)
  if (bits === null || (type.startsWith('sk-') && !isApplication(text(reader))) || reader.remaining > 0)
    return { fault: 'contents' }
  if (type !== 'ssh-rsa') return bits
  if (bits < leastRsaBits) return { fault: 'too_short' }
  return bits > mostRsaBits ? { fault: 'too_long' } : bits
}

/** A point of the curve, and none of those under which anybody makes signatures that verify. */
function ed25519Bits(reader: ByteReader): number | null {
  const point = string(reader)
  if (point?.length !== 32) return null
  try {
    return ed25519.Point.fromBytes(point).isSmallOrder() ? null : 256
  } catch {
    return null
  }
}

const curves = { nistp256: ['P-256', 256], nistp384: ['P-384', 384], nistp521: ['P-521', 521] } as const

/** The point is uncompressed and on its curve, which OpenSSL checks. */
function ecBits(type: SshKeyType, reader: ByteReader): number | null {
  const name = (['nistp256', 'nistp384', 'nistp521'] as const).find((curve) => type.includes(curve))
  if (name === undefined || text(reader) !== name) return null
  const [crv, bits] = curves[name]
  const octets = Math.ceil(bits / 8)
  const point = string(reader)
  if (point?.length !== 1 + 2 * octets || point[0] !== 4) return null
  const coordinate = (from: number): string => Buffer.from(point.subarray(from, from + octets)).toString('base64url')
  try {
    createPublicKey({ key: { kty: 'EC', crv, x: coordinate(1), y: coordinate(1 + octets) }, format: 'jwk' })
    return bits
  } catch {
    return null
  }
}

/** Exponent, then modulus: odd both, the exponent of 64 bits at most. */
function rsaBits(reader: ByteReader): number | null {
  const exponent = positive(reader)
  const modulus = positive(reader)
  if (exponent === null || modulus === null || !isOdd(exponent) || !isOdd(modulus)) return null
  if (exponent.length > 8 || (exponent.length === 1 && (exponent[0] ?? 0) < 3)) return null
  return modulus.length * 8 - (Math.clz32(modulus[0] ?? 0) - 24)
}

function isOdd(number: Uint8Array): boolean {
  return ((number.at(-1) ?? 0) & 1) === 1
}

/** `mpint` (RFC 4251 5) above zero, in its shortest form. @returns its octets without the leading zero */
function positive(reader: ByteReader): Uint8Array | null {
  const octets = string(reader)
  const first = octets?.[0]
  if (octets === undefined || first === undefined || first > 127) return null
  if (first > 0) return octets
  return (octets[1] ?? 0) > 127 ? octets.subarray(1) : null
}

/** What a security key calls the service it was made for. */
function isApplication(application: string | null): boolean {
  return application !== null && /^ssh:[\x20-\x7e]{0,200}$/.test(application)
}

function string(reader: ByteReader): Uint8Array | undefined {
  const length = reader.u32()
  return length === undefined ? undefined : reader.take(length)
}

function text(reader: ByteReader): string | null {
  const octets = string(reader)
  return octets === undefined ? null : Buffer.from(octets).toString('latin1')
}
