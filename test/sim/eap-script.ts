/**
 * An EAP method made of nothing: the authenticator counts rounds, the peer repeats what it hears. It makes a key, or none.
 */
import type { Answer, EapSession, Payload, Question } from '@culvert/ikev2'

/** An experimental method type (RFC 3748 5.8). */
const METHOD = 255

export const MSK = new Uint8Array(64).fill(0x5a)

export function eapRequest(identifier: number, length = 5): Uint8Array {
  return eapPacket(1, identifier, length)
}

export function eapResponse(identifier: number, length = 5): Payload {
  return { kind: 'eap', data: eapPacket(2, identifier, length) }
}

export function eapPacket(code: number, identifier: number, length: number): Uint8Array {
  const packet = new Uint8Array(length)
  packet.set([code, identifier, length >>> 8, length, METHOD].slice(0, length))
  return packet
}

type Success = Extract<Answer, { outcome: 'success' }>

export interface EapScriptOptions {
  readonly rounds?: number
  readonly end?: 'success' | 'failure'
  readonly msk?: Uint8Array | null
  /** What is known of who was proven. */
  readonly proven?: Pick<Success, 'tiers' | 'ppks'>
  /** Why it failed. */
  readonly detail?: string
  /** The last request says that it is in vain, for this reason. */
  readonly lost?: string
}

/** The authenticator's side: so many requests, then the end. */
export class EapScript {
  readonly rounds: number
  readonly end: 'success' | 'failure'
  readonly msk: Uint8Array | null
  readonly #options: EapScriptOptions
  readonly started: EapSession[] = []
  /** Packets of the peer, in order. */
  readonly heard: Uint8Array[] = []
  readonly #identifiers = new Map<EapSession, number>()

  constructor(options: EapScriptOptions = {}) {
    this.#options = options
    this.rounds = options.rounds ?? 2
    this.end = options.end ?? 'success'
    this.msk = options.msk === undefined ? MSK : options.msk
  }

  answer({ session, packet }: Extract<Question, { kind: 'eap' }>): Answer {
    if (packet === null) this.started.push(session)
    else this.heard.push(packet)
    const round = (this.#identifiers.get(session) ?? 0) + 1
    this.#identifiers.set(session, round)
    const { detail, lost } = this.#options
    if (round <= this.rounds) {
      const isLast = round === this.rounds
      const packet = eapRequest(round)
      return { kind: 'eap', outcome: 'continue', packet, ...(lost !== undefined && isLast && { lost }) }
    }
    if (this.end === 'failure') {
      return { kind: 'eap', outcome: 'failure', packet: eapPacket(4, this.rounds, 4), ...(detail && { detail }) }
    }
    const { msk } = this
    const proven = { subject: 'dev_eap', credential: 'crd_eap', ...this.#options.proven }
    return { kind: 'eap', outcome: 'success', packet: eapPacket(3, this.rounds, 4), msk, ...proven }
  }
}
