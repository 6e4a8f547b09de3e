/**
 * A run of a rule is a job whose truth is a row: taken twice, forged or beyond help, it does each step once, for its own organization
 * alone, and keeps no other from running.
 */
import { createDatabase } from '@culvert/testkit'
import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest'
import {
  addRule,
  claimRun,
  createApiKey,
  createDevice,
  doStep,
  ensureOrganization,
  findDevice,
  finishRun,
  openPool,
  readRunFacts,
  recordCall,
  RunLostError,
  systemAuthor,
  type Pool,
  type RuleRecord,
  type RunClaim,
} from '../index.ts'

let pool: Pool
/** The role that the worker has. */
let worker: Pool
let [acme, umbrella] = ['', '']
const by = { by: systemAuthor('test') }
let devices = 0

beforeAll(async () => {
  const url = await createDatabase(inject('databaseUrl'))
  pool = openPool(url)
  worker = openPool(url, { role: 'culvert_worker' })
  acme = (await ensureOrganization(pool, { name: 'Acme', slug: 'acme' })).id
  umbrella = (await ensureOrganization(pool, { name: 'Umbrella', slug: 'umbrella' })).id
})
afterAll(() => Promise.all([pool.end(), worker.end()]))
beforeEach(() => pool.query('DELETE FROM automation_rules'))

async function newDevice(organizationId: string): Promise<string> {
  const device = await createDevice(
    pool,
    {
      organizationId,
      zone: 'fleet.test',
      iccid: `8949000000000000${String(++devices).padStart(3, '0')}`,
      imsi: null,
      imei: null,
      eid: null,
      name: `of ${organizationId}`,
      tags: [],
      tunnelable: true,
      lanPrefixes: [],
      proposalTiers: null,
    },
    by,
  )
  if (typeof device === 'string') throw new Error(device)
  return device.id
}

/** Tags the device. */
async function newRule(organizationId: string): Promise<RuleRecord> {
  const key = await createApiKey(pool, { organizationId, name: 'maker' })
  const rule = await addRule(
    pool,
    organizationId,
    {
      name: 'A rule',
      enabled: true,
      eventTypes: ['device.online'],
      deviceIds: [],
      deviceTags: [],
      networkIds: [],
      during: null,
      actions: [{ kind: 'tag_device', tags: ['seen'] }],
      maxRunsPerHour: 100,
    },
    { makerKind: 'api_key', makerId: `key_${key.id}` },
    by,
  )
  if (rule === 'rule_limit') throw new Error('too many rules')
  return rule
}

const addRun = (organizationId: string, ruleId: string, deviceId: string) =>
  pool.query(
    `INSERT INTO rule_runs (id, organization_id, rule_id, event_id, event, device_id, depth)
     VALUES ('run_' || gen_random_uuid(), $1, $2, gen_random_uuid(), '{"data": {}}', $3, 0)`,
    [organizationId, ruleId, deviceId],
  )

async function claimed(): Promise<RunClaim> {
  const run = await claimRun(worker)
  if (run === null || run === 'over') throw new Error('no run was taken')
  return run
}

const tag = (run: RunClaim) =>
  doStep(worker, run, {
    step: { action: 0, kind: 'tag_device', port: null },
    action: { kind: 'tag_device', tags: ['seen'] },
    ttlSec: null,
    judge: () => 'any',
  })

it('A07 a run that stalled and is taken again does its step once: whoever had it before does nothing any more', async () => {
  const device = await newDevice(acme)
  await addRun(acme, (await newRule(acme)).id, device)
  const stalled = await claimed()
  expect(await claimRun(worker)).toBeNull()
  await pool.query(`UPDATE rule_runs SET next_at = now() - interval '1 ms'`) // its lease has run out
  const again = await claimed()
  expect(again.id).toBe(stalled.id)
  const [late, done] = await Promise.allSettled([tag(stalled), tag(again)])
  expect(late).toMatchObject({ status: 'rejected', reason: expect.any(RunLostError) })
  expect(done).toMatchObject({ status: 'fulfilled', value: { run: { steps: [{ state: 'done' }] } } })
  const result = {
    action: 0,
    kind: 'call_webhook',
    port: null,
    state: 'done',
    code: null,
    detail: null,
    tunnelId: null,
  } as const
  await expect(recordCall(worker, stalled, result)).rejects.toThrow(RunLostError)
  await expect(finishRun(worker, stalled, { stop: null, maxFailures: 10 })).rejects.toThrow(RunLostError)
  const { rows } = await pool.query(`SELECT 1 FROM events WHERE resource_id = $1 AND type = 'device.updated'`, [device])
  expect(rows).toHaveLength(1)
})

it('A07 a run that names a device of another organization neither changes it nor learns of it', async () => {
  const foreign = await newDevice(umbrella)
  await addRun(acme, (await newRule(acme)).id, foreign)
  const run = await claimed()
  expect(await readRunFacts(worker, run)).toEqual({ deviceName: null, tunnels: [] })
  expect(await tag(run)).toMatchObject({ run: { steps: [{ detail: 'Nothing to change.' }] } })
  expect(await findDevice(pool, umbrella, foreign)).toMatchObject({ tags: [], version: 1 })
})

it('A07 a run of one organization for a rule of another cannot be there, and one whose claim says so is lost', async () => {
  const rule = await newRule(acme)
  const device = await newDevice(umbrella)
  await expect(addRun(umbrella, rule.id, device)).rejects.toThrow(/foreign key/)
  await addRun(acme, rule.id, device)
  const run = await claimed()
  await expect(tag({ ...run, organizationId: umbrella })).rejects.toThrow(RunLostError)
  expect(await findDevice(pool, umbrella, device)).toMatchObject({ tags: [] })
})

it('A07 a run that ends every worker that takes it (poison) is given up, and others run', async () => {
  const [poisoned, well] = [await newRule(acme), await newRule(acme)]
  const device = await newDevice(acme)
  await addRun(acme, poisoned.id, device)
  await pool.query('UPDATE rule_runs SET claim = 100')
  await addRun(acme, well.id, device)
  const first = await claimRun(worker)
  const run = first === 'over' ? await claimed() : first
  if (first !== 'over') expect(await claimRun(worker)).toBe('over')
  expect(run).toMatchObject({ rule: { id: well.id } })
  const { rows } = await pool.query('SELECT state, reason FROM rule_runs WHERE rule_id = $1', [poisoned.id])
  expect(rows).toEqual([{ state: 'failed', reason: 'internal_error' }])
})
