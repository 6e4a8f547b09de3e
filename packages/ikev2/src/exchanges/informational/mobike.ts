/**
 * MOBIKE in INFORMATIONAL exchanges (RFC 4555 3.5 to 3.9): the peer tells where it is, and both ends make sure of it.
 *
 * ```
 *   HDR, SK {N(UPDATE_SA_ADDRESSES), N(NAT_DETECTION_*_IP), [N(COOKIE2)], [N(NO_NATS_ALLOWED)]}  -->
 *                                          <--  HDR, SK {N(NAT_DETECTION_*_IP), [N(COOKIE2)]}     moved, on trial
 *                                          <--  HDR, SK {N(UNACCEPTABLE_ADDRESSES), [N(COOKIE2)]} not moved
 *                                          <--  HDR, SK {N(UNEXPECTED_NAT_DETECTED), ...}         not moved
 *                                          <--  HDR, SK {N(COOKIE2)}                              are you there?
 *   HDR, SK {N(COOKIE2)}  -->                                                                     confirmed
 * ```
 *
 * Only the end that started the attachment says where it is (3.5). With a window of 1 an update cannot overtake a newer one.
 * For other addresses of the peer see `additional-addresses.ts`.
 */
import { constantTimeEqual, parseIp } from '@culvert/bytes'
import { closeAttachment } from '../../endpoint/closing.ts'
import type { Path } from '../../endpoint/contract.ts'
import type { Context, Received } from '../../endpoint/context.ts'
import { arriveAt, confirmPath, relocate, samePath } from '../../endpoint/moving.ts'
import { queueWork } from '../../endpoint/work.ts'
import type { Payload } from '../../message/model.ts'
import { NOTIFY } from '../../message/numbers.ts'
import { compareBytes, concatBytes } from '../../message/octets.ts'
import type { Attachment } from '../../sa/attachment.ts'
import { findNotify, firstError } from '../../sa/payload-shape.ts'
import type { PendingRequest } from '../../sa/request.ts'
import { takeToken } from '../../sa/token-bucket.ts'
import { detectNat, natDetectionNotifies } from '../ike-sa-init/nat-detection.ts'
import { notify } from '../notify.ts'

const MIN_COOKIE2_BYTES = 8
const MAX_COOKIE2_BYTES = 64
/** SHA-1 (RFC 7296 2.23). */
const NAT_HASH_BYTES = 20

/** What a request of the peer wants answered besides its Deletes; nothing when MOBIKE was not agreed. */
export function answerMobike(context: Context, attachment: Attachment, received: Received): readonly Payload[] {
  if (attachment.mobike === null) return []
  const { payloads, sa } = received
  const echo = echoOf(payloads)
  const isUpdate = findNotify(payloads, NOTIFY.UPDATE_SA_ADDRESSES) !== null
  if (isUpdate && attachment.role === 'responder' && attachment.current === sa) {
    return [...updateAddresses(context, attachment, received), ...echo]
  }
  const asksForNat = findNotify(payloads, NOTIFY.NAT_DETECTION_DESTINATION_IP) !== null
  return asksForNat ? [...natNotifies(context, attachment, received), ...echo] : echo
}

/** COOKIE2 comes back octet for octet (4.2.5). */
function echoOf(payloads: readonly Payload[]): readonly Payload[] {
  const cookie2 = findNotify(payloads, NOTIFY.COOKIE2)
  if (cookie2 === null) return []
  const { length } = cookie2.data
  return length < MIN_COOKIE2_BYTES || length > MAX_COOKIE2_BYTES ? [] : [notify(NOTIFY.COOKIE2, cookie2.data.slice())]
}

