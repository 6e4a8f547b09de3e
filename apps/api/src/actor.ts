/** Who calls, and that it gives nothing which it does not have itself. */
import { DomainError, type Permission, type Role } from '@culvert/contracts'

export interface Actor {
  readonly organizationId: string
  readonly kind: 'api_key' | 'user'
  /** Id of the key or of the person. */
  readonly id: string
  /** Of a person in this organization; null for a key. */
  readonly role: Role | null
  readonly scopes: ReadonlySet<Permission>
  /** It may do all in its organization, also what callers will be able to do only later. */
  readonly unlimited: boolean
  /** Until when and from where a key is good; null for a person. */
  readonly bounds: KeyBounds | null
}

export interface KeyBounds {
  /** Null: for ever. */
  readonly expiresAt: Date | null
  /** Canonical prefixes; none: anywhere. */
  readonly allowedFrom: readonly string[]
}

/**
 * Nobody gives what it does not have.
 * @param exceeding what the caller would give and does not have
 * @throws forbidden when there is any
 */
export function refuseExceeding(actor: Actor, exceeding: readonly Permission[]): void {
  if (exceeding.length === 0) return
  throw new DomainError('forbidden', {
    publicDetail: `Only who has ${exceeding.map((one) => `\`${one}\``).join(', ')} can give that.`,
    internalContext: { actor: actor.id, missing: exceeding, rule: 'nobody gives what it does not have' },
  })
}
