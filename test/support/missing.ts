/** Why journeys with strongSwan cannot run here, or null; with CI=true a reason is an error. */
import { findPeer, labMissing } from '@culvert/testkit'

export const swanMissing: string | null = labMissing() ?? (await findPeer('strongswan')).reason

/** Ends a suite's title with the reason for which it is skipped. */
export const skipNote: string = swanMissing === null ? '' : ` (skipped: ${swanMissing})`
