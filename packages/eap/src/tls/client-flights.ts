/**
 * Looks into what a client is about to hand to the TLS engine, and lets no chain through that costs much to check.
 *
 * The engine checks every signature of a chain before anybody can say no, for strangers too: forty certificates with RSA keys of
 * 3072 bits and exponents as long take it half a second. So the certificates are read here first: few of them, with keys
 * that we would take ourselves, and above the first one only authorities that we know have keys whose signatures are dear to check:
 * five of P-521 take the engine ten milliseconds. With TLS 1.2 they come in the clear, with TLS 1.3 under the client's handshake traffic secret.
 *
 * ```
 *   1.2   ClientHello | Certificate, ClientKeyExchange, [CertificateVerify], ChangeCipherSpec      end of looking
 *   1.3   ClientHello | { Certificate, [CertificateVerify], Finished }                             end of looking
 * ```
 *
 * Whatever does not look like this is refused; what the engine would refuse anyway, like a record that does not open, too.
 */
import { createDecipheriv, createHmac, X509Certificate } from 'node:crypto'
import { ByteReader, concatBytes, zeroize } from '@culvert/bytes'
import { isDearKey, verifyingKey } from '@culvert/crypto'

/** A chain of four (C30) and its root. */
const MOST_CERTIFICATES = 5
const MOST_CERTIFICATE_BYTES = 8_192

const RECORD = { CHANGE_CIPHER_SPEC: 20, ALERT: 21, HANDSHAKE: 22, APPLICATION_DATA: 23 } as const
const HANDSHAKE = {
  CLIENT_HELLO: 1,
  CERTIFICATE: 11,
  CERTIFICATE_VERIFY: 15,
  CLIENT_KEY_EXCHANGE: 16,
  FINISHED: 20,
} as const
const RECORD_HEADER_BYTES = 5
const HANDSHAKE_HEADER_BYTES = 4
const IV_BYTES = 12
const TAG_BYTES = 16

/** What TLS 1.3 protects the client's handshake messages with. */
export interface HandshakeSecret {
  /** Name of the cipher suite. */
  readonly cipher: string
  /** CLIENT_HANDSHAKE_TRAFFIC_SECRET; zeroed here. */
  readonly secret: Uint8Array
}

export type FlightVerdict = 'good' | 'malformed' | 'refused'

export class ClientFlights {
  readonly #authorities: readonly Uint8Array[]
  #records: Uint8Array = new Uint8Array(0)
  #messages: Uint8Array = new Uint8Array(0)
  #opener: RecordOpener | null = null
  #isKeyExchanged = false
  /** Keys changed in the middle of a message. */
  #isTorn = false
  #isOver = false

  /** @param authorities whose certificates we take, DER; they may have any key */
  constructor(authorities: readonly Uint8Array[] = []) {
    this.#authorities = authorities
  }

