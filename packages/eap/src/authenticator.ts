/**
 * EAP as authenticator (RFC 3748), lock-step: one response in, one request or verdict out.
 *
 * ```
 * idle -> identity -> method -> over
 *    \---------------/ \-> next method after a Nak, only as the answer to a method's first request
 * ```
 *
 * IKEv2 repeats lost messages itself, so there is nothing to discard silently: whatever is not the one expected response (malformed,
 * another identifier, another type) ends the conversation with EAP-Failure. Rounds and octets are bounded; time is the caller's
 * (`close`). Success comes from a method's own finished state and from nowhere else. `reason` is for people, never for the peer.
 */
import { compareBytes, zeroize } from '@culvert/bytes'
import type { Rng } from '@culvert/crypto'
import type { EapFailureReason, EapMethod, EapMethodName, EapMethodRun } from './method.ts'
import { decodeEap, EAP_TYPE, type EapMessage, encodeEap } from './packet.ts'
import { decodeName } from './text.ts'

/** A TLS flight of the largest size in small fragments still fits. */
const MOST_ROUNDS = 128
const MOST_PACKET_BYTES = 16_384

export interface EapAuthenticatorOptions {
  /** In order of preference, at least one, each type once. */
  readonly methods: readonly EapMethod[]
  /** Begin with EAP-Identity. Windows wants to be asked; others do not mind. */
  readonly askIdentity: boolean
  /** What the peer called itself before (IDi); what it says to EAP-Identity takes its place. Null for nothing. */
  readonly claimedIdentity: string | null
  readonly rng: Rng
}

export interface EapAuthenticator {
  /**
   * One round.
   * @param packet the peer's whole EAP packet, not kept; null starts. The same packet again, while the first is being
   *   worked on, gives the same promise.
   * @returns never rejects. After `success` or `failure` every call gives `failure`.
   */
  next(packet: Uint8Array | null): Promise<EapStep>
  /** Zeroes and frees everything; a round under way ends with `failure`. Safe at any time and twice. */
  close(): void
}

export type EapStep =
  /** `lost`: the method has decided against the peer and tells it; what follows is at best a failure. For people, as `reason`. */
  | { readonly outcome: 'continue'; readonly packet: Uint8Array; readonly lost?: EapFailureReason }
  | { readonly outcome: 'failure'; readonly packet: Uint8Array; readonly reason: EapFailureReason }
  | {
      readonly outcome: 'success'
      readonly packet: Uint8Array
      readonly method: EapMethodName
      /** 64 octets; the receiver owns and zeroes it. */
      readonly msk: Uint8Array
      /** Who was proven. It need not be `claimedIdentity`, nor IDi: decide by this one. */
      readonly identity: string
      /** EAP-TLS: the peer's certificates in DER as they came, its own first; else empty. */
      readonly certificates: readonly Uint8Array[]
    }

type State =
  | { readonly phase: 'idle' }
  | { readonly phase: 'identity' }
  | {
      readonly phase: 'method'
      readonly method: EapMethod
      readonly run: EapMethodRun
      /** The peer has not answered in this method yet, so it may refuse it. */
      readonly isFresh: boolean
    }
  | { readonly phase: 'over'; readonly reason: EapFailureReason }

