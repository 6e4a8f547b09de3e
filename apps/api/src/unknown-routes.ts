/** Requests that no route takes: 405 with `Allow` when the path is known under other methods, else 404. */
import { DomainError } from '@culvert/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Api } from './context.ts'

/** Call before routes are registered: it watches them. */
export function unknownRoutes(api: Api): void {
  const known = new Map<string, { pattern: RegExp; methods: Set<string> }>()
  api.addHook('onRoute', ({ url, method }) => {
    const entry = known.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() }
    for (const name of [method].flat()) entry.methods.add(name)
    known.set(url, entry)
  })
  api.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) => {
    const path = request.url.split('?')[0] ?? ''
    const allowed = [...known.values()].find(({ pattern }) => pattern.test(path))?.methods
    if (!allowed || allowed.has(request.method))
      throw new DomainError('not_found', { publicDetail: 'There is nothing under this URL.' })
    reply.header('allow', [...allowed].toSorted().join(', '))
    throw new DomainError('method_not_allowed')
  })
}

function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part === '*') return '.*'
    return part.startsWith(':') ? '[^/]+' : part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  })
  return new RegExp(`^${parts.join('/')}/?$`)
}
