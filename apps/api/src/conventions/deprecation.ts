/**
 * Routes that will go: `config: { deprecated: { since, sunset?, link? } }` makes the answer carry `Deprecation` (RFC 9745),
 * `Sunset` (RFC 8594) and a link to what to use instead, and the description say so.
 */
import type { Api } from '../context.ts'

export interface Deprecated {
  /** When it was or will be called deprecated, RFC 3339. */
  readonly since: string
  /** When it stops working, RFC 3339; left out: not decided. */
  readonly sunset?: string
  /** A page that says what to use instead. */
  readonly link?: string
}

declare module 'fastify' {
  interface FastifyContextConfig {
    deprecated?: Deprecated
  }
}

/** Call before routes are registered: it watches them. */
export function deprecation(api: Api): void {
  api.addHook('onRoute', (route) => {
    const { deprecated } = route.config ?? {}
    if (!deprecated) return
    const { sunset, link } = deprecated
    const said = [
      route.schema?.description,
      sunset === undefined ? null : `It stops working on ${sunset}.`,
      link === undefined ? null : `[What to use instead](${link}).`,
    ]
    route.schema = { ...route.schema, deprecated: true, description: said.filter(Boolean).join(' ') }
  })
  api.addHook('onRequest', async (request, reply) => {
    const { deprecated } = request.routeOptions.config
    if (!deprecated) return
    reply.header('deprecation', `@${Math.floor(Date.parse(deprecated.since) / 1_000)}`)
    if (deprecated.sunset !== undefined) reply.header('sunset', new Date(deprecated.sunset).toUTCString())
    if (deprecated.link !== undefined) reply.header('link', `<${deprecated.link}>; rel="deprecation"; type="text/html"`)
  })
}
