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

it.each([{ slowMs: 30 }, { slowMs: 3_600_000 }])(
  'calls that nobody answers hold up their own organization alone, however many do so ($slowMs ms)',
  async ({ slowMs }) => {
    const prefix = `slow-${slowMs}`
    const slugs = Array.from({ length: 18 }, (_, index) => `${prefix}-${index}`)
    for (const slug of slugs) await addRuns(slug, 5)
    const calls: string[] = []
    const answers = Promise.withResolvers<void>()
    const egress: Egress = {
      ...openEgress({}),
      open: 0,
      send: async ({ url }) => {
        const host = new URL(url).hostname.replace('.test', '')
        calls.push(host)
        if (host.startsWith('slow')) await answers.promise
        return { ok: true, status: 200 } as Awaited<ReturnType<Egress['send']>>
      },
    }
    const runner = new RuleRunner({
      pool: worker,
      queues: { hint: () => Promise.resolve() } as unknown as Queues,
      egress,
      logger: createLogger('worker', 'silent'),
      pollMs: 50,
      slowMs,
    })
    const patience = { timeoutMs: 25_000 }
    await waitFor(() => new Set(calls).size === slugs.length, { ...patience, message: 'each to be called' })
    for (const late of ['late', 'later'].map((one) => `${one}-${slowMs}`)) {
      await addRuns(late, 10)
      const isDone = (): boolean => calls.filter((one) => one === late).length === 10
      await waitFor(isDone, { ...patience, message: 'the late ones to be called' })
    }
    for (const slug of slugs) expect(calls.filter((one) => one === slug).length).toBeLessThanOrEqual(8)
    answers.resolve()
    await waitFor(() => calls.length === 18 * 5 + 20, { ...patience, message: 'what waited to be called' })
    await runner.close()
  },
  60_000,
)
