import { addRule, createApiKey, ensureOrganization, openPool, type Pool } from '@culvert/db'
import { openEgress, type Egress } from '@culvert/egress'
import { createLogger } from '@culvert/observability'
import type { Queues } from '@culvert/queue'
import { createDatabase, waitFor } from '@culvert/testkit'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { RuleRunner } from './rule-runner.ts'

let pool: Pool
/** The role that the worker has, and as many connections. */
let worker: Pool

beforeAll(async () => {
  const databaseUrl = await createDatabase(inject('databaseUrl'))
  pool = openPool(databaseUrl)
  worker = openPool(databaseUrl, { role: 'culvert_worker' })
})
afterAll(() => Promise.all([pool.end(), worker.end()]))

/** Runs that call somebody. */
async function addRuns(slug: string, count: number): Promise<void> {
  const { id: organizationId } = await ensureOrganization(pool, { name: slug, slug })
  const key = await createApiKey(pool, { organizationId, name: 'maker', scopes: ['rules:write', 'events:read'] })
  const rule = await addRule(
    pool,
    organizationId,
    {
      name: 'Call',
      enabled: true,
      eventTypes: ['device.online'],
      deviceIds: [],
      deviceTags: [],
      networkIds: [],
      during: null,
      actions: [{ kind: 'call_webhook', url: `https://${slug}.test/`, format: 'event', text: null }],
      maxRunsPerHour: 100,
    },
    { makerKind: 'api_key', makerId: `key_${key.id}` },
    { by: { kind: 'api_key', id: `key_${key.id}`, requestId: null, address: null } },
  )
  if (rule === 'rule_limit') throw new Error('too many rules')
  await pool.query(
    `INSERT INTO rule_runs (id, organization_id, rule_id, event_id, event, depth)
     SELECT 'run_' || gen_random_uuid(), $1, $2, gen_random_uuid(), '{"data": {}}', 0 FROM generate_series(1, $3::int)`,
    [organizationId, rule.id, count],
  )
}

it('calls that nobody answers hold up their own organization alone', async () => {
  const slugs = Array.from({ length: 12 }, (_, index) => `slow-${index}`)
  for (const slug of slugs) await addRuns(slug, 6)
  const calls: string[] = []
  const answers = Promise.withResolvers<void>()
  const egress: Egress = {
    ...openEgress({}),
    open: 0,
    send: async ({ url }) => {
      calls.push(new URL(url).hostname.replace('.test', ''))
      await answers.promise
      return { ok: true, status: 200 } as Awaited<ReturnType<Egress['send']>>
    },
  }
  const runner = new RuleRunner({
    pool: worker,
    queues: { hint: () => Promise.resolve() } as unknown as Queues,
    egress,
    logger: createLogger('worker', 'silent'),
    pollMs: 50,
  })
  await waitFor(() => calls.length >= 48, { timeoutMs: 25_000, message: 'all to be called' })
  await addRuns('late', 1)
  await waitFor(() => calls.includes('late'), { timeoutMs: 25_000, message: 'the late one to be called' })
  for (const slug of slugs) expect(calls.filter((one) => one === slug).length).toBe(4)
  answers.resolve()
  await waitFor(() => calls.length === 73, { timeoutMs: 25_000, message: 'what waited to be called' })
  await runner.close()
}, 60_000)
