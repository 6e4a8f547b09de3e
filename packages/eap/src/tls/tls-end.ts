/**
 * One end of a TLS connection in memory: octets in, octets out, no socket. The engine is Node's (OpenSSL); everything it does with
 * what it is handed happens within a few turns of the event loop, without threads or I/O, so that "it rests" can be seen:
 * nothing came out of it for some turns.
 *
 * Neither end verifies the other's certificate: whoever uses this takes the chain and judges it before he believes anything.
 */
import { Duplex } from 'node:stream'
import { connect, type SecureContext, TLSSocket } from 'node:tls'
import { concatBytes, fromHex } from '@culvert/bytes'
import type { HandshakeSecret } from './client-flights.ts'

/** Output, `secure` and errors were seen within two turns. */
const QUIET_TURNS = 4
/** An engine that never rests is a bug; it must not hang the conversation. */
const MOST_TURNS = 1000
const MOST_CHAIN_CERTIFICATES = 16

/** What an end came to after it was handed something. */
export interface TlsRest {
  /** For the other end; possibly empty, possibly an alert when it failed. */
  readonly output: Uint8Array
  readonly phase: 'handshake' | 'secure' | 'failed'
  /** Application data that came in, decrypted. */
  readonly applicationData: Uint8Array
}

export class TlsEnd {
  readonly #pipe: Duplex
  readonly #socket: TLSSocket
  #output: Uint8Array[] = []
  #applicationData: Uint8Array[] = []
  #phase: TlsRest['phase'] = 'handshake'
  /** Rises with everything the engine does. */
  #activity = 0
  #handshakeSecret: Uint8Array | null = null

  constructor(secureContext: SecureContext, role: 'server' | 'client') {
    this.#pipe = new Duplex({
      read: () => {},
      write: (chunk: Uint8Array, _encoding, done) => {
        this.#output.push(new Uint8Array(chunk))
        this.#activity += 1
        done()
      },
    })
    this.#pipe.on('error', () => this.#fail())
    const options = { secureContext, rejectUnauthorized: false }
    this.#socket =
      role === 'server'
        ? new TLSSocket(this.#pipe, { ...options, isServer: true, requestCert: true })
        : connect({ ...options, socket: this.#pipe })
    if (role === 'server') this.#socket.on('keylog', (line) => this.#keepHandshakeSecret(line))
    this.#socket.on('secure', () => this.#becomeSecure())
    this.#socket.on('error', () => this.#fail())
    this.#socket.on('close', () => this.#fail())
    this.#socket.on('data', (data: Uint8Array) => {
      this.#applicationData.push(new Uint8Array(data))
      this.#activity += 1
    })
  }

  /** @param octets of the other end; none lets a client begin. */
  async receive(octets: Uint8Array): Promise<TlsRest> {
    if (octets.length > 0 && !this.#pipe.destroyed) this.#pipe.push(octets)
    return this.#rest()
  }

  /** Sends application data. */
  async send(data: Uint8Array): Promise<TlsRest> {
    if (this.#socket.writable) this.#socket.write(data)
    return this.#rest()
  }

  /** `TLSv1.2`, `TLSv1.3`; null before it is agreed. */
  get protocol(): string | null {
    return this.#socket.getProtocol()
  }

  /** As server with TLS 1.3, once: what the client's handshake messages come under. The caller zeroes it. */
  takeHandshakeSecret(): HandshakeSecret | null {
    const secret = this.#handshakeSecret
    this.#handshakeSecret = null
    return secret && { cipher: this.#socket.getCipher().name, secret }
  }

  get isResumed(): boolean {
    return this.#socket.isSessionReused()
  }

  /** Call once, when secure. @returns DER of the other end's certificates in the order they came, its own first. */
  peerChain(): readonly Uint8Array[] {
    const chain: Uint8Array[] = []
    let certificate = this.#socket.getPeerX509Certificate()
    while (certificate !== undefined && chain.length < MOST_CHAIN_CERTIFICATES) {
      chain.push(new Uint8Array(certificate.raw))
      certificate = certificate.issuerCertificate
    }
    return chain
  }

  /** RFC 5705 exporter. @returns a fresh array. @throws before the end is secure */
  exportKey(length: number, label: string, context?: Uint8Array): Uint8Array {
    // the declaration wants a context, but none at all is not the same as an empty one
    const socket: { exportKeyingMaterial(length: number, label: string, context?: Buffer): Buffer } = this.#socket
    const material =
      context === undefined
        ? socket.exportKeyingMaterial(length, label)
        : socket.exportKeyingMaterial(length, label, Buffer.from(context))
    const copy = new Uint8Array(material)
    material.fill(0)
    return copy
  }

  /** Safe at any time and twice. */
  close(): void {
    this.#phase = 'failed'
    this.#handshakeSecret?.fill(0)
    this.#handshakeSecret = null
    this.#socket.destroy()
    this.#pipe.destroy()
    this.#output = []
    this.#applicationData = []
  }

  /** @param line name, the client's random value and the secret, both in hexadecimal; zeroed. */
  #keepHandshakeSecret(line: Buffer): void {
    const [name, , secret = ''] = line.toString('latin1').trimEnd().split(' ')
    line.fill(0)
    if (name === 'CLIENT_HANDSHAKE_TRAFFIC_SECRET') this.#handshakeSecret = fromHex(secret) ?? null
  }

  #becomeSecure(): void {
    if (this.#phase === 'handshake') this.#phase = 'secure'
    this.#activity += 1
  }

  #fail(): void {
    this.#phase = 'failed'
    this.#activity += 1
  }

  async #rest(): Promise<TlsRest> {
    let seen = this.#activity
    for (let turn = 0, quiet = 0; quiet < QUIET_TURNS && turn < MOST_TURNS; turn++) {
      await new Promise((next) => setImmediate(next))
      quiet = this.#activity === seen ? quiet + 1 : 0
      seen = this.#activity
    }
    const rest = {
      output: concatBytes(...this.#output),
      phase: this.#phase,
      applicationData: concatBytes(...this.#applicationData),
    }
    this.#output = []
    this.#applicationData = []
    return rest
  }
}
