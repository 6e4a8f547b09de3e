/**
 * EAP-MSCHAPv2 as peer. Mutual: the authenticator must show that it knows the password's hash before there is an MSK, whatever
 * it says otherwise.
 */
import { constantTimeEqual, zeroize } from '@culvert/bytes'
import type { Rng } from '@culvert/crypto'
import type { EapPeerMethod, EapPeerMethodRun, EapPeerStep } from '../method.ts'
import { EAP_TYPE } from '../packet.ts'
import {
  authenticatorResponse,
  authenticatorResponseText,
  CHALLENGE_BYTES,
  mschapMsk,
  ntHash,
  ntResponse,
} from './derivation.ts'
import { decodeMschapRequest, encodeMschapResponse } from './packet.ts'

export interface MschapCredentials {
  readonly userName: string
  readonly password: string
}

export function createMschapPeerMethod(credentials: MschapCredentials): EapPeerMethod {
  return { name: 'mschapv2', type: EAP_TYPE.MSCHAPV2, start: (rng) => startRun(credentials, rng) }
}

type State =
  | { readonly phase: 'idle' }
  | { readonly phase: 'answered'; readonly expected: string; readonly msk: Uint8Array }
  | { readonly phase: 'convinced'; readonly msk: Uint8Array }
  | { readonly phase: 'over' }

const FAILED: EapPeerStep = { data: null, verdict: 'failure' }
const octets = (text: string): Uint8Array => new TextEncoder().encode(text)

function startRun(credentials: MschapCredentials, rng: Rng): EapPeerMethodRun {
  let state: State = { phase: 'idle' }

  function answer(id: number, challenge: Uint8Array): EapPeerStep {
    const name = octets(credentials.userName)
    const challenges = { authenticator: challenge, peer: rng(CHALLENGE_BYTES), userName: name }
    const hash = ntHash(credentials.password)
    const response = ntResponse(hash, challenges)
    const expected = authenticatorResponseText(authenticatorResponse(hash, response, challenges))
    state = { phase: 'answered', expected, msk: mschapMsk(hash, response) }
    zeroize(hash)
    const data = encodeMschapResponse({
      kind: 'response',
      id,
      peerChallenge: challenges.peer,
      ntResponse: response,
      name,
    })
    return { data, verdict: 'open' }
  }

  function end(): void {
    if (state.phase === 'answered' || state.phase === 'convinced') zeroize(state.msk)
    state = { phase: 'over' }
  }

  return {
    async next(data) {
      const request = decodeMschapRequest(data)
      if (!request.ok) return FAILED
      const message = request.value
      if (state.phase === 'idle' && message.kind === 'challenge') return answer(message.id, message.challenge)
      if (state.phase !== 'answered' || message.kind === 'challenge') return FAILED
      if (message.kind === 'failure' || !startsWith(message.text, octets(state.expected))) {
        end()
        return { data: encodeMschapResponse({ kind: 'failure' }), verdict: 'failure' }
      }
      state = { phase: 'convinced', msk: state.msk }
      return { data: encodeMschapResponse({ kind: 'success' }), verdict: 'success' }
    },
    msk: () => (state.phase === 'convinced' ? state.msk.slice() : null),
    close: end,
  }
}

function startsWith(text: Uint8Array, start: Uint8Array): boolean {
  return constantTimeEqual(text.subarray(0, start.length), start)
}
