/**
 * TLS flights in pieces (RFC 5216 2.1.5): one going out, acknowledged piece by piece, or one coming in.
 *
 * Bounds: everything that comes in during a conversation counts, not each flight for itself. The first piece of several must
 * say how long the whole is, later ones may repeat it, and what comes must be exactly that; a piece must bring something.
 */
import { concatBytes } from '@culvert/bytes'
import { encodeTlsFragment, type TlsFragment } from './packet.ts'

/** A hello with an ML-KEM share, a chain of four certificates with RSA-4096 keys, and room. The engine pays for every certificate. */
export const MOST_INBOUND_BYTES = 16_384
/** RFC 3748 3.1: an EAP MTU of 1020 octets may be relied upon; header, flags and length take 10 of them. */
export const FRAGMENT_BYTES = 1000

/** Gives out the pieces of one flight in order. */
export class OutboundFlight {
  readonly #octets: Uint8Array
  #sent = 0

  /** @param octets kept, not copied; not empty */
  constructor(octets: Uint8Array) {
    this.#octets = octets
  }

  get isSent(): boolean {
    return this.#sent === this.#octets.length
  }

  /** @returns Type-Data of the next piece. */
  take(): Uint8Array {
    const whole = this.#octets.length
    const data = this.#octets.subarray(this.#sent, this.#sent + FRAGMENT_BYTES)
    const isFirstOfSeveral = this.#sent === 0 && data.length < whole
    this.#sent += data.length
    // RFC 9190 2.4: no length where there is one piece only
    return encodeTlsFragment({
      messageBytes: isFirstOfSeveral ? whole : null,
      hasMore: !this.isSent,
      isStart: false,
      data,
    })
  }
}

export type FlightStep =
  /** The caller owns `octets`. */
  | { readonly kind: 'complete'; readonly octets: Uint8Array }
  | { readonly kind: 'acknowledge' }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'bounds' }

/** Puts flights together, one after the other. */
export class InboundFlights {
  #pieces: Uint8Array[] = []
  #messageBytes: number | null = null
  #received = 0
  #total = 0

  /** After `malformed` or `bounds` the conversation must end. @param fragment its data is copied */
  add(fragment: TlsFragment): FlightStep {
    const { data, messageBytes, hasMore, isStart } = fragment
    if (isStart || data.length === 0) return { kind: 'malformed' }
    const isFirst = this.#pieces.length === 0
    if (isFirst) this.#messageBytes = messageBytes
    else if (messageBytes !== null && messageBytes !== this.#messageBytes) return { kind: 'malformed' }
    if (isFirst && hasMore && messageBytes === null) return { kind: 'malformed' }
    this.#received += data.length
    this.#total += data.length
    const announced = this.#messageBytes ?? this.#received
    if (this.#total > MOST_INBOUND_BYTES || announced > MOST_INBOUND_BYTES) return { kind: 'bounds' }
    if (hasMore ? this.#received >= announced : this.#received !== announced) return { kind: 'malformed' }
    this.#pieces.push(data.slice())
    if (hasMore) return { kind: 'acknowledge' }
    const octets = concatBytes(...this.#pieces)
    this.#pieces = []
    this.#received = 0
    return { kind: 'complete', octets }
  }
}
