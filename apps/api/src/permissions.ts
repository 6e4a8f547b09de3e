/**
 * What callers may do. Every route under /v1 names its permission in `config`, or that it is for everybody; one that
 * does not is a fault of the program and keeps it from starting. The question is answered before anything of the request is
 * looked up, so that the answer tells nothing about ids.
 */
import { DomainError, type Permission } from '@culvert/contracts'
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { Actor } from './actor.ts'
import type { Api } from './context.ts'

/** One of these permissions; `authenticated`: whoever has proven who it is; `public`: everybody, without a key. */
export type RoutePermission = Permission | readonly Permission[] | 'authenticated' | 'public'

declare module 'fastify' {
  interface FastifyContextConfig {
    permission?: RoutePermission
    /** Needed besides. */
    alsoPermission?: Permission
  }
  interface FastifyRequest {
    /** Set for every request under /v1 whose route is not public. */
    actor: Actor
    organizationId: string
  }
}

/** Call before routes are registered: it watches them, and writes the permission into their description. */
export function requirePermissions(api: Api): void {
  api.addHook('onRoute', (route) => {
    if (!/^\/v1(\/|$)/.test(route.url)) return
    const permission = route.config?.permission
    if (permission === undefined || permission.length === 0)
      throw new Error(`${[route.method].flat().join(', ')} ${route.url} does not say which permission it takes`)
    describePermission(route, permission, route.config?.alsoPermission)
  })
}

/** Public and `security: []` say the same, once for us and once for the reader. */
function describePermission(route: RouteOptions, permission: RoutePermission, also: Permission | undefined): void {
  const { schema } = route
  if (!schema) return
  if ((permission === 'public') !== (schema.security !== undefined))
    throw new Error(`${route.url}: a public route has \`security: []\` in its schema, and no other has it`)
  route.schema = { ...schema, 'x-permission': permission } as typeof schema
  if (also === undefined) return
  const { description } = schema as { description?: string }
  const told = [description ?? [], `Takes \`${also}\` as well.`].flat().join(' ')
  Object.assign(route.schema, { 'x-also-permission': also, description: told })
}

export function isPublic(request: FastifyRequest): boolean {
  return request.routeOptions.config.permission === 'public'
}

/** @throws forbidden, with the permission that is missing */
export async function authorize(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { permission, alsoPermission } = request.routeOptions.config
  if (permission === 'public' || permission === 'authenticated') return
  const { scopes } = request.actor
  const enough = [permission ?? []].flat() as readonly Permission[]
  if (!enough.some((one) => scopes.has(one))) refuse(request, reply, enough)
  if (alsoPermission !== undefined && !scopes.has(alsoPermission)) refuse(request, reply, [alsoPermission])
}

function refuse(request: FastifyRequest, reply: FastifyReply, enough: readonly Permission[]): never {
  // RFC 6750 3.1
  reply.header('www-authenticate', `Bearer realm="culvert", error="insufficient_scope", scope="${enough[0] ?? 'none'}"`)
  throw new DomainError('forbidden', {
    publicDetail: `The permission ${enough.map((one) => `\`${one}\``).join(' or ')} is missing.`,
    internalContext: { actor: request.actor.id, missing: enough },
  })
}
