/**
 * How much may go to an address that a peer was never heard to answer from: at most three times what came from there.
 *
 * A source address can be forged, so whoever moves a peer could aim its traffic at a third party (RFC 7296 2.23). Until the owner
 * says that the path is confirmed, each SA earns credit with authentic packets from there and spends it; the packet that moved the
 * peer was received before the move and earns none. Octets are those of ESP packets, the same in both directions.
 */
import type { ChildSa } from './child-sa.ts'

/** What may be sent for every octet received. */
const AMPLIFICATION = 3

/** The SA sends to another address from now on, or what it sends to was confirmed. An address on trial keeps its credit. */
export function setPathTrial(sa: ChildSa, isNewAddress: boolean, isConfirmed: boolean): void {
  if (isConfirmed) sa.pathCredit.bytes = Infinity
  else if (isNewAddress || sa.pathCredit.bytes === Infinity) sa.pathCredit.bytes = 0
}

/** @param bytes of an authentic, fresh ESP packet from the address that the SA sends to */
export function earnPathCredit(sa: ChildSa, bytes: number): void {
  sa.pathCredit.earn(AMPLIFICATION * bytes)
}

/** @returns false when an ESP packet of this length must not go there now; counts it otherwise */
export function spendPathCredit(sa: ChildSa, bytes: number): boolean {
  return sa.pathCredit.spend(bytes)
}
