/**
 * EAP as peer (RFC 3748): what a device does. It believes EAP-Success only after its method is content (early success is an
 * attack, not a shortcut), and it runs one method in one conversation.
 */
import type { Rng } from '@culvert/crypto'
import type { EapMethodName, EapPeerMethod, EapPeerMethodRun } from './method.ts'
import { decodeEap, EAP_TYPE, type EapMessage, encodeEap } from './packet.ts'

const MOST_ROUNDS = 128

export interface EapPeerOptions {
  /** What is said to EAP-Identity. */
  readonly identity: string
  /** In order of preference; others are refused with Nak. */
  readonly methods: readonly EapPeerMethod[]
  readonly rng: Rng
}

export interface EapPeer {
  /** @param packet of the authenticator. Never rejects on its content. */
  next(packet: Uint8Array): Promise<EapPeerAnswer>
  /** Zeroes and frees everything; safe at any time and twice. */
  close(): void
}

export type EapPeerAnswer =
  | { readonly outcome: 'continue'; readonly packet: Uint8Array }
  /** `msk`: 64 octets, the receiver owns and zeroes it. */
  | { readonly outcome: 'success'; readonly method: EapMethodName; readonly msk: Uint8Array }
  | { readonly outcome: 'failure' }

type State =
  | { readonly phase: 'idle' }
  | { readonly phase: 'method'; readonly method: EapPeerMethod; readonly run: EapPeerMethodRun }
  | { readonly phase: 'over' }

export function createEapPeer(options: EapPeerOptions): EapPeer {
  let state: State = { phase: 'idle' }
  let rounds = 0

  function end(): EapPeerAnswer {
    if (state.phase === 'method') state.run.close()
    state = { phase: 'over' }
    return { outcome: 'failure' }
  }

  function respond(request: EapMessage, type: number, data: Uint8Array): EapPeerAnswer {
    const { identifier } = request
    return { outcome: 'continue', packet: encodeEap({ kind: 'response', identifier, type, data }) }
  }

  async function runMethod(request: EapMessage, run: EapPeerMethodRun): Promise<EapPeerAnswer> {
    const { data } = await run.next(request.data)
    return data === null ? end() : respond(request, request.type, data)
  }

  async function hearRequest(request: EapMessage): Promise<EapPeerAnswer> {
    if (request.type === EAP_TYPE.NOTIFICATION) return respond(request, EAP_TYPE.NOTIFICATION, new Uint8Array(0))
    if (state.phase === 'method') {
      return request.type === state.method.type ? runMethod(request, state.run) : end()
    }
    if (request.type === EAP_TYPE.IDENTITY) {
      return respond(request, EAP_TYPE.IDENTITY, new TextEncoder().encode(options.identity))
    }
    const method = options.methods.find(({ type }) => type === request.type)
    if (method === undefined)
      return respond(request, EAP_TYPE.NAK, new Uint8Array(options.methods.map(({ type }) => type)))
    const run = method.start(options.rng)
    state = { phase: 'method', method, run }
    return runMethod(request, run)
  }

  function hearSuccess(): EapPeerAnswer {
    if (state.phase !== 'method') return end()
    const { method } = state
    const msk = state.run.msk()
    end()
    return msk === null ? { outcome: 'failure' } : { outcome: 'success', method: method.name, msk }
  }

  return {
    async next(packet) {
      const result = decodeEap(packet)
      rounds += 1
      if (!result.ok || state.phase === 'over' || rounds > MOST_ROUNDS) return end()
      if (result.value.kind === 'success') return hearSuccess()
      return result.value.kind === 'request' ? hearRequest(result.value) : end()
    },
    close() {
      end()
    },
  }
}
