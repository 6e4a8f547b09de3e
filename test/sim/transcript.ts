/**
 * What the wire saw, in the notation of RFC 7296: `dev -> con  IKE_AUTH 1  SK {IDi, IDr, AUTH, ...}`.
 *
 * The inside of SK is known from the sender's tap. Repetitions of the same octets are marked with `again`.
 */
import { decodeMessage, decodePayloads, EXCHANGE, NOTIFY, type Message, type Payload, PROTOCOL } from '@culvert/ikev2'
import type { Tap } from './tap.ts'

interface Sender {
  readonly name: string
  readonly tap: Tap
}

const IV_BYTES = 8

export class Transcript {
  readonly lines: string[] = []
  readonly #seen = new Set<string>()

  note(sender: Sender, bytes: Uint8Array): void {
    const octets = Buffer.from(bytes).toString('latin1')
    const again = this.#seen.has(octets) ? 'again ' : ''
    this.#seen.add(octets)
    this.lines.push(`${sender.name}: ${again}${describe(sender.tap, bytes)}`)
  }

  /** The lines since the last call. */
  take(): string[] {
    return this.lines.splice(0)
  }
}

/** One line for one datagram. */
export function describe(tap: Tap, bytes: Uint8Array): string {
  const decoded = decodeMessage(bytes)
  if (!decoded.ok) return `undecodable (${decoded.error.code})`
  const { header, sealed, payloads } = decoded.value
  const exchange = nameIn(EXCHANGE, header.exchangeType)
  const direction = header.isResponse ? 'response' : 'request'
  const head = `${exchange} ${direction} ${header.messageId}`
  if (sealed === null) return `${head}, ${payloads.map(payloadName).join(', ')}`
  if (sealed.totalFragments > 0) return `${head}, SKF(${sealed.fragmentNumber}/${sealed.totalFragments})`
  return `${head}, SK {${innerPayloads(tap, decoded.value, bytes).map(payloadName).join(', ')}}`
}

/** The payloads inside the SK payload of a message sealed through this tap. */
export function innerPayloads(tap: Tap, message: Message, bytes: Uint8Array): readonly Payload[] {
  const { sealed } = message
  const padded = sealed === null ? null : tap.plaintextOf(bytes.subarray(sealed.bodyOffset + IV_BYTES))
  if (sealed === null || padded === null) return []
  const content = padded.subarray(0, padded.length - 1 - (padded.at(-1) ?? 0))
  const payloads = decodePayloads(sealed.innerType, content)
  return payloads.ok ? payloads.value : []
}

const PAYLOAD_NAMES: Readonly<Record<Exclude<Payload['kind'], 'notify' | 'delete' | 'cp'>, string>> = {
  sa: 'SA',
  ke: 'KE',
  idI: 'IDi',
  idR: 'IDr',
  cert: 'CERT',
  certReq: 'CERTREQ',
  auth: 'AUTH',
  nonce: 'N',
  vendor: 'V',
  tsI: 'TSi',
  tsR: 'TSr',
  eap: 'EAP',
  unknown: 'unknown',
}

function payloadName(payload: Payload): string {
  if (payload.kind === 'notify') return `N(${nameIn(NOTIFY, payload.type)})`
  if (payload.kind === 'cp') return payload.cfgType === 1 ? 'CP(REQUEST)' : 'CP(REPLY)'
  if (payload.kind === 'delete') return payload.protocolId === PROTOCOL.IKE ? 'D(IKE)' : `D(${payload.spis.length} ESP)`
  return PAYLOAD_NAMES[payload.kind]
}

function nameIn(names: Readonly<Record<string, number>>, value: number): string {
  return Object.entries(names).find(([, number]) => number === value)?.[0] ?? String(value)
}
