/** Outside /v1, without a key: whether the process lives and whether it can serve, and what an error code means. */
import { DomainError, errorRegistry, type ErrorCode } from '@culvert/contracts'
import type { HealthRegistry } from '@culvert/observability'
import { Type } from 'typebox'
import type { Api } from '../context.ts'
import { inOneOf, json, problems, text } from '../responses.ts'

const Health = Type.Object(
  { ok: Type.Boolean(), checks: Type.Record(Type.String(), Type.String()) },
  { 'x-example': { ok: true, checks: { database: 'ok' } } },
)
const ErrorPage = Type.Object(
  { code: Type.String(), status: Type.Integer(), title: Type.String(), advice: Type.String() },
  {
    'x-example': {
      code: 'not_found',
      status: 404,
      title: 'Not found',
      advice: 'Check the id; it may belong to another organization or be deleted.',
    },
  },
)

export function healthRoutes(api: Api, health: HealthRegistry): void {
  api.get(
    '/health/live',
    {
      schema: {
        operationId: 'live',
        summary: 'The process answers',
        tags: ['health'],
        security: [],
        response: { 200: json(Health, 'Alive.') },
      },
    },
    async () => ({ ok: true, checks: {} }),
  )

  api.get(
    '/health/ready',
    {
      schema: {
        operationId: 'ready',
        summary: 'The process can serve',
        tags: ['health'],
        security: [],
        response: { 200: json(Health, 'Ready.'), 503: json(Health, 'Not ready: see `checks`.') },
      },
    },
    async (_request, reply) => {
      const report = await health.ready()
      return reply.code(report.ok ? 200 : 503).send({ ok: report.ok, checks: { ...report.checks } })
    },
  )

  api.get(
    '/errors/:code',
    {
      schema: {
        operationId: 'explainError',
        summary: 'What an error code means',
        tags: ['errors'],
        security: [],
        params: Type.Object({ code: Type.String({ maxLength: 64 }) }, { additionalProperties: false }),
        description: 'JSON, or a page for people where `Accept` asks for HTML. `type` of every problem leads here.',
        response: {
          200: inOneOf('The code.', json(ErrorPage, ''), text('', '<!doctype html>...', 'text/html')),
          ...problems('not_found'),
        },
      },
    },
    async ({ params: { code }, headers }, reply) => {
      if (!isErrorCode(code)) throw new DomainError('not_found')
      reply.header('vary', 'accept')
      if (!asksForHtml(headers.accept)) return { code, ...errorRegistry[code] }
      return reply
        .type('text/html; charset=utf-8')
        .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
        .serializer(String)
        .send(errorPage(code))
    },
  )
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorRegistry, code)
}

/** Browsers name HTML first; programs name JSON or anything. */
function asksForHtml(accept: string | undefined): boolean {
  const first = accept?.split(',')[0]?.trim().toLowerCase() ?? ''
  return first.startsWith('text/html')
}

/** All text is the registry's own; what stands in backquotes becomes code. */
function errorPage(code: ErrorCode): string {
  const { status, title, advice } = errorRegistry[code]
  const text = (plain: string): string =>
    plain
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll(/`([^`]+)`/g, '<code>$1</code>')
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${code}</title>
<style>body { font: 1rem/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 40rem; padding: 0 1rem }</style>
<h1>${text(title)}</h1>
<p><code>${code}</code>, status ${status}</p>
<p>${text(advice)}</p>
<p><a href="/docs">Documentation</a></p>
</html>
`
}
