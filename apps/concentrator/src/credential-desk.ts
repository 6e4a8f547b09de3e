/**
 * Answers the core's question "who is this?": memory first, then Postgres, secrets opened with the node's sealing key.
 *
 * While Postgres is away a known device may come back on a cached secret for an hour; an unknown one gets no answer at all, so
 * that it asks again instead of taking a failure for final. Concurrent questions for one identity share one lookup.
 * A lookup during which its device was told to be forgotten (revoked, deleted) is made again. Opening a sealed secret takes longer
 * than finding none, so a decoy is opened for who has none, and both are remembered equally long: the time of the answer does not
 * tell which devices exist.
 */
import { randomBytes } from 'node:crypto'
import type { CachedCredential, CredentialCache } from '@culvert/concentrator-core'
import { createDeviceLookup, isDatabaseUnavailable, type Pool, type SecretOpener } from '@culvert/db'
import type { Identity } from '@culvert/ikev2'
import type { Logger } from '@culvert/observability'

const ID_FQDN = 2
const ID_RFC822_ADDR = 3
const LONGEST_IDENTITY_BYTES = 255
/** Beyond it the question stays unanswered, and the peer asks again. */
const MOST_LOOKUPS = 3
/** A sealed secret of the usual size that opens for nobody. */
const DECOY = Uint8Array.of(1, ...randomBytes(32 + 32 + 16))
const NOBODY = { organizationId: 'org_', deviceId: 'dev_', credentialId: 'crd_' }

export interface CredentialDesk {
  /** @returns the credential (its secrets are the caller's copies), null for nobody, undefined when it cannot be known now. */
  find(identity: Identity): Promise<CachedCredential | null | undefined>
}

export function createCredentialDesk(options: {
  pool: Pool
  cache: CredentialCache
  openSecret: SecretOpener
  log: Logger
}): CredentialDesk {
  const { pool, cache, openSecret, log } = options
  const devices = createDeviceLookup(pool)
  const underWay = new Map<string, Promise<CachedCredential | null | undefined>>()

  async function lookUp(identity: string): Promise<CachedCredential | null | undefined> {
    for (let tries = 0; tries < MOST_LOOKUPS; tries++) {
      const watch = cache.watch()
      try {
        const credential = await read(identity)
        if (credential && watch.hasForgotten(credential.deviceId)) continue
        if (credential || !watch.hasForgottenAny) cache.put(identity, credential, performance.now())
        return credential
      } catch (error) {
        if (!isDatabaseUnavailable(error)) throw error
        const cached = cache.get(identity, performance.now())
        return cached.kind === 'miss' ? undefined : cached.credential
      } finally {
        watch.end()
      }
    }
    return undefined
  }

  async function read(identity: string): Promise<CachedCredential | null> {
    const device = await devices.find(identity)
    const psks = []
    for (const credential of device?.credentials ?? []) {
      if (credential.kind !== 'psk') continue
      const { deviceId = '', organizationId = '' } = device ?? {}
      const aad = { organizationId, deviceId, credentialId: credential.id }
      const secret = openSecret(credential.sealedSecret, aad)
      if (secret) psks.push({ id: credential.id, secret })
      else
        log.warn({ credentialId: credential.id }, 'a stored credential does not open with the sealing key of this node')
    }
    if (psks.length === 0) openSecret(DECOY, NOBODY)
    if (!device) return null
    const { deviceId, organizationId, address4, policyVersion } = device
    return { deviceId, organizationId, address4, policyVersion, psks }
  }

  return {
    async find(id) {
      const identity = identityText(id)
      if (identity === null) return null
      const cached = cache.get(identity, performance.now())
      if (cached.kind === 'fresh') return cached.credential
      const running = underWay.get(identity) ?? lookUp(identity).finally(() => underWay.delete(identity))
      underWay.set(identity, running)
      return copyOf(await running)
    },
  }
}

/** An identity as it stands in the registry, or null when no device can have it (control characters, other types). */
export function identityText(id: Identity): string | null {
  if (id.type !== ID_FQDN && id.type !== ID_RFC822_ADDR) return null
  if (id.data.length === 0 || id.data.length > LONGEST_IDENTITY_BYTES) return null
  let text = ''
  for (const byte of id.data) {
    if (byte <= 0x20 || byte >= 0x7f) return null
    text += String.fromCharCode(byte)
  }
  return text.toLowerCase()
}

function copyOf(credential: CachedCredential | null | undefined): CachedCredential | null | undefined {
  if (!credential) return credential
  return { ...credential, psks: credential.psks.map(({ id, secret }) => ({ id, secret: Uint8Array.from(secret) })) }
}
