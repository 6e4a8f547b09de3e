/**
 * `?validateOnly=true` on every POST and PATCH under /v1: all is checked, written, answered as it would be, and undone. Nobody
 * is told, nothing is waited for. Routes know nothing of it.
 */
import { inRequestScope, isRehearsed, Rehearsal } from '@culvert/db'
import type { Queues } from '@culvert/queue'
import type { FastifyRequest, RouteOptions } from 'fastify'
import { Type, type TObject } from 'typebox'
import type { Api, ApiContext } from '../context.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** false: what the route does cannot be undone, or it tries in a way of its own. */
    validateOnly?: boolean
  }
}

export function validateOnly(v1: Api, { pool }: ApiContext): void {
  const rehearsals = new WeakMap<FastifyRequest, Rehearsal>()

  v1.addHook('onRoute', (route) => {
    if (canBeTried(route)) describe(route)
  })

  v1.addHook('preHandler', (request, _reply, done) => {
    if (!isTried(request)) return done()
    const rehearsal = new Rehearsal(pool, request.organizationId)
    rehearsals.set(request, rehearsal)
    inRequestScope({ kind: 'rehearsed', rehearsal }, () => done())
  })

  v1.addHook('onSend', async (request, reply) => {
    const rehearsal = rehearsals.get(request)
    if (!rehearsal) return
    reply.header('validate-only', 'true')
    await rehearsal.close()
  })
}

/** Nothing of what the request does shall stay. */
export function isTried(request: FastifyRequest): boolean {
  const query = request.query as { validateOnly?: unknown } | undefined
  return query?.validateOnly === true && canBeTried(request.routeOptions)
}

function canBeTried({ method, config }: Pick<RouteOptions, 'method' | 'config'>): boolean {
  const isWrite = [method].flat().some((name) => name === 'POST' || name === 'PATCH')
  return isWrite && config?.permission !== 'public' && config?.validateOnly !== false
}

function describe(route: RouteOptions): void {
  const { properties = {} } = (route.schema?.querystring ?? {}) as Partial<TObject>
  const parameter = Type.Optional(
    Type.Boolean({ description: 'Only try: answer as it would be, with `Validate-Only: true`, and change nothing.' }),
  )
  const querystring = Type.Object({ ...properties, validateOnly: parameter }, { additionalProperties: false })
  route.schema = { ...route.schema, querystring }
}

/** The same queues, silent for what is only tried. */
export function hintsWhenMeant(queues: Queues): Queues {
  return {
    ...queues,
    hint: (...hint) => (isRehearsed() ? Promise.resolve(false) : queues.hint(...hint)),
  }
}
