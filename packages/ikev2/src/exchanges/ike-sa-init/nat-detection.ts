/**
 * NAT detection in IKE_SA_INIT (RFC 7296 2.23): each end sends hashes of the addresses it sees, the other compares.
 *
 * A SOURCE hash that does not fit means that a NAT stands before the peer, a DESTINATION hash that does not fit that one stands
 * before us. A peer may send several SOURCE hashes. Without any of the notifies nothing is known, and no NAT is assumed.
 */
import type { Path } from '../../endpoint/contract.ts'
import type { Context } from '../../endpoint/context.ts'
import { natDetectionHash } from '../../keys/nat-detection.ts'
import type { IkeSpi, Payload } from '../../message/model.ts'
import { NOTIFY } from '../../message/numbers.ts'
import { compareBytes } from '../../message/octets.ts'
import type { Route } from '../../sa/attachment.ts'
import { notify } from '../notify.ts'

export interface NatFindings {
  readonly peerBehindNat: boolean
  readonly localBehindNat: boolean
}

/** SPIs as they stand in the header of the message that carries the hashes. */
export interface SpiPair {
  readonly spiI: IkeSpi
  readonly spiR: IkeSpi
}

/** @param path along which the message came. */
export function detectNat(context: Context, spis: SpiPair, path: Path, payloads: readonly Payload[]): NatFindings {
  const source = hashesOf(payloads, NOTIFY.NAT_DETECTION_SOURCE_IP)
  const destination = hashesOf(payloads, NOTIFY.NAT_DETECTION_DESTINATION_IP)
  const { crypto } = context.env
  const fits = (hashes: readonly Uint8Array[], { address, port }: Path['local']): boolean => {
    if (hashes.length === 0) return true
    const expected = natDetectionHash(crypto, spis.spiI, spis.spiR, address, port)
    return hashes.some((hash) => compareBytes(hash, expected) === 0)
  }
  return { peerBehindNat: !fits(source, path.remote), localBehindNat: !fits(destination, path.local) }
}

/**
 * The two notifies of a message we send along `path`.
 *
 * @param forceNat send a SOURCE hash that cannot fit, so that the peer encapsulates ESP in UDP.
 */
export function natDetectionNotifies(context: Context, spis: SpiPair, path: Path, forceNat: boolean): Payload[] {
  const { crypto, rng } = context.env
  const source = forceNat
    ? rng(20)
    : natDetectionHash(crypto, spis.spiI, spis.spiR, path.local.address, path.local.port)
  const destination = natDetectionHash(crypto, spis.spiI, spis.spiR, path.remote.address, path.remote.port)
  return [notify(NOTIFY.NAT_DETECTION_SOURCE_IP, source), notify(NOTIFY.NAT_DETECTION_DESTINATION_IP, destination)]
}

/**
 * The first protected message of the initiator came along `path`: from now on we answer there. It has moved to port 4500, behind a
 * NAT perhaps to another address.
 *
 * @returns false when it came from where the initiator cannot be.
 */
export function followInitiator(route: Route, path: Path): boolean {
  if (!route.peerBehindNat && path.remote.address !== route.path.remote.address) return false
  route.path = path
  return true
}

function hashesOf(payloads: readonly Payload[], type: number): Uint8Array[] {
  const hashes: Uint8Array[] = []
  for (const payload of payloads) if (payload.kind === 'notify' && payload.type === type) hashes.push(payload.data)
  return hashes
}
