/**
 * The peer sent no AUTH payload: it wants EAP (RFC 7296 2.16, RFC 5998). Starts the method, with our own proof at hand.
 *
 * Who may not use EAP, or is nobody, is played to its failure when the driver gives a decoy, so that a stranger learns neither
 * which identities exist nor how they authenticate (N26). Without a decoy nobody but those known to use EAP gets an answer to it.
 */
import type { Decoy, EapSession, FoundCredential, Question } from '../../endpoint/contract.ts'
import { ask, type Context } from '../../endpoint/context.ts'
import type { CredentialAsked, EapAsked, EapRun, IkeSa } from '../../sa/ike-sa.ts'
import { chosenProof, type PeerWishes } from './own-proof.ts'
import { rejectPeer } from './reject.ts'

interface Known {
  readonly found: FoundCredential | null
  readonly decoy: Decoy | undefined
}

export function startEap(context: Context, sa: IkeSa, state: CredentialAsked, { found, decoy }: Known): void {
  const run = found === null ? null : genuineRun(state, found)
  const prepared = run ?? (decoy === undefined ? null : decoyRun(state, decoy))
  if (prepared === null) {
    const detail = found === null ? 'identity not known' : 'EAP is not how this peer authenticates'
    const { messageId } = state.claim
    rejectPeer(context, sa, state, { messageId, subject: null, reason: 'authenticationFailed', detail })
    return
  }
  const { env, config, tables } = context
  const { channel, init, digest, claim } = state
  const session = tables.nextEapSession as EapSession
  tables.nextEapSession += 1
  const eap: EapRun = { ...prepared, session, rounds: 0, identifier: null, isLost: false }
  const asked = ask(context, sa, eapQuestion(sa, { claim, eap }, null))
  const { messageId } = claim
  // people type passwords, SIM cards compute: the method has as long again as the half-open SA had
  const expiresAtMs = env.nowMs + config.timing.halfOpenMs
  sa.state = { phase: 'eapAsked', channel, init, digest, expiresAtMs, ask: asked, claim, eap, messageId }
  context.touched.add(sa)
}

/** @param packet of the peer, null to start. */
export function eapQuestion(
  { route }: IkeSa,
  { claim, eap }: Pick<EapAsked, 'claim' | 'eap'>,
  packet: Uint8Array | null,
): Question {
  const withoutOurProof = eap.proof === null
  return { kind: 'eap', session: eap.session, idI: claim.idI, path: route.path, packet, withoutOurProof }
}

type Prepared = Pick<EapRun, 'found' | 'proof'>

/** @returns null when EAP is not a way for this peer, or there is nothing with which we could prove ourselves. */
function genuineRun(state: CredentialAsked, found: FoundCredential): Prepared | null {
  const candidate = found.candidates.find(({ kind }) => kind === 'eap')
  if (candidate?.kind !== 'eap') return null
  if (candidate.withoutOurProof && takesEapOnly(state)) return { found, proof: null }
  // A peer that has not signed anything gets PKCS #1 v1.5, which all of them can check.
  const proof = chosenProof(found, wishesOf(state))
  return proof === null ? null : { found, proof }
}

function decoyRun(state: CredentialAsked, decoy: Decoy): Prepared | null {
  if (decoy.withoutOurProof === true && takesEapOnly(state)) return { found: null, proof: null }
  const proof = chosenProof(decoy, wishesOf(state))
  return proof === null ? null : { found: null, proof }
}

function takesEapOnly({ ask: { question } }: CredentialAsked): boolean {
  return question.kind === 'credential' && question.eapOnly
}

function wishesOf({ init, claim }: CredentialAsked): PeerWishes {
  return { hashes: init.hashes, theirs: null, authorities: claim.authorities }
}
