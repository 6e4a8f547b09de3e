/**
 * Who calls: an API key in `Authorization: Bearer`, found by its id and proven by a constant-time compare of hashes. Runs
 * before the body is read. Every failure is the same 401, whatever was wrong.
 */
import { DomainError, hostCidr, permissions, type Permission } from '@culvert/contracts'
import { findApiKey, noteApiKeyUse, parseApiKey, verifyApiKey, type Pool } from '@culvert/db'
import type { FastifyRequest } from 'fastify'
import { isPublic } from './actor.ts'

export function authenticator(pool: Pool): (request: FastifyRequest) => Promise<void> {
  /** Ids of keys whose use is being noted: one statement however many calls come at once. */
  const noting = new Set<string>()
  return async (request) => {
    if (isPublic(request)) return
    const key = parseApiKey(/^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1] ?? '')
    if (!key) throw new DomainError('unauthenticated')
    const address = hostCidr(request.ip)
    const stored = await findApiKey(pool, key.id, address)
    // Both are compared, whatever the first one says, and for a key that is not there too.
    const proven = [stored?.secretHash, stored?.formerSecretHash].map((hash) => verifyApiKey(key, hash ?? null))
    if (!proven.includes(true) || !stored?.admitted) throw new DomainError('unauthenticated')
    request.organizationId = stored.organizationId
    request.actor = {
      organizationId: stored.organizationId,
      kind: 'api_key',
      id: `key_${key.id}`,
      role: null,
      scopes: new Set(stored.scopes === null ? permissions : (stored.scopes as Permission[])),
      unlimited: stored.scopes === null,
    }
    if (!stored.stale || noting.has(key.id)) return
    noting.add(key.id)
    noteApiKeyUse(pool, stored.organizationId, { id: key.id, address })
      .catch((error: unknown) => request.log.debug({ err: error }, 'last use not noted'))
      .finally(() => noting.delete(key.id))
  }
}