function updateAddresses(context: Context, attachment: Attachment, received: Received): readonly Payload[] {
  const { payloads, header, path } = received
  const { mobike, route } = attachment
  const expected = findNotify(payloads, NOTIFY.NO_NATS_ALLOWED)
  if (expected !== null && compareBytes(expected.data, addressesOf(path)) !== 0) {
    return [notify(NOTIFY.UNEXPECTED_NAT_DETECTED)]
  }
  const nat = detectNat(context, header, path, payloads)
  // Each of them is told on: a NAT that comes and goes with every message costs as much as a move.
  const isNew = !samePath(route.path, path) || nat.peerBehindNat !== route.peerBehindNat
  const mayMove = !isNew || (mobike !== null && takeToken(mobike, context.env.nowMs))
  if (!isUsable(path) || !mayMove) return [notify(NOTIFY.UNACCEPTABLE_ADDRESSES)]
  relocate(context, attachment, path, nat)
  return natNotifies(context, attachment, received)
}

function natNotifies(context: Context, { route }: Attachment, { header, path }: Received): readonly Payload[] {
  const forceNat = (context.config.forceUdpEncap ?? true) && !route.peerBehindNat
  return natDetectionNotifies(context, header, path, forceNat)
}

/** NO_NATS_ALLOWED as a peer without NAT sends it: source and destination address, then their ports (4.2.6). */
function addressesOf({ local, remote }: Path): Uint8Array {
  const ports = Uint8Array.of(remote.port >>> 8, remote.port, local.port >>> 8, local.port)
  return concatBytes(parseIp(remote.address) ?? ports, parseIp(local.address) ?? ports, ports)
}

/** One host that can be answered, and not ourselves. */
function isUsable({ local, remote }: Path): boolean {
  const address = parseIp(remote.address)
  if (address === undefined || remote.port === 0 || remote.address === local.address) return false
  const [first = 0] = address
  if (address.length === 4) return first !== 0 && first !== 127 && first < 224
  return first !== 0xff && address.subarray(0, 15).some((octet) => octet !== 0)
}

/** A response to a request of ours that carried COOKIE2. */
export function receiveEcho(
  context: Context,
  attachment: Attachment,
  received: Received,
  { attempt, path }: PendingRequest,
): void {
  if (!('cookie2' in attempt) || attempt.cookie2 === null) return
  const echoed = findNotify(received.payloads, NOTIFY.COOKIE2)
  if (echoed === null || !constantTimeEqual(echoed.data, attempt.cookie2)) {
    closeAttachment(context, attachment, 'protocolError')
    return
  }
  if (attempt.kind === 'updateAddresses') completeUpdate(context, attachment, received, path)
  else confirmPath(context, attachment, path, received.path)
}

/** @param askedFrom where we were when the request was made. */
function completeUpdate(context: Context, attachment: Attachment, received: Received, askedFrom: Path): void {
  const { route } = attachment
  if (!samePath(route.path, askedFrom)) {
    queueWork(context, attachment, { kind: 'updateAddresses' })
    return
  }
  if (firstError(received.payloads) !== null) return
  const nat = detectNat(context, received.header, received.path, received.payloads)
  route.peerBehindNat = nat.peerBehindNat
  route.localBehindNat = nat.localBehindNat
  rememberSeen(attachment, received)
  arriveAt(context, attachment)
}

/**
 * As initiator: a NAT that came, went or forgot us shows in how the peer sees us. Then it has to hear of it, as if we had moved
 * (3.8): a peer that follows nobody without a word still sends to where we were.
 */
export function noticeNat(context: Context, attachment: Attachment, received: Received): void {
  const { role, mobike, route, seenAs } = attachment
  if (role !== 'initiator' || mobike === null || attachment.current !== received.sa) return
  const seen = rememberSeen(attachment, received)
  if (seen === null) return
  const isOther = seenAs?.localSpi === received.sa.localSpi && compareBytes(seenAs.hash, seen) !== 0
  const { localBehindNat } = detectNat(context, received.header, received.path, received.payloads)
  if (isOther || localBehindNat !== route.localBehindNat) queueWork(context, attachment, { kind: 'updateAddresses' })
}

/** @returns how the peer sees us; null when it does not say. */
function rememberSeen(attachment: Attachment, { sa, payloads }: Received): Uint8Array | null {
  const seen = findNotify(payloads, NOTIFY.NAT_DETECTION_DESTINATION_IP)
  if (seen?.data.length !== NAT_HASH_BYTES) return null
  const hash = seen.data.slice()
  attachment.seenAs = { localSpi: sa.localSpi, hash }
  return hash
}
