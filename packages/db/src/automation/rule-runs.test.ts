import { createDatabase } from '@culvert/testkit'
import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import {
  addRule,
  appendEvents,
  changeRule,
  claimRun,
  deleteRule,
  ensureOrganization,
  finishRun,
  listRules,
  newId,
  openPool,
  prune,
  readRule,
  relayEvents,
  ruleConsumer,
  RunLostError,
  type RelayConsumer,
  type RuleRecord,
  type RunClaim,
} from '../index.ts'
import { skipBatch } from './rule-runs.ts'

let pool: pg.Pool
/** The role that the worker has. */
let worker: pg.Pool
let [noisy, quiet] = ['', '']
const options = { by: { kind: 'api_key', id: 'key_1', requestId: null, address: null } } as const

beforeAll(async () => {
  const url = await createDatabase(inject('databaseUrl'))
  pool = openPool(url)
  worker = openPool(url, { role: 'culvert_worker' })
  noisy = (await ensureOrganization(pool, { name: 'Noisy', slug: 'noisy' })).id
  quiet = (await ensureOrganization(pool, { name: 'Quiet', slug: 'quiet' })).id
})
afterAll(async () => {
  await Promise.all([pool.end(), worker.end()])
})
beforeEach(() => pool.query('DELETE FROM automation_rules'))

async function newRule(organizationId: string, maxRunsPerHour = 10): Promise<RuleRecord> {
  const rule = await addRule(
    pool,
    organizationId,
    {
      name: 'A rule',
      enabled: true,
      eventTypes: ['device.updated'],
      deviceIds: [],
      deviceTags: [],
      networkIds: [],
      during: null,
      actions: [{ kind: 'tag_device', tags: ['x'] }],
      maxRunsPerHour,
    },
    { makerKind: 'api_key', makerId: 'key_1' },
    options,
  )
  if (rule === 'rule_limit') throw new Error('too many rules')
  return rule
}

/** As many as wait since `age` hours. */
async function addRuns({ organizationId, id }: RuleRecord, count: number, age = 1): Promise<void> {
  await pool.query(
    `INSERT INTO rule_runs (id, organization_id, rule_id, event_id, event, depth, next_at)
     SELECT 'run_' || gen_random_uuid(), $1, $2, gen_random_uuid(), '{}', 0, now() - $4 * interval '1 hour' FROM generate_series(1, $3::int)`,
    [organizationId, id, count, age],
  )
}

async function claimed(order?: Parameters<typeof claimRun>[1]): Promise<RunClaim> {
  const run = await claimRun(worker, order)
  if (run === null || run === 'over') throw new Error('no run was taken')
  return run
}

async function states({ id }: RuleRecord): Promise<object[]> {
  const { rows } = await pool.query(
    'SELECT state, reason, count(*)::int AS count FROM rule_runs WHERE rule_id = $1 GROUP BY 1, 2 ORDER BY 1',
    [id],
  )
  return rows
}

const keyOf = ({ organizationId, id }: RuleRecord) => ({ organizationId, id, ifVersion: null })

describe('a backlog', () => {
  it('over the limit of its rule ends in batches, and runs of other rules stay', async () => {
    const [limited, other] = [await newRule(noisy, 1), await newRule(noisy)]
    await addRuns(limited, skipBatch + 11, 2)
    await addRuns(other, 2)
    expect((await claimed()).rule.id).toBe(limited.id)
    expect([await claimRun(worker), await claimRun(worker)]).toEqual(['over', 'over'])
    expect((await claimed()).rule.id).toBe(other.id)
    expect(await states(limited)).toEqual([
      { state: 'pending', reason: null, count: 1 },
      { state: 'skipped', reason: 'rate_limited', count: skipBatch + 10 },
    ])
  })

  it('of one organization does not stand before the runs of another', async () => {
    await addRuns(await newRule(noisy), 5, 2)
    await addRuns(await newRule(quiet), 2)
    expect((await claimed()).organizationId).toBe(noisy)
    expect((await claimed({ busy: [], served: [noisy] })).organizationId).toBe(quiet)
    expect((await claimed({ busy: [], served: [noisy, quiet] })).organizationId).toBe(noisy)
    expect((await claimed({ busy: [noisy], served: [quiet, noisy] })).organizationId).toBe(quiet)
    expect(await claimRun(worker, { busy: [noisy], served: [] })).toBeNull()
  })
})

