/**
 * Who owns an identity, and with what it may prove itself: memory first, then Postgres, secrets opened with the node's sealing key.
 *
 * While Postgres is away a known device may come back on a cached secret for an hour; an unknown one gets no answer at all, so
 * that it asks again instead of taking a failure for final. Concurrent questions for one identity share one lookup.
 * A lookup during which its device was told to be forgotten (revoked, deleted) is made again. Opening a sealed secret takes longer
 * than finding none, so it is pretended for who has none, and both are remembered equally long: the time of the answer does not
 * tell which devices exist.
 */
import {
  copyOfDevice,
  type CachedCredential,
  type CachedDevice,
  type CredentialCache,
} from '@culvert/concentrator-core'
import {
  createDeviceLookup,
  isDatabaseUnavailable,
  type CredentialForAttach,
  type DeviceForAttach,
  type Pool,
  type KeyRing,
} from '@culvert/db'
import { ntHash } from '@culvert/eap'
import type { Identity } from '@culvert/ikev2'
import type { Logger } from '@culvert/observability'

const ID_FQDN = 2
const ID_RFC822_ADDR = 3
const LONGEST_IDENTITY_BYTES = 255
/** Beyond it the question stays unanswered, and the peer asks again. */
const MOST_LOOKUPS = 3
/** Kept in mind at a time. */
const MOST_AUTHORITIES = 256

/** What is found belongs to the caller, who zeroes its secrets; null is nobody, undefined what cannot be known now. */
export interface CredentialDesk {
  find(identity: Identity): Promise<CachedDevice | null | undefined>
  /** @param name an IKE identity as text, of any case and origin */
  findByName(name: string): Promise<CachedDevice | null | undefined>
}

export function createCredentialDesk(options: {
  pool: Pool
  cache: CredentialCache
  secrets: KeyRing
  log: Logger
}): CredentialDesk {
  const { pool, cache, secrets, log } = options
  const devices = createDeviceLookup(pool)
  const authorities = new Map<string, string>()
  const underWay = new Map<string, Promise<CachedDevice | null | undefined>>()

  async function lookUp(identity: string): Promise<CachedDevice | null | undefined> {
    for (let tries = 0; tries < MOST_LOOKUPS; tries++) {
      const watch = cache.watch()
      try {
        const device = await read(identity)
        if (device && watch.hasForgotten(device.deviceId)) continue
        if (device || !watch.hasForgottenAny) cache.put(identity, device, performance.now())
        return device
      } catch (error) {
        if (!isDatabaseUnavailable(error)) throw error
        const cached = cache.get(identity, performance.now())
        return cached.kind === 'miss' ? undefined : cached.device
      } finally {
        watch.end()
      }
    }
    return undefined
  }

  async function read(identity: string): Promise<CachedDevice | null> {
    const device = await devices.find(identity)
    const credentials = device?.credentials.flatMap((credential) => openCredential(device, credential) ?? []) ?? []
    if (credentials.every(({ kind }) => kind === 'certificate')) secrets.pretend(identity)
    return device && { ...device, identity, credentials }
  }

  function openCredential(device: DeviceForAttach, credential: CredentialForAttach): CachedCredential | null {
    const { kind, id } = credential
    if (kind === 'certificate') {
      const authority = credential.authority === null ? null : shared(credential.authority)
      return { kind, id, fingerprint: credential.fingerprint.toLowerCase(), authority }
    }
    const { deviceId, organizationId } = device
    const binding = { organizationId, deviceId, credentialId: id }
    const secret = secrets.open(credential.sealedSecret, binding, credential.sealingKeyId)
    if (!secret) {
      log.warn({ credentialId: id }, 'a stored credential does not open with a sealing key of this node')
      return null
    }
    switch (kind) {
      case 'psk':
        return { kind, id, secret }
      case 'ppk':
        return { kind, id, identity: credential.identity, isRequired: credential.isRequired, secret }
      case 'eap': {
        const hash = ntHash(new TextDecoder().decode(secret))
        secret.fill(0)
        return { kind, id, userName: credential.identity.toLowerCase(), secret: hash }
      }
    }
  }

  /** A fleet has one authority: one text for all of its devices. */
  function shared(authority: string): string {
    const known = authorities.get(authority)
    if (known !== undefined) return known
    const [oldest] = authorities.keys()
    if (authorities.size >= MOST_AUTHORITIES && oldest !== undefined) authorities.delete(oldest)
    authorities.set(authority, authority)
    return authority
  }

  async function findByName(name: string): Promise<CachedDevice | null | undefined> {
    const identity = registryName(name)
    if (identity === null) return null
    const cached = cache.get(identity, performance.now())
    if (cached.kind === 'fresh') return cached.device
    const running = underWay.get(identity) ?? lookUp(identity).finally(() => underWay.delete(identity))
    underWay.set(identity, running)
    const device = await running
    return device && copyOfDevice(device)
  }

  return {
    async find(id) {
      const identity = identityText(id)
      return identity === null ? null : findByName(identity)
    },
    findByName,
  }
}

/** An identity as it stands in the registry, or null when no device can have it (control characters, other types). */
export function identityText(id: Identity): string | null {
  if (id.type !== ID_FQDN && id.type !== ID_RFC822_ADDR) return null
  return id.data.length > LONGEST_IDENTITY_BYTES ? null : registryName(String.fromCharCode(...id.data))
}

/** Printable ASCII without blanks, in lower case. */
function registryName(name: string): string | null {
  return name.length <= LONGEST_IDENTITY_BYTES && /^[!-~]+$/.test(name) ? name.toLowerCase() : null
}
