/**
 * The first IKE_AUTH request (RFC 7296 1.2, 2.15, 2.16): who claims to be there? Asks for the credential and waits.
 *
 * ```
 *   HDR, SK {IDi, [CERT+], [N(INITIAL_CONTACT)], [IDr], AUTH, [CP], SAi2, TSi, TSr, N(..)}  -->   ask credential
 *   HDR, SK {IDi, [N(INITIAL_CONTACT)], [IDr], [CP], SAi2, TSi, TSr, N(..)}                 -->   ask credential: wants EAP
 * ```
 *
 * Whatever is wrong with the proof itself comes out only after the credential was looked up and computed with, so that all
 * failures look and cost alike (C32, N26). The rest of the request is kept until then, nothing of it is acted upon.
 */
import type { Question } from '../../endpoint/contract.ts'
import { ask, type Context, type Received } from '../../endpoint/context.ts'
import { mayTry } from '../../endpoint/failed-attempts.ts'
import { answerFatally } from '../../endpoint/fatal.ts'
import { identityBody } from '../../message/identity-codec.ts'
import type { Payload } from '../../message/model.ts'
import { NOTIFY } from '../../message/numbers.ts'
import { EMPTY } from '../../message/octets.ts'
import type { AuthClaim, InitAnswered, PeerAuth } from '../../sa/ike-sa.ts'
import { findNotify, findPayload } from '../../sa/payload-shape.ts'
import { followInitiator } from '../ike-sa-init/nat-detection.ts'
import { namedAuthorities, peerCertificates } from './certificates.ts'
import { requestedAddresses } from './configuration.ts'
import { readWishes } from './extensions.ts'
import { proofKindOf } from './peer-proof.ts'
import { ppkClaim } from './ppk.ts'

/** No AUTH payload: the peer wants EAP. */
const NO_AUTH_METHOD = 0

/** The payloads fit the table. */
export function receiveAuthRequest(context: Context, received: Received, state: InitAnswered): void {
  if (!isWholeChildRequest(context, received)) {
    answerFatally(context, received)
    return
  }
  const claim = readClaim(received)
  const { sa, path, payloads } = received
  if (claim === null || !mayTry(context, claim.idBody, path.remote.address) || !beginAnswer(received)) return
  const { idI, idR, auth } = claim
  const question: Question = {
    kind: 'credential',
    idI,
    idR,
    path,
    proof: proofKindOf(auth.method),
    certificates: peerCertificates(payloads),
    eapOnly: findNotify(payloads, NOTIFY.EAP_ONLY_AUTHENTICATION) !== null,
  }
  sa.state = { ...state, phase: 'credentialAsked', ask: ask(context, sa, question), claim }
  context.touched.add(sa)
}

/**
 * A request of an unproven peer is worked on from now on: the IKE SA floats to the port it came from, behind NAT to the address
 * too (2.23).
 *
 * @returns false when it came from an address where this peer cannot be: it is dropped.
 */
export function beginAnswer({ sa, channel, path }: Received): boolean {
  if (!followInitiator(sa.route, path)) return false
  channel.received.answering = true
  return true
}

/** The AUTH payload of a request, and the notifies that stand for it with a PPK. */
export function readPeerAuth(payloads: readonly Payload[]): PeerAuth {
  const auth = findPayload(payloads, 'auth')
  return { method: auth?.method ?? NO_AUTH_METHOD, data: auth?.data ?? EMPTY, ...ppkClaim(payloads) }
}

/** All of what makes a Child SA; or nothing of it, where that is allowed (RFC 6023 3). */
export function isWholeChildRequest({ config }: Context, { payloads }: Received): boolean {
  const parts = (['sa', 'tsI', 'tsR'] as const).filter((kind) => findPayload(payloads, kind) !== null)
  return parts.length === 3 || (parts.length === 0 && config.features?.childless === true)
}

/** @returns null without IDi. */
export function readClaim({ payloads, messageId }: Received): AuthClaim | null {
  const idI = findPayload(payloads, 'idI')
  const proposals = findPayload(payloads, 'sa')
  const tsI = findPayload(payloads, 'tsI')
  const tsR = findPayload(payloads, 'tsR')
  if (idI === null) return null
  const configuration = findPayload(payloads, 'cp')
  return {
    messageId,
    idI: idI.id,
    idBody: identityBody(idI.id, idI.reserved),
    idR: findPayload(payloads, 'idR')?.id ?? null,
    auth: readPeerAuth(payloads),
    authorities: namedAuthorities(payloads),
    configuration,
    requested: requestedAddresses(configuration),
    proposals: proposals?.proposals ?? [],
    tsI: tsI?.selectors ?? [],
    tsR: tsR?.selectors ?? [],
    initialContact: findNotify(payloads, NOTIFY.INITIAL_CONTACT) !== null,
    wishes: readWishes(payloads),
  }
}
