/** How an attempt to attach can fail: how far it came and why it ended. Both are closed sets that the API shows. */
import type { ProposalTier } from './proposal-tiers.ts'

/** `init` and `intermediate` come before any identity is known. */
export const attemptStages = ['init', 'intermediate', 'auth', 'eap', 'attach', 'resume'] as const
export type AttemptStage = (typeof attemptStages)[number]

export const attemptReasons = [
  'no_proposal',
  'authentication_failed',
  'no_credential',
  'credential_expired',
  'credential_revoked',
  'refused',
  'no_address',
  'protocol_error',
  'timed_out',
  'superseded',
  'redirected',
  'shutdown',
] as const
export type AttemptReason = (typeof attemptReasons)[number]

/**
 * What a person can do about it.
 * @param matchingTier the tier in which the offer would have been taken, null when there is none or it was not looked for
 * @param allowed tiers the device may use now
 * @returns one sentence, null when there is nothing to advise
 */
export function attemptHint(
  reason: AttemptReason,
  matchingTier: ProposalTier | null,
  allowed: readonly ProposalTier[],
): string | null {
  switch (reason) {
    case 'no_proposal':
      if (matchingTier === null) return 'Change the proposals of the device: see `nearest` for what differs.'
      return allowed.includes(matchingTier)
        ? 'The device may use this now: let it try again.'
        : `Allow ${matchingTier} for this device (\`proposalTiers\`), or change the proposals of the device.`
    case 'authentication_failed':
      return 'Compare the secret or certificate on the device with its credentials here, or issue a new one.'
    case 'no_credential':
    case 'credential_expired':
    case 'credential_revoked':
      return 'Issue a new credential and put it on the device.'
    case 'timed_out':
      return 'The device stopped answering: large messages may be lost on its path; switch IKE fragmentation on.'
    case 'no_address':
    case 'refused':
    case 'protocol_error':
    case 'superseded':
    case 'redirected':
    case 'shutdown':
      return null
  }
}
