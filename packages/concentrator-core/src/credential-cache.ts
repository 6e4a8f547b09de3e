/**
 * Credentials looked up by IKE identity, kept for a while so that a reconnecting fleet does not ask Postgres each time.
 *
 * Bounded, oldest out first. An entry is fresh for `freshMs`; a stale one may still be used when the database is away, up to
 * `staleMs`. Unknown identities are remembered briefly so that a guesser does not reach the database each time.
 */
export interface CachedCredential {
  readonly deviceId: string
  readonly organizationId: string
  readonly address4: string
  readonly policyVersion: number
  readonly psks: readonly { readonly id: string; readonly secret: Uint8Array }[]
}

export interface CredentialCacheLimits {
  readonly entries: number
  readonly freshMs: number
  readonly staleMs: number
  readonly unknownMs: number
}

export type CacheAnswer =
  | { readonly kind: 'fresh' | 'stale'; readonly credential: CachedCredential | null }
  | { readonly kind: 'miss' }

export interface CredentialCache {
  get(identity: string, nowMs: number): CacheAnswer
  put(identity: string, credential: CachedCredential | null, nowMs: number): void
  forgetDevice(deviceId: string): void
  /** Everything must be asked again, e.g. after notices may have been lost; stale use ends too. */
  clear(): void
  readonly size: number
}

export function createCredentialCache(limits: CredentialCacheLimits): CredentialCache {
  const entries = new Map<string, { readonly credential: CachedCredential | null; readonly atMs: number }>()
  const identities = new Map<string, string>()

  function remove(identity: string): void {
    const entry = entries.get(identity)
    if (!entry) return
    entries.delete(identity)
    if (entry.credential) {
      identities.delete(entry.credential.deviceId)
      for (const psk of entry.credential.psks) psk.secret.fill(0)
    }
  }

  return {
    get(identity, nowMs) {
      const entry = entries.get(identity)
      if (!entry) return { kind: 'miss' }
      const ageMs = nowMs - entry.atMs
      if (ageMs <= (entry.credential ? limits.freshMs : limits.unknownMs)) {
        return { kind: 'fresh', credential: entry.credential }
      }
      if (entry.credential && ageMs <= limits.staleMs) return { kind: 'stale', credential: entry.credential }
      remove(identity)
      return { kind: 'miss' }
    },
    put(identity, credential, nowMs) {
      remove(identity)
      entries.set(identity, { credential, atMs: nowMs })
      if (credential) identities.set(credential.deviceId, identity)
      while (entries.size > limits.entries) {
        const oldest = entries.keys().next()
        if (oldest.done) break
        remove(oldest.value)
      }
    },
    forgetDevice(deviceId) {
      const identity = identities.get(deviceId)
      if (identity !== undefined) remove(identity)
    },
    clear() {
      for (const identity of entries.keys()) remove(identity)
    },
    get size() {
      return entries.size
    },
  }
}