  /** From the next flight on. */
  protect(secret: HandshakeSecret): void {
    if (!this.#isOver) this.#opener ??= openerOf(secret)
    this.#isTorn = this.#records.length + this.#messages.length > 0
    zeroize(secret.secret)
  }

  /** @param octets of one flight, the next in order; anything but `good` ends the conversation. */
  add(octets: Uint8Array): FlightVerdict {
    if (this.#isOver) return 'good'
    if (this.#isTorn) return 'malformed'
    this.#records = concatBytes(this.#records, octets)
    for (;;) {
      const record = this.#takeRecord()
      if (record === null || this.#isOver) return 'good'
      const verdict = this.#hearRecord(record)
      if (verdict !== 'good') return verdict
    }
  }

  close(): void {
    this.#isOver = true
    this.#opener?.close()
    this.#opener = null
    this.#records = new Uint8Array(0)
    this.#messages = new Uint8Array(0)
  }

  /** @returns null while it is not whole. */
  #takeRecord(): Uint8Array | null {
    const [, , , high = 0, low = 0] = this.#records
    const end = RECORD_HEADER_BYTES + high * 256 + low
    if (this.#records.length < RECORD_HEADER_BYTES || this.#records.length < end) return null
    const record = this.#records.slice(0, end)
    this.#records = this.#records.slice(end)
    return record
  }

  #hearRecord(record: Uint8Array): FlightVerdict {
    const [type = 0] = record
    switch (type) {
      case RECORD.ALERT:
        return 'good'
      case RECORD.CHANGE_CIPHER_SPEC:
        // with TLS 1.3 it means nothing and may come before a second hello
        if (this.#opener === null && this.#isKeyExchanged) this.close()
        return 'good'
      case RECORD.HANDSHAKE:
        return this.#opener === null ? this.#hearMessages(record.subarray(RECORD_HEADER_BYTES)) : 'malformed'
      case RECORD.APPLICATION_DATA: {
        const opened = this.#opener?.open(record) ?? null
        if (opened === null) return 'malformed'
        if (opened.type === RECORD.ALERT) return 'good'
        return opened.type === RECORD.HANDSHAKE ? this.#hearMessages(opened.content) : 'malformed'
      }
      default:
        return 'malformed'
    }
  }

  #hearMessages(octets: Uint8Array): FlightVerdict {
    this.#messages = concatBytes(this.#messages, octets)
    for (;;) {
      const reader = new ByteReader(this.#messages)
      const type = reader.u8()
      const body = reader.take(readU24(reader) ?? Number.POSITIVE_INFINITY)
      if (type === undefined || body === undefined) return 'good'
      this.#messages = this.#messages.slice(HANDSHAKE_HEADER_BYTES + body.length)
      const verdict = this.#hearMessage(type, body)
      if (verdict !== 'good' || this.#isOver) return verdict
    }
  }

  #hearMessage(type: number, body: Uint8Array): FlightVerdict {
    const isProtected = this.#opener !== null
    switch (type) {
      case HANDSHAKE.CERTIFICATE:
        return judgeCertificates(body, isProtected, this.#authorities)
      case HANDSHAKE.CERTIFICATE_VERIFY:
        return 'good'
      case HANDSHAKE.CLIENT_HELLO:
        return isProtected ? 'malformed' : 'good'
      case HANDSHAKE.CLIENT_KEY_EXCHANGE:
        this.#isKeyExchanged = true
        return isProtected ? 'malformed' : 'good'
      case HANDSHAKE.FINISHED:
        if (isProtected) this.close()
        return isProtected ? 'good' : 'malformed'
      default:
        return 'malformed'
    }
  }
}

/** The body of Certificate (RFC 5246 7.4.2, RFC 8446 4.4.2). */
function judgeCertificates(body: Uint8Array, isTls13: boolean, authorities: readonly Uint8Array[]): FlightVerdict {
  const outer = new ByteReader(body)
  if (isTls13 && !outer.skip(outer.u8() ?? Number.POSITIVE_INFINITY)) return 'malformed'
  const list = outer.take(readU24(outer) ?? Number.POSITIVE_INFINITY)
  if (list === undefined || outer.remaining > 0) return 'malformed'
  const reader = new ByteReader(list)
  for (let count = 0; reader.remaining > 0; count++) {
    const der = reader.take(readU24(reader) ?? Number.POSITIVE_INFINITY)
    const hasExtensions = !isTls13 || reader.skip(reader.u16() ?? Number.POSITIVE_INFINITY)
    if (der === undefined || !hasExtensions) return 'malformed'
    const cost = count === MOST_CERTIFICATES ? 'forbidden' : costOf(der)
    const isKnown = authorities.some((authority) => Buffer.compare(authority, der) === 0)
    if (cost === 'forbidden' || (cost === 'dear' && count > 0 && !isKnown)) return 'refused'
  }
  return 'good'
}

/** What it costs to check a signature of its key; forbidden where nobody could say. */
function costOf(der: Uint8Array): 'cheap' | 'dear' | 'forbidden' {
  if (der.length > MOST_CERTIFICATE_BYTES) return 'forbidden'
  try {
    const { publicKey } = new X509Certificate(der)
    const spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }))
    if (verifyingKey(spki) === null) return 'forbidden'
    return isDearKey(spki) ? 'dear' : 'cheap'
  } catch {
    return 'forbidden'
  }
}

function readU24(reader: ByteReader): number | undefined {
  const high = reader.u8()
  const low = reader.u16()
  return high === undefined || low === undefined ? undefined : high * 65_536 + low
}

/** AEAD, its key length and the hash of the suites of TLS 1.3 that a context of ours has. */
const SUITES = {
  TLS_AES_256_GCM_SHA384: { aead: 'aes-256-gcm', keyBytes: 32, hash: 'sha384' },
  TLS_AES_128_GCM_SHA256: { aead: 'aes-128-gcm', keyBytes: 16, hash: 'sha256' },
  TLS_CHACHA20_POLY1305_SHA256: { aead: 'chacha20-poly1305', keyBytes: 32, hash: 'sha256' },
} as const

interface RecordOpener {
  /** @returns the content and its real type; null when it is not authentic. */
  open(record: Uint8Array): { readonly type: number; readonly content: Uint8Array } | null
  close(): void
}

/** Records of one direction under one secret, in order (RFC 8446 5.2, 5.3, 7.3). An unknown suite opens nothing. */
function openerOf({ cipher, secret }: HandshakeSecret): RecordOpener {
  const suite = Object.hasOwn(SUITES, cipher) ? SUITES[cipher as keyof typeof SUITES] : null
  const key = suite === null ? new Uint8Array(0) : expandLabel(suite.hash, secret, 'key', suite.keyBytes)
  const iv = suite === null ? new Uint8Array(0) : expandLabel(suite.hash, secret, 'iv', IV_BYTES)
  let sequence = 0
  return {
    open(record) {
      if (suite === null || record.length < RECORD_HEADER_BYTES + TAG_BYTES) return null
      const nonce = iv.slice()
      new DataView(nonce.buffer).setUint32(8, new DataView(iv.buffer).getUint32(8) ^ sequence)
      sequence += 1
      const plain = openRecord(suite.aead, key, nonce, record)
      const end = plain?.findLastIndex((octet) => octet !== 0) ?? -1
      return plain === null || end < 0 ? null : { type: plain[end] ?? 0, content: plain.subarray(0, end) }
    },
    close: () => zeroize(key, iv),
  }
}

type Aead = (typeof SUITES)[keyof typeof SUITES]['aead']

function openRecord(aead: Aead, key: Uint8Array, nonce: Uint8Array, record: Uint8Array): Uint8Array | null {
  const options = { authTagLength: TAG_BYTES }
  // the declarations know each AEAD by its own name only
  const decipher = createDecipheriv(aead as 'aes-256-gcm', key, nonce, options)
  decipher.setAAD(record.subarray(0, RECORD_HEADER_BYTES))
  decipher.setAuthTag(record.subarray(-TAG_BYTES))
  try {
    const plain = decipher.update(record.subarray(RECORD_HEADER_BYTES, -TAG_BYTES))
    decipher.final()
    return new Uint8Array(plain)
  } catch {
    return null
  }
}

/** HKDF-Expand-Label without context (RFC 8446 7.1); one block of the hash is enough for all lengths here. */
function expandLabel(hash: string, secret: Uint8Array, label: string, length: number): Uint8Array {
  const name = new TextEncoder().encode(`tls13 ${label}`)
  const info = Uint8Array.of(0, length, name.length, ...name, 0, 1)
  const block = createHmac(hash, secret).update(info).digest()
  const key = Uint8Array.from(block.subarray(0, length))
  block.fill(0)
  return key
}