describe('a run that has begun', () => {
  it('acts for who made what it does, whoever changes the rule meanwhile, and stops no rule of somebody else', async () => {
    const rule = await newRule(noisy)
    await addRuns(rule, 2)
    const begun = await claimed()
    const maker = { makerKind: 'user', makerId: 'usr_1' } as const
    const actions = [{ kind: 'untag_device', tags: ['x'] }] as const
    await changeRule(pool, keyOf(rule), { actions: [...actions] }, { maker, check: () => undefined, ...options })
    await pool.query(`UPDATE rule_runs SET next_at = now() - interval '2 hours' WHERE id = $1`, [begun.id])
    const [again, fresh] = [await claimed(), await claimed()]
    expect([again.id, again.plan.actions]).toEqual([begun.id, rule.actions])
    expect(again.rule).toMatchObject({ makerKind: 'api_key', makerId: 'key_1' })
    expect(fresh).toMatchObject({ rule: maker, plan: { actions } })
    expect(await finishRun(worker, again, { stop: 'permission_missing', maxFailures: 1 })).toBeNull()
    expect(await readRule(pool, noisy, rule.id)).toMatchObject({ enabled: true, failures: 0 })
    expect(await finishRun(worker, fresh, { stop: 'maker_gone', maxFailures: 1 })).toBe('maker_gone')
  })
})

describe('a rule that is deleted', () => {
  it('is found by nobody, does no further step, and goes with its runs by and by', async () => {
    const rule = await newRule(noisy)
    await addRuns(rule, 3)
    const atWork = await claimed()
    expect(await deleteRule(pool, keyOf(rule), options)).toBe('deleted')
    expect(await readRule(pool, noisy, rule.id)).toBeNull()
    expect((await listRules(pool, noisy, {}, { limit: 10, after: null })).rows).toEqual([])
    expect(await deleteRule(pool, keyOf(rule), options)).toBe('not_found')
    const change = { maker: rule, check: () => undefined, ...options }
    expect(await changeRule(pool, keyOf(rule), { enabled: true }, change)).toBe('not_found')
    await expect(finishRun(worker, atWork, { stop: null, maxFailures: 10 })).rejects.toThrow(RunLostError)
    await pool.query(`UPDATE rule_runs SET next_at = now() - interval '1 ms' WHERE id = $1`, [atWork.id])
    expect([await claimRun(worker), await claimRun(worker)]).toEqual(['over', null])
    expect(await states(rule)).toEqual([{ state: 'skipped', reason: 'rule_disabled', count: 3 }])
    await prune(worker)
    expect(await states(rule)).toEqual([])
    await pool.query(`UPDATE automation_rules SET deleted_at = now() - interval '2 days'`)
    await prune(worker)
    expect((await pool.query('SELECT 1 FROM automation_rules')).rowCount).toBe(0)
  })

  it('keeps no URL, which may hold a secret', async () => {
    const rule = await newRule(noisy)
    await deleteRule(pool, keyOf(rule), options)
    expect((await pool.query('SELECT actions FROM automation_rules')).rows).toEqual([{ actions: [] }])
  })

  it('or changed, or whose run ends, does not wait for the feed, nor the feed for it', async () => {
    const rule = await newRule(noisy)
    await addRuns(rule, 1)
    const run = await claimed()
    await appendEvents(pool, [
      { organizationId: noisy, type: 'device.updated', resourceId: newId('dev'), data: { changed: ['name'] } },
    ])
    const done: unknown[] = []
    const meanwhile: RelayConsumer = {
      name: 'meanwhile',
      consume: async () => {
        done.push(await finishRun(pool, run, { stop: null, maxFailures: 10 }))
        const change = { maker: rule, check: () => undefined, ...options }
        done.push(await changeRule(pool, keyOf(rule), { name: 'Another' }, change))
        done.push(await deleteRule(pool, keyOf(rule), options))
      },
    }
    expect((await relayEvents(worker, [ruleConsumer, meanwhile])).faults).toEqual([])
    expect(done).toMatchObject([null, { name: 'Another' }, 'deleted'])
    expect(await states(rule)).toMatchObject([{ state: 'pending', count: 1 }, { state: 'succeeded' }])
  })
})
