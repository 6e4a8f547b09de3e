/** Outside /v1, without a key: whether the process lives and whether it can serve, and what an error code means. */
import { DomainError, errorRegistry, type ErrorCode } from '@culvert/contracts'
import type { HealthRegistry } from '@culvert/observability'
import { Type } from 'typebox'
import type { Api } from '../context.ts'
import { json, problems } from '../responses.ts'

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
        response: { 200: json(ErrorPage, 'The code.'), ...problems('not_found') },
      },
    },
    async ({ params: { code } }) => {
      if (!Object.hasOwn(errorRegistry, code)) throw new DomainError('not_found')
      return { code, ...errorRegistry[code as ErrorCode] }
    },
  )
}