export function createEapAuthenticator(options: EapAuthenticatorOptions): EapAuthenticator {
  const closing = Promise.withResolvers<EapStep>()
  let state: State = { phase: 'idle' }
  let identifier = options.rng(1)[0] ?? 0
  let rounds = 0
  let untried = options.methods
  let claimedIdentity = options.claimedIdentity
  let underWay: { readonly packet: Uint8Array | null; readonly step: Promise<EapStep> } | null = null

  function fail(reason: EapFailureReason): EapStep {
    const run = state.phase === 'method' ? state.run : null
    state = state.phase === 'over' ? state : { phase: 'over', reason }
    run?.close()
    return { outcome: 'failure', packet: encodeEap({ kind: 'failure', identifier }), reason: state.reason }
  }

  function request(type: number, data: Uint8Array, lost?: EapFailureReason): EapStep {
    const packet = encodeEap({ kind: 'request', identifier, type, data })
    return { outcome: 'continue', packet, ...(lost && { lost }) }
  }

  function askIdentity(): EapStep {
    state = { phase: 'identity' }
    return request(EAP_TYPE.IDENTITY, new Uint8Array(0))
  }

  async function beginMethod(method: EapMethod | undefined): Promise<EapStep> {
    if (method === undefined) return fail('noCommonMethod')
    untried = untried.filter((other) => other !== method)
    const run = method.start({ claimedIdentity, rng: options.rng })
    state = { phase: 'method', method, run, isFresh: true }
    return advanceMethod(method, run, null)
  }

  async function advanceMethod(method: EapMethod, run: EapMethodRun, data: Uint8Array | null): Promise<EapStep> {
    const response = identifier
    const following = data === null ? identifier : (identifier + 1) & 0xff
    const step = await run.next(data, following)
    if (state.phase === 'over') {
      if (step.kind === 'success') zeroize(step.proof.msk)
      return fail('closed')
    }
    switch (step.kind) {
      case 'request':
        identifier = following
        return request(method.type, step.data, step.lost)
      case 'failure':
        return fail(step.reason)
      case 'success':
        fail('unexpected') // whatever comes after this
        return {
          outcome: 'success',
          packet: encodeEap({ kind: 'success', identifier: response }),
          method: method.name,
          ...step.proof,
        }
    }
  }

  async function hearIdentity(message: EapMessage): Promise<EapStep> {
    if (message.type !== EAP_TYPE.IDENTITY) return fail('unexpected')
    const name = decodeName(message.data)
    if (name === null) return fail('malformed')
    if (name !== '') claimedIdentity = name
    identifier = (identifier + 1) & 0xff
    return beginMethod(untried[0])
  }

  async function hearMethod(message: EapMessage, current: Extract<State, { phase: 'method' }>): Promise<EapStep> {
    const { method, run, isFresh } = current
    if (message.type === EAP_TYPE.NAK) {
      if (!isFresh) return fail('unexpected')
      if (message.data.length === 0) return fail('malformed')
      run.close()
      identifier = (identifier + 1) & 0xff
      return beginMethod(untried.find(({ type }) => message.data.includes(type)))
    }
    if (message.type !== method.type) return fail('unexpected')
    state = { ...current, isFresh: false }
    return advanceMethod(method, run, message.data)
  }

  async function advance(packet: Uint8Array | null): Promise<EapStep> {
    if (state.phase === 'over') return fail('unexpected')
    if (packet === null) {
      if (state.phase !== 'idle') return fail('unexpected')
      return options.askIdentity ? askIdentity() : beginMethod(untried[0])
    }
    rounds += 1
    if (rounds > MOST_ROUNDS || packet.length > MOST_PACKET_BYTES) return fail('bounds')
    const result = decodeEap(packet)
    if (!result.ok || result.value.kind !== 'response') return fail('malformed')
    if (state.phase === 'idle') return fail('unexpected')
    if (result.value.identifier !== identifier) return fail('identifierMismatch')
    return state.phase === 'identity' ? hearIdentity(result.value) : hearMethod(result.value, state)
  }

  async function round(packet: Uint8Array | null): Promise<EapStep> {
    try {
      return await Promise.race([advance(packet), closing.promise])
    } catch {
      return fail('internal')
    } finally {
      underWay = null
    }
  }

  return {
    next(packet) {
      if (underWay !== null) {
        return samePacket(underWay.packet, packet) ? underWay.step : Promise.resolve(fail('unexpected'))
      }
      const kept = packet?.slice() ?? null
      const step = round(kept)
      underWay = { packet: kept, step }
      return step
    },
    close() {
      closing.resolve(fail('closed'))
    },
  }
}

function samePacket(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : compareBytes(a, b) === 0
}
