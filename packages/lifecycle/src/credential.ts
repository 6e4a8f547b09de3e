/** The life of a credential: active, then revoked or expired; there is no way back. */
export const credentialStates = ['active', 'expired', 'revoked'] as const
export type CredentialState = (typeof credentialStates)[number]

export interface CredentialTimes {
  readonly revokedAtMs: number | null
  readonly expiresAtMs: number | null
}

/** @returns the state at `nowMs`; revocation wins over expiry, and the instant of expiry is already expired */
export function credentialStateAt(times: CredentialTimes, nowMs: number): CredentialState {
  if (times.revokedAtMs !== null && times.revokedAtMs <= nowMs) return 'revoked'
  if (times.expiresAtMs !== null && times.expiresAtMs <= nowMs) return 'expired'
  return 'active'
}

export type CredentialEvent = { readonly kind: 'revoke' } | { readonly kind: 'expire' }

/** @returns the state after `event`, or null when it changes nothing */
export function stepCredential(state: CredentialState, event: CredentialEvent): CredentialState | null {
  if (state !== 'active') return null
  return event.kind === 'revoke' ? 'revoked' : 'expired'
}
