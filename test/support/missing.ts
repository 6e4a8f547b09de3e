/** Why journeys with strongSwan cannot run here, or null; with CI=true a reason is an error. */
import { findPeer, labMissing, type PeerName } from '@culvert/testkit'

export const swanMissing: string | null = await firstMissing('strongswan')

/** Ends a suite's title with the reason for which it is skipped. */
export const skipNote: string = noteOf(swanMissing)

/** The first reason against a lab or against one of these peers. */
export async function firstMissing(...peers: readonly PeerName[]): Promise<string | null> {
  let reason = labMissing()
  for (const name of peers) reason ??= (await findPeer(name)).reason
  return reason
}

export function noteOf(reason: string | null): string {
  return reason === null ? '' : ` (skipped: ${reason})`
}
