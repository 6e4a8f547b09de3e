/**
 * IKE_AUTH request, first half (RFC 7296 1.2, 2.15): who claims to be there? Asks for the credential and waits.
 *
 * ```
 *   HDR, SK {IDi, [N(INITIAL_CONTACT)], [IDr], AUTH, [CP], SAi2, TSi, TSr, N(..)}  -->   ask credential
 * ```
 *
 * Whatever is wrong with the proof itself comes out only after the credential was looked up and computed with, so that all
 * failures look and cost alike (C32, N26). The rest of the request is kept until then, nothing of it is acted upon.
 */
import type { Question } from '../../endpoint/contract.ts'
import { ask, type Context, type Received } from '../../endpoint/context.ts'
import { identityBody } from '../../message/identity-codec.ts'
import { AUTH_METHOD, NOTIFY } from '../../message/numbers.ts'
import { EMPTY } from '../../message/octets.ts'
import type { AuthClaim, InitAnswered } from '../../sa/ike-sa.ts'
import { findNotify, findPayload } from '../../sa/payload-shape.ts'
import { requestedAddresses } from './configuration.ts'
import { readWishes } from './extensions.ts'

/** No AUTH payload: the peer wants EAP, which is never a good shared key proof. */
const NO_AUTH_METHOD = 0

/** The payloads fit the table; the IKE SA floats to the port this came from, behind NAT to the address too (2.23). */
export function receiveAuthRequest(context: Context, received: Received, state: InitAnswered): void {
  const claim = readClaim(received)
  const { sa, channel, path } = received
  const { route } = sa
  const isElsewhere = !route.peerBehindNat && path.remote.address !== route.path.remote.address
  if (claim === null || isElsewhere) return
  channel.received.answering = true
  route.path = path
  const { idI, idR } = claim
  const proof = claim.authMethod === AUTH_METHOD.SHARED_KEY_MIC ? 'psk' : 'other'
  const question: Question = { kind: 'credential', idI, idR, path, proof, certificates: [], eapOnly: false }
  sa.state = { ...state, phase: 'credentialAsked', ask: ask(context, sa, question), claim }
  context.touched.add(sa)
}

function readClaim({ payloads, messageId }: Received): AuthClaim | null {
  const idI = findPayload(payloads, 'idI')
  const proposals = findPayload(payloads, 'sa')
  const tsI = findPayload(payloads, 'tsI')
  const tsR = findPayload(payloads, 'tsR')
  if (idI === null || proposals === null || tsI === null || tsR === null) return null
  const auth = findPayload(payloads, 'auth')
  const configuration = findPayload(payloads, 'cp')
  return {
    messageId,
    idI: idI.id,
    idBody: identityBody(idI.id, idI.reserved),
    idR: findPayload(payloads, 'idR')?.id ?? null,
    authMethod: auth?.method ?? NO_AUTH_METHOD,
    authData: auth?.data ?? EMPTY,
    configuration,
    requested: requestedAddresses(configuration),
    proposals: proposals.proposals,
    tsI: tsI.selectors,
    tsR: tsR.selectors,
    initialContact: findNotify(payloads, NOTIFY.INITIAL_CONTACT) !== null,
    wishes: readWishes(payloads),
  }
}
