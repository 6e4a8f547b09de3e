/**
 * The life of a credential: active, then revoked or expired; a certificate is pending until the signer has issued or refused it.
 * There is no way back.
 */
export const credentialKinds = ['psk', 'certificate', 'eap', 'ppk'] as const
export type CredentialKind = (typeof credentialKinds)[number]

export const credentialStates = ['pending', 'active', 'refused', 'expired', 'revoked'] as const
export type CredentialState = (typeof credentialStates)[number]

export const issuances = ['pending', 'issued', 'refused'] as const
/** How far the signer is with a certificate. */
export type Issuance = (typeof issuances)[number]

export interface CredentialLife {
  readonly revokedAtMs: number | null
  readonly expiresAtMs: number | null
  /** Null for what needs no signer. */
  readonly issuance: Issuance | null
}

/** @returns the state at `nowMs`; refusal and revocation win over expiry, and the instant of expiry is already expired */
export function credentialStateAt(life: CredentialLife, nowMs: number): CredentialState {
  if (life.issuance === 'refused') return 'refused'
  if (life.revokedAtMs !== null && life.revokedAtMs <= nowMs) return 'revoked'
  if (life.expiresAtMs !== null && life.expiresAtMs <= nowMs) return 'expired'
  return life.issuance === 'pending' ? 'pending' : 'active'
}

export type CredentialEvent = { readonly kind: 'issue' | 'refuse' | 'revoke' }

const transitions: Readonly<
  Partial<Record<CredentialState, Partial<Record<CredentialEvent['kind'], CredentialState>>>>
> = {
  pending: { issue: 'active', refuse: 'refused', revoke: 'revoked' },
  active: { revoke: 'revoked' },
  expired: { revoke: 'revoked' },
}

/** @returns the state after `event`, or null when it changes nothing; time alone leads to `expired` */
export function stepCredential(state: CredentialState, event: CredentialEvent): CredentialState | null {
  return transitions[state]?.[event.kind] ?? null
}
