/**
 * EAP-MSCHAPv2 as authenticator (RFC 2759, draft-kamath-pppext-eap-mschapv2-02).
 *
 * ```
 * challenge -> response -> success (S=...) -> success -> proof
 *                      \-> failure (E=691 R=0) -> anything -> failure
 * ```
 *
 * Each state takes one opcode and no other: nobody comes to `success` but through a right response. One try per conversation,
 * no change of password. An identity nobody knows costs the same work and looks the same as a wrong password.
 */
import { constantTimeEqual, toHex, zeroize } from '@culvert/bytes'
import type { Rng } from '@culvert/crypto'
import {
  type EapFailureReason,
  type EapMethod,
  type EapMethodRun,
  type EapMethodStep,
  type EapProof,
  methodFailure,
  methodRequest,
} from '../method.ts'
import { EAP_TYPE } from '../packet.ts'
import { decodeName } from '../text.ts'
import {
  authenticatorResponse,
  authenticatorResponseText,
  CHALLENGE_BYTES,
  mschapMsk,
  NT_HASH_BYTES,
  ntResponse,
} from './derivation.ts'
import { decodeMschapResponse, encodeMschapRequest, type MschapAnswer } from './packet.ts'

export interface MschapOptions {
  /** What the challenge is signed with; shown by some peers. ASCII. */
  readonly serverName: string
  /**
   * The NT hash of this user's password (see `ntHash`), a copy that is zeroed here; null for nobody. The name is as the peer
   * sent it, unproven, a Windows domain included.
   */
  secretFor(userName: string): Promise<Uint8Array | null>
}

export function createMschapMethod(options: MschapOptions): EapMethod {
  return { name: 'mschapv2', type: EAP_TYPE.MSCHAPV2, start: ({ rng }) => startRun(options, rng) }
}

type State =
  | { readonly phase: 'idle' }
  | { readonly phase: 'challenged'; readonly id: number; readonly challenge: Uint8Array }
  | { readonly phase: 'accepted'; readonly proof: EapProof }
  | { readonly phase: 'rejected'; readonly reason: EapFailureReason }
  | { readonly phase: 'over' }

const OVER: State = { phase: 'over' }
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

function startRun(options: MschapOptions, rng: Rng): EapMethodRun {
  let state: State = { phase: 'idle' }
  let isClosed = false

  function challenge(id: number): EapMethodStep {
    const octets = rng(CHALLENGE_BYTES)
    state = { phase: 'challenged', id, challenge: octets }
    return methodRequest(
      encodeMschapRequest({ kind: 'challenge', id, challenge: octets, name: text(options.serverName) }),
    )
  }

  async function judge(answer: MschapAnswer, asked: Extract<State, { phase: 'challenged' }>): Promise<EapMethodStep> {
    state = OVER // until the verdict nothing else is heard
    const name = decodeName(answer.name) ?? ''
    const { hash, doubt } = await lookUp(options, name, rng)
    const verdict = verify(hash, answer, asked.challenge)
    zeroize(hash)
    const reason = doubt ?? (verdict.isRight ? null : 'wrongSecret')
    if (isClosed || reason !== null) zeroize(verdict.msk)
    if (isClosed) return methodFailure('closed')
    if (reason !== null) {
      state = { phase: 'rejected', reason }
      return methodRequest(refusal(answer.id, rng), reason)
    }
    state = { phase: 'accepted', proof: { msk: verdict.msk, identity: name, certificates: [] } }
    const message = text(`${verdict.text} M=OK`)
    return methodRequest(encodeMschapRequest({ kind: 'success', id: answer.id, text: message }))
  }

  return {
    async next(data, identifier) {
      if (data === null) return state.phase === 'idle' ? challenge(identifier) : methodFailure('unexpected')
      const response = decodeMschapResponse(data)
      if (!response.ok) return methodFailure('malformed')
      switch (state.phase) {
        case 'challenged':
          if (response.value.kind !== 'response' || response.value.id !== state.id) return methodFailure('unexpected')
          return judge(response.value, state)
        case 'accepted': {
          if (response.value.kind === 'failure') return methodFailure('refusedByPeer')
          if (response.value.kind !== 'success') return methodFailure('unexpected')
          const { proof } = state
          state = OVER // the MSK is the receiver's now
          return { kind: 'success', proof }
        }
        case 'rejected':
          return methodFailure(state.reason)
        case 'idle':
        case 'over':
          return methodFailure('unexpected')
      }
    },
    close() {
      isClosed = true
      if (state.phase === 'accepted') zeroize(state.proof.msk)
      state = OVER
    },
  }
}

interface FoundHash {
  readonly hash: Uint8Array
  /** Why the hash is a decoy; null when it is the user's. */
  readonly doubt: EapFailureReason | null
}

/** A random hash for whoever is not known, so that the work stays the same. */
async function lookUp(options: MschapOptions, name: string, rng: Rng): Promise<FoundHash> {
  const decoy = rng(NT_HASH_BYTES)
  try {
    const hash = name === '' ? null : await options.secretFor(name)
    return hash?.length === NT_HASH_BYTES ? { hash, doubt: null } : { hash: decoy, doubt: 'unknownIdentity' }
  } catch {
    return { hash: decoy, doubt: 'lookup' }
  }
}

interface Verdict {
  readonly isRight: boolean
  readonly text: string
  readonly msk: Uint8Array
}

/** The same work whether the response is right or not. */
function verify(hash: Uint8Array, answer: MschapAnswer, challenge: Uint8Array): Verdict {
  const challenges = { authenticator: challenge, peer: answer.peerChallenge, userName: answer.name }
  const expected = ntResponse(hash, challenges)
  return {
    isRight: constantTimeEqual(expected, answer.ntResponse),
    text: authenticatorResponseText(authenticatorResponse(hash, expected, challenges)),
    msk: mschapMsk(hash, expected),
  }
}

/** RFC 2759 6: authentication failure, no retry; the challenge in it is for a change of password, which there is none of. */
function refusal(id: number, rng: Rng): Uint8Array {
  const challenge = toHex(rng(CHALLENGE_BYTES)).toUpperCase()
  return encodeMschapRequest({
    kind: 'failure',
    id,
    text: text(`E=691 R=0 C=${challenge} V=3 M=Authentication failed`),
  })
}
