/**
 * First IKE_AUTH request, second half: what the driver knows of the claimed identity comes in, and the proof is checked with it
 * (RFC 7296 2.15, 2.16; RFC 7427; RFC 8784).
 *
 * ```
 *   known and proven              -->  ask attach
 *   no AUTH, and EAP may tell     -->  ask eap
 *   anything wrong with it        <--  HDR, SK {N(AUTHENTICATION_FAILED)}                       rejected
 * ```
 */
import type { Answer, Decoy, FoundCredential, ProofKind } from '../../endpoint/contract.ts'
import type { Context } from '../../endpoint/context.ts'
import type { CredentialAsked, IkeSa, OwnProof } from '../../sa/ike-sa.ts'
import { peerSignature } from '../../keys/signature-choice.ts'
import { prfOf } from '../ike-keys.ts'
import { askAttach } from './ask-attach.ts'
import { authOctets } from './auth-octets.ts'
import { allowsCompat, chosenProof } from './own-proof.ts'
import { findProvenKey, findProvenPsk, type KeyCandidate, proofKindOf, type ProvenPsk } from './peer-proof.ts'
import { applyPpk, judgePpk } from './ppk.ts'
import { rejectPeer } from './reject.ts'
import { startEap } from './start-eap.ts'

type CredentialAnswer = Extract<Answer, { kind: 'credential' }>

/** Checks the proof with what was found; goes on to ask whether the peer may attach, or to EAP. */
export function answerCredential(
  context: Context,
  sa: IkeSa,
  state: CredentialAsked,
  { found, decoy }: CredentialAnswer,
): void {
  const proof = proofKindOf(state.claim.auth.method)
  if (proof === 'eap') startEap(context, sa, state, { found, decoy })
  else checkProof(context, sa, state, { found, decoy, proof })
}

interface Known {
  readonly found: FoundCredential | null
  readonly decoy: Decoy | undefined
  readonly proof: ProofKind
}

function checkProof(context: Context, sa: IkeSa, state: CredentialAsked, { found, decoy, proof }: Known): void {
  const { env } = context
  const { claim, channel, init } = state
  const prf = prfOf(env.crypto, channel)
  const ppk = judgePpk(env, prf, init, claim.auth, found?.ppks)
  const octets = authOctets(prf, init, 'initiator', claim.idBody, ppk.skPi)
  ppk.skPi.fill(0)
  const { method } = claim.auth
  const candidates = found?.candidates ?? []
  const signed = { method, data: ppk.data, octets, hashes: init.hashes, allowsLegacyRsa: allowsCompat(found ?? {}) }
  const proven =
    proof === 'signature'
      ? findProvenKey(signed, candidates, decoy?.key)
      : findProvenPsk(env, prf, { octets, data: ppk.data }, proof === 'psk' ? candidates : [])
  if (found !== null && proven !== null && !ppk.isRefused) {
    admit(context, sa, state, { found, proven, proof, ppk: ppk.secret })
  } else {
    const isOnlyPpk = found !== null && proven !== null
    const detail = isOnlyPpk ? 'no common post-quantum preshared key' : failureOf(found, proof)
    const subject = isOnlyPpk ? found.subject : null
    rejectPeer(context, sa, state, { messageId: claim.messageId, subject, reason: 'authenticationFailed', detail })
  }
  if (proven?.kind === 'psk') proven.authKey.fill(0)
}

interface Genuine {
  readonly found: FoundCredential
  readonly proven: ProvenPsk | KeyCandidate
  readonly proof: ProofKind
  readonly ppk: Uint8Array | null
}

/** The proof is good: what is left is ours. */
function admit(context: Context, sa: IkeSa, state: CredentialAsked, { found, proven, proof, ppk }: Genuine): void {
  const { claim, channel, init } = state
  const { messageId } = claim
  const { subject, tiers } = found
  const ownProof = subject === null ? null : ownProofFor(state, found, proven)
  if (subject === null || ownProof === null) {
    const detail = subject === null ? 'a credential of nobody' : 'no proof of ours that the peer could check'
    rejectPeer(context, sa, state, { messageId, subject, reason: 'authenticationFailed', detail })
    return
  }
  applyPpk(prfOf(context.env.crypto, channel), channel, init, ppk)
  const ppkMixed = ppk !== null
  askAttach(context, sa, state, { messageId, subject, credential: proven.id, proof, tiers, ownProof, ppkMixed })
}

function failureOf(found: FoundCredential | null, proof: ProofKind): string {
  if (found === null) return 'identity not known'
  return proof === 'signature' ? 'no proof of a valid key' : 'no proof of a valid secret'
}

/** With the signer of this peer, else with the secret it proved itself. */
function ownProofFor(
  { claim, init }: CredentialAsked,
  found: FoundCredential,
  proven: ProvenPsk | KeyCandidate,
): OwnProof | null {
  if (found.signer === undefined) {
    return proven.kind === 'psk' ? { kind: 'sharedKey', authKey: proven.authKey.slice() } : null
  }
  const theirs = peerSignature(claim.auth.method, claim.auth.data, init.hashes)
  return chosenProof(found, { hashes: init.hashes, theirs, authorities: claim.authorities })
}
