/**
 * Who calls: an API key or an access token in `Authorization: Bearer`. A key is found by its id and proven by a constant-time
 * compare of hashes; a token is proven by its signature, and what it says must still hold in the database. Runs before the body
 * is read. Every failure is the same 401, whatever was wrong.
 */
import {
  DomainError,
  hostCidr,
  organizationPermissions,
  rolePermissions,
  type Permission,
  type Role,
} from '@culvert/contracts'
import { findApiKey, noteApiKeyUse, parseApiKey, roleInSession, verifyApiKey, type Pool } from '@culvert/db'
import { verifyAccessToken } from '@culvert/identity'
import type { FastifyRequest } from 'fastify'
import type { Actor } from './actor.ts'
import { isPublic } from './permissions.ts'
import type { Login } from './login.ts'

export function authenticator(pool: Pool, login: Login | null): (request: FastifyRequest) => Promise<void> {
  const byApiKey = apiKeys(pool)
  return async (request) => {
    if (isPublic(request)) return
    const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
    const actor = bearer.startsWith('eyJ') ? await byAccessToken(pool, login, bearer) : await byApiKey(request, bearer)
    if (!actor) throw new DomainError('unauthenticated')
    request.actor = actor
    request.organizationId = actor.organizationId
  }
}

async function byAccessToken(pool: Pool, login: Login | null, bearer: string): Promise<Actor | null> {
  if (!login) return null
  const token = await verifyAccessToken(bearer, login.parties, (kid) => login.ring.publicKey(kid), new Date())
  if (!token) return null
  const { subject: userId, organizationId, sessionId, kid } = token
  const role = (await roleInSession(pool, organizationId, { userId, sessionId, kid })) as Role | null
  if (role === null) return null
  return {
    organizationId,
    kind: 'user',
    id: userId,
    role,
    scopes: new Set(rolePermissions[role]),
    unlimited: false,
    bounds: null,
  }
}

function apiKeys(pool: Pool): (request: FastifyRequest, bearer: string) => Promise<Actor | null> {
  /** Ids of keys whose use is being noted: one statement however many calls come at once. */
  const noting = new Set<string>()
  return async (request, bearer) => {
    const key = parseApiKey(bearer)
    if (!key) return null
    const address = hostCidr(request.ip)
    const stored = await findApiKey(pool, key.id, address)
    // Both are compared, whatever the first one says, and for a key that is not there too.
    const proven = [stored?.secretHash, stored?.formerSecretHash].map((hash) => verifyApiKey(key, hash ?? null))
    if (!proven.includes(true) || !stored?.admitted) return null
    if (stored.stale && !noting.has(key.id)) {
      noting.add(key.id)
      noteApiKeyUse(pool, stored.organizationId, { id: key.id, address })
        .catch((error: unknown) => request.log.debug({ err: error }, 'last use not noted'))
        .finally(() => noting.delete(key.id))
    }
    return {
      organizationId: stored.organizationId,
      kind: 'api_key',
      id: `key_${key.id}`,
      role: null,
      scopes: new Set(stored.scopes === null ? organizationPermissions : (stored.scopes as Permission[])),
      unlimited: stored.scopes === null,
      bounds: { expiresAt: stored.expiresAt, allowedFrom: stored.allowedFrom },
    }
  }
}
