/**
 * Automation rules as customers use them: the API, workers, what a gateway does to rows, and a receiver that stands for Slack. The
 * cases share these, which are costly to start, so it is one file.
 */
import type { AutomationRule, DryRun, RuleRun, Tunnel } from '@culvert/contracts'
import {
  claimRun,
  createApiKey,
  doStep,
  openPool,
  relayEvents,
  ruleConsumer,
  RunLostError,
  type Pool,
} from '@culvert/db'
import { openEgress } from '@culvert/egress'
import { stepsOf } from '@culvert/lifecycle'
import { waitFor } from '@culvert/testkit'
import { runWorker, type RunningWorker } from '@culvert/worker'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  newConcentrator,
  newDevice,
  newGateway,
  openHarness,
  setAttached,
  type FakeGateway,
  type Harness,
} from '../../apps/api/src/testing/harness.ts'

const egress = openEgress({ allowHttp: true, allowedPrefixes: ['127.0.0.0/8'], ports: [{ from: 1, to: 65_535 }] })
const always = {
  timeZone: 'UTC',
  windows: [
    { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const, from: '00:00', to: '00:00' },
    { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const, from: '12:00', to: '12:00' },
  ],
}

let harness: Harness
let worker: RunningWorker
let gateway: FakeGateway
let slack: Receiver
let workerPool: Pool

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'), { egress })
  await newConcentrator(harness.pool, 'con-1', 1)
  gateway = await newGateway(harness, 'gw-1')
  slack = await startReceiver()
  workerPool = openPool(harness.databaseUrl, { role: 'culvert_worker' })
  worker = startWorker()
})
afterAll(async () => {
  await worker.close()
  await gateway.close()
  await slack.close()
  await workerPool.end()
  await harness.close()
})
afterEach(async () => {
  // Nobody beats for them, and on a busy machine they would be silent for too long.
  await harness.pool.query('UPDATE gateways SET heartbeat_at = now()')
  await harness.pool.query('DELETE FROM automation_rules')
  slack.taken.length = 0
  slack.answer = () => 200
})

describe('when device X comes online, open port 22 for the night shift and tell Slack', () => {
  it('opens one tunnel until the shift ends, and tells where it is', async () => {
    const deviceId = await newDevice(harness.call)
    await harness.call('PATCH', `/v1/devices/${deviceId}`, { body: { name: 'Pump <7>' } })
    const rule = await newRule({
      name: 'Night shift',
      on: { eventTypes: ['device.online'], deviceIds: [deviceId] },
      during: always,
      actions: [
        { kind: 'open_tunnel', ports: [22], allowFrom: ['203.0.113.0/24'] },
        { kind: 'call_webhook', url: slack.url, text: '{{device.name}} is online. {{tunnels}}' },
      ],
    })
    await setAttached(harness.pool, 'con-1', await newDevice(harness.call), 'attached')
    await setAttached(harness.pool, 'con-1', deviceId, 'attached')
    const [run] = await finished(rule.id, 1)
    expect(run).toMatchObject({
      state: 'succeeded',
      deviceId,
      depth: 0,
      event: { type: 'device.online', resourceId: deviceId },
      steps: [
        { kind: 'open_tunnel', port: 22, state: 'done' },
        { kind: 'call_webhook', state: 'done', detail: 'Answered 200.' },
      ],
    })
    const [tunnel] = await tunnelsOf(deviceId)
    expect(tunnel).toMatchObject({
      id: run?.steps[0]?.tunnelId,
      state: 'open',
      devicePort: 22,
      allowFrom: ['203.0.113.0/24'],
      openedBy: rule.maker,
    })
    expect(tunnel?.ttlSec).toBeGreaterThan(12 * 3_600 - 60)
    expect(tunnel?.ttlSec).toBeLessThanOrEqual(24 * 3_600)
    expect(slack.taken).toHaveLength(1)
    expect(slack.taken[0]?.body).toEqual({
      text: `Pump &lt;7&gt; is online. gw-1.test:${tunnel?.port} leads to port 22`,
    })
    expect(slack.taken[0]?.headers['idempotency-key']).toBe(`${run?.id}-1`)
    expect(await eventsOf(rule.id)).toEqual(['rule.created', 'rule.ran'])
    const audit = await harness.call<{ data: object[] }>('GET', `/v1/audit-log?targetId=${tunnel?.id}`)
    expect(audit.body.data).toMatchObject([
      { action: 'tunnel.opened', actor: { id: rule.maker.id, requestId: run?.id } },
    ])
  })

  it('does nothing outside of its hours, and a dry run says what it would have done', async () => {
    const deviceId = await newDevice(harness.call)
    const day = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][(new Date().getUTCDay() + 3) % 7]
    const body = {
      name: 'Another day',
      on: { eventTypes: ['device.*'], deviceIds: [deviceId] },
      during: { timeZone: 'UTC', windows: [{ days: [day], from: '00:00', to: '00:00' }] },
      actions: [{ kind: 'open_tunnel', ports: [22, 443], allowFrom: ['0.0.0.0/0'], ttlSec: 60 }],
    }
    const rule = await newRule(body)
    const online = { ...body.on, eventTypes: ['device.online'] }
    const seen = await newRule({ ...body, on: online, during: null, actions: [{ kind: 'tag_device', tags: ['seen'] }] })
    await setAttached(harness.pool, 'con-1', deviceId, 'attached')
    await finished(seen.id, 1)
    expect(await runsOf(rule.id)).toEqual([])
    const dry = await harness.call<DryRun>('POST', `/v1/automation-rules/${rule.id}/dry-run`)
    expect(dry.body).toMatchObject({ complete: true, runs: [] })
    expect(dry.body.events).toBeGreaterThan(0)
    const draft = await harness.call<DryRun>('POST', '/v1/automation-rules/dry-run', {
      body: { ...body, during: null, on: online },
    })
    expect(draft.body.runs).toMatchObject([
      {
        deviceId,
        event: { type: 'device.online' },
        steps: [
          { kind: 'open_tunnel', port: 22, ttlSec: 60 },
          { kind: 'open_tunnel', port: 443, ttlSec: 60 },
        ],
      },
    ])
    expect(await tunnelsOf(deviceId)).toEqual([])
  })
})

describe('a run', () => {
  it('is one for each event and opens one tunnel, with several workers and one that was killed', async () => {
    const rule = await newRule(opening(22))
    await worker.close()
    const devices = await Promise.all(Array.from({ length: 6 }, () => newDevice(harness.call)))
    const relaying = startWorker()
    for (const deviceId of devices) await setAttached(harness.pool, 'con-1', deviceId, 'attached')
    await waitFor(async () => (await runsOf(rule.id)).length === devices.length, { message: 'runs' })
    await relaying.close()
    // Taken by a worker that is killed then: whatever it does later, the run is not its own any more.
    await harness.pool.query(
      `UPDATE rule_runs SET state = 'pending', steps = '[]', finished_at = NULL, next_at = now() - interval '1 ms' WHERE rule_id = $1`,
      [rule.id],
    )
    await harness.pool.query(`DELETE FROM tunnels`)
    const killed = await claimRun(workerPool)
    if (killed === null || killed === 'over') throw new Error('no run was taken')
    await harness.pool.query(`UPDATE rule_runs SET next_at = now() - interval '1 ms' WHERE id = $1`, [killed.id])
    const others = [startWorker(), startWorker()]
    worker = startWorker()
    await finished(rule.id, devices.length)
    const [action] = killed.plan.actions
    const [step] = stepsOf(killed.plan.actions)
    if (!action || !step) throw new Error('the run has no step')
    const order = { step, action, ttlSec: 60, judge: () => 'any' as const }
    await expect(doStep(workerPool, killed, order)).rejects.toThrow(RunLostError)
    for (const deviceId of devices) expect(await tunnelsOf(deviceId)).toHaveLength(1)
    for (const other of others) await other.close()
  })

  it('calls again what failed, and at last tells that it failed; other steps are not done again', async () => {
    slack.answer = () => 503
    const rule = await newRule({
      ...opening(22),
      actions: [...opening(22).actions, { kind: 'call_webhook', url: slack.url, format: 'event' }],
    })
    const deviceId = await online()
    for (let calls = 1; calls <= 4; calls++) {
      await waitFor(async () => slack.taken.length === calls && (await attemptsOf(rule.id)) === calls, {
        message: `call ${calls}`,
      })
      await harness.pool.query(
        `UPDATE rule_runs SET next_at = now() - interval '1 ms' WHERE rule_id = $1 AND state = 'pending'`,
        [rule.id],
      )
    }
    const [run] = await finished(rule.id, 1)
    expect(run).toMatchObject({ state: 'failed', steps: [{ state: 'done' }, { state: 'failed', code: 'refused' }] })
    expect(new Set(slack.taken.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
    expect(slack.taken[0]?.body).toMatchObject({ type: 'device.online', resourceId: deviceId })
    expect(await tunnelsOf(deviceId)).toHaveLength(1)
  })

  it('tags, untags, closes tunnels and revokes', async () => {
    const deviceId = await online()
    await harness.call('PATCH', `/v1/devices/${deviceId}`, { body: { tags: ['suspect', 'old'] } })
    await harness.call('POST', `/v1/devices/${deviceId}/credentials`, { body: {} })
    for (const port of [22, 80]) await harness.call('POST', '/v1/tunnels', { body: { deviceId, port } })
    const rule = await newRule({
      name: 'Lock',
      on: { eventTypes: ['device.offline'], deviceTags: ['suspect'] },
      actions: [
        { kind: 'close_tunnels', ports: [22] },
        { kind: 'untag_device', tags: ['old'] },
        { kind: 'tag_device', tags: ['locked'] },
        { kind: 'revoke_credentials' },
      ],
    })
    await setAttached(harness.pool, 'con-1', deviceId, 'detached')
    const [run] = await finished(rule.id, 1)
    expect(run).toMatchObject({ state: 'succeeded', steps: [{ detail: '1 closed' }, {}, {}, { detail: '1 revoked' }] })
    const device = await harness.call<{ tags: string[] }>('GET', `/v1/devices/${deviceId}`)
    expect(device.body.tags).toEqual(['suspect', 'locked'])
    const states = (await tunnelsOf(deviceId)).map(({ devicePort, reason }) => [devicePort, reason])
    expect(new Map(states as [number, string][])).toEqual(
      new Map([
        [22, 'requested'],
        [80, 'credential_revoked'],
      ]),
    )
  })
})

describe('the end of a run', () => {
  it('is delivered to an endpoint of webhooks that the rule names, whatever types that takes, once', async () => {
    const [named, other] = [await newEndpoint(['tunnel.opened']), await newEndpoint(['tunnel.opened'])]
    const both = await newEndpoint(['rule.ran'])
    const deliver = (endpointId: string) => ({ kind: 'deliver_webhook', endpointId })
    const rule = await newRule({ ...opening(22), actions: [deliver(named), deliver(both), ...opening(22).actions] })
    await online()
    const [run] = await finished(rule.id, 1)
    expect(run).toMatchObject({ state: 'succeeded', steps: [{ kind: 'deliver_webhook', state: 'done' }, {}, {}] })
    await waitFor(async () => (await deliveriesTo(both)).length > 0, { message: 'the relay' })
    const { rows } = await harness.pool.query(`SELECT id FROM events WHERE resource_id = $1 AND type = 'rule.ran'`, [
      rule.id,
    ])
    for (const endpoint of [named, both])
      expect((await deliveriesTo(endpoint)).filter(({ type }) => type === 'rule.ran')).toEqual([
        { type: 'rule.ran', event: rows[0].id },
      ])
    expect((await deliveriesTo(other)).map(({ type }) => type)).not.toContain('rule.ran')
  })

  it('is delivered nowhere when the endpoint is gone, and the step says so; one that there is not is refused', async () => {
    const endpoint = await newEndpoint([])
    const actions = [{ kind: 'deliver_webhook', endpointId: endpoint }]
    const rule = await newRule({ ...opening(22), actions })
    await harness.call('DELETE', `/v1/webhook-endpoints/${endpoint}`)
    await online()
    const [run] = await finished(rule.id, 1)
    expect(run).toMatchObject({ state: 'failed', steps: [{ state: 'failed', code: 'not_found' }] })
    const body = { ...opening(22), actions }
    const refused = await harness.call<object>('POST', '/v1/automation-rules', { body })
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ pointer: '/actions/0/endpointId' }] } })
    expect((await harness.call('PATCH', `/v1/automation-rules/${rule.id}`, { body: { actions } })).status).toBe(400)
  })

  async function newEndpoint(eventTypes: string[]): Promise<string> {
    const body = { name: 'endpoint', url: 'https://hooks.example.com/culvert', eventTypes }
    const made = await harness.call<{ id: string }>('POST', '/v1/webhook-endpoints', { body })
    expect(made.status).toBe(201)
    return made.body.id
  }

  async function deliveriesTo(endpoint: string): Promise<{ type: string; event: string }[]> {
    const { rows } = await harness.pool.query<{ type: string; event: string }>(
      'SELECT event_type AS type, event_id AS event FROM webhook_deliveries WHERE endpoint_id = $1',
      [endpoint],
    )
    return rows
  }
})

describe('a rule that is deleted', () => {
  it('changes nothing any more: a step that was begun commits before, or does nothing', async () => {
    const rule = await newRule(opening(22))
    await worker.close()
    try {
      const deviceId = await online()
      while ((await relayEvents(harness.pool, [ruleConsumer])).relayed > 0);
      const run = await claimRun(workerPool)
      if (run === null || run === 'over') throw new Error('no run was taken')
      const [action] = run.plan.actions
      const [step] = stepsOf(run.plan.actions)
      if (!action || !step) throw new Error('the run has no step')
      // The step waits in the middle, for the device, and the deletion for the step.
      const blocker = await harness.pool.connect()
      await blocker.query('BEGIN')
      await blocker.query('SELECT 1 FROM devices WHERE id = $1 FOR UPDATE', [deviceId])
      const done = doStep(workerPool, run, { step, action, ttlSec: 60, judge: () => 'any' })
      await waitingForLocks(1)
      const deleted = harness.call('DELETE', `/v1/automation-rules/${rule.id}`)
      try {
        await waitingForLocks(2)
      } finally {
        await blocker.query('COMMIT')
        blocker.release()
      }
      await done
      expect((await deleted).status).toBe(204)
      const { rows } = await harness.pool.query(
        `SELECT (SELECT created_at FROM tunnels WHERE device_id = $1) <= (SELECT deleted_at FROM automation_rules WHERE id = $2) AS before`,
        [deviceId, rule.id],
      )
      expect(rows).toEqual([{ before: true }])
      const late = doStep(workerPool, run, { step, action, ttlSec: 60, judge: () => 'any' })
      await expect(late).rejects.toThrow(RunLostError)
      expect(await tunnelsOf(deviceId)).toHaveLength(1)
    } finally {
      worker = startWorker()
    }
  })

  const waitingForLocks = (count: number) =>
    waitFor(
      async () => {
        const { rows } = await harness.pool.query<{ count: number }>(
          `SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        )
        return rows[0]?.count === count
      },
      { message: `${count} to wait for a lock` },
    )
})

describe('a rule is held back', () => {
  it('by its limit', async () => {
    const rule = await newRule({ ...opening(22), maxRunsPerHour: 1 })
    await online()
    await finished(rule.id, 1)
    const second = await online()
    const runs = await finished(rule.id, 2)
    expect(runs.map(({ state, reason }) => [state, reason])).toEqual([
      ['skipped', 'rate_limited'],
      ['succeeded', null],
    ])
    expect(await tunnelsOf(second)).toEqual([])
  })

  it('when rules answer to each other', async () => {
    const deviceId = await newDevice(harness.call)
    const on = { eventTypes: ['device.updated'], deviceIds: [deviceId] }
    const ping = await newRule({ name: 'ping', on, actions: [{ kind: 'tag_device', tags: ['x'] }] })
    const pong = await newRule({ name: 'pong', on, actions: [{ kind: 'untag_device', tags: ['x'] }] })
    await harness.call('PATCH', `/v1/devices/${deviceId}`, { body: { name: 'begin' } })
    const isOver = async (): Promise<boolean> => {
      const runs = [...(await runsOf(ping.id)), ...(await runsOf(pong.id))]
      return runs.some(({ reason }) => reason === 'loop') && runs.every(({ state }) => state !== 'pending')
    }
    await waitFor(isOver, { message: 'the loop to end' })
    const runs = [...(await runsOf(ping.id)), ...(await runsOf(pong.id))]
    expect(Math.max(...runs.map(({ depth }) => depth))).toBe(3)
    for (const { depth, state, reason } of runs)
      expect([state, reason]).toEqual(depth === 3 ? ['skipped', 'loop'] : ['succeeded', null])
    // Two rules, each an event for both: 2 + 4 + 8 + 16 at most.
    expect(runs.length).toBeLessThanOrEqual(30)
  })

  it('when it fails again and again', async () => {
    const rule = await newRule({ ...opening(22), on: { eventTypes: ['device.offline'] } })
    await harness.pool.query('UPDATE automation_rules SET failures = 9 WHERE id = $1', [rule.id])
    const deviceId = await online()
    await setAttached(harness.pool, 'con-1', deviceId, 'detached')
    const [run] = await finished(rule.id, 1)
    expect(run?.steps).toMatchObject([{ state: 'failed', code: 'device_offline' }])
    expect(await readRule(rule.id)).toMatchObject({ enabled: false, disabledReason: 'failures', failures: 10 })
    expect(await eventsOf(rule.id)).toEqual(['rule.created', 'rule.ran', 'rule.disabled'])
    const again = await harness.call('PATCH', `/v1/automation-rules/${rule.id}`, { body: { enabled: true } })
    expect(again.body).toMatchObject({ enabled: true, disabledReason: null, failures: 0 })
  })
})

describe('the rights of a rule', () => {
  const newKey = (scopes: readonly string[]) =>
    createApiKey(harness.pool, { organizationId: harness.organization.id, name: 'maker', scopes })

  it('to deliver to an endpoint are those to change it and to read events, when it is made and when it runs', async () => {
    const endpoint = await harness.call<{ id: string }>('POST', '/v1/webhook-endpoints', {
      body: { name: 'endpoint', url: 'https://hooks.example.com/culvert', eventTypes: ['tunnel.opened'] },
    })
    const actions = [{ kind: 'deliver_webhook', endpointId: endpoint.body.id }]
    const body = { ...opening(22), actions }
    for (const missing of ['webhooks:write', 'events:read']) {
      const scopes = ['rules:read', 'rules:write', 'webhooks:write', 'events:read'].filter((one) => one !== missing)
      const refused = await harness.call('POST', '/v1/automation-rules', { body, key: (await newKey(scopes)).key })
      expect([missing, refused.status]).toEqual([missing, 403])
    }
    const { id, key } = await newKey(['rules:read', 'rules:write', 'webhooks:write', 'events:read'])
    const rule = await newRule(body, key)
    await harness.pool.query('UPDATE api_keys SET scopes = $2 WHERE id = $1', [id, ['rules:read', 'rules:write']])
    await online()
    const [run] = await finished(rule.id, 1)
    expect(run).toMatchObject({ state: 'failed', reason: 'permission_missing', steps: [] })
    // Others may hear of the rule itself; this endpoint hears of tunnels, so all it could get is from the rule.
    const deliveries = 'SELECT event_type FROM webhook_deliveries WHERE endpoint_id = $1'
    expect((await harness.pool.query(deliveries, [endpoint.body.id])).rows).toEqual([])
  })

  it('end with the key that made it: it stops and says so', async () => {
    const { id, key } = await newKey(['rules:read', 'rules:write', 'tunnels:write'])
    const rule = await newRule(opening(22), key)
    expect(rule.maker).toEqual({ kind: 'api_key', id: `key_${id}` })
    await harness.call('DELETE', `/v1/api-keys/key_${id}`)
    const deviceId = await online()
    const [run] = await finished(rule.id, 1)
    expect(run).toMatchObject({ state: 'failed', reason: 'maker_gone', steps: [] })
    expect(await tunnelsOf(deviceId)).toEqual([])
    expect(await readRule(rule.id)).toMatchObject({ enabled: false, disabledReason: 'maker_gone' })
    expect(await eventsOf(rule.id)).toEqual(['rule.created', 'rule.ran', 'rule.disabled'])
  })

  it('end with the membership, and go as far as the role', async () => {
    const userId = `usr_${'a'.repeat(20)}`
    const memberId = `mem_${'a'.repeat(20)}`
    const { id: organizationId } = harness.organization
    await harness.pool.query(`INSERT INTO users (id, issuer, subject, email) VALUES ($1, 'i', 's', 'a@b.c')`, [userId])
    await harness.pool.query(
      `INSERT INTO memberships (id, organization_id, user_id, email, role) VALUES ($1, $2, $3, 'a@b.c', 'viewer')`,
      [memberId, organizationId, userId],
    )
    const rule = await newRule({ ...opening(22), actions: [{ kind: 'tag_device', tags: ['x'] }] })
    const by = `UPDATE automation_rules SET maker_kind = 'user', maker_id = $2, enabled = true, disabled_reason = NULL WHERE id = $1`
    await harness.pool.query(by, [rule.id, userId])
    await online()
    await finished(rule.id, 1)
    expect(await readRule(rule.id)).toMatchObject({ disabledReason: 'permission_missing' })
    await harness.pool.query(`UPDATE memberships SET role = 'operator' WHERE id = $1`, [memberId])
    await harness.pool.query(by, [rule.id, userId])
    await online()
    expect((await finished(rule.id, 2))[0]).toMatchObject({ state: 'succeeded' })
    await harness.pool.query('DELETE FROM memberships WHERE id = $1', [memberId])
    await online()
    expect((await finished(rule.id, 3))[0]).toMatchObject({ state: 'failed', reason: 'maker_gone' })
  })

  it('are those of its grants when its maker may open only what is granted', async () => {
    const { id, key } = await newKey(['rules:read', 'rules:write', 'tunnels:open_granted'])
    const rule = await newRule({ ...opening(22), on: { eventTypes: ['device.online'] } }, key)
    const stranger = await online()
    expect((await finished(rule.id, 1))[0]?.steps).toMatchObject([{ code: 'not_granted' }])
    const granted = await newDevice(harness.call)
    await harness.call('PATCH', `/v1/devices/${granted}`, { body: { tags: ['granted'] } })
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
    await harness.call('POST', '/v1/grants', {
      body: { name: 'g', apiKeyId: `key_${id}`, allTags: ['granted'], ports: [22], expiresAt },
    })
    await setAttached(harness.pool, 'con-1', granted, 'attached')
    await finished(rule.id, 2)
    expect(await tunnelsOf(stranger)).toEqual([])
    expect((await tunnelsOf(granted))[0]?.grantId).toMatch(/^grt_/)
  })

  it('do not let it put a tag of a grant of its maker on a device', async () => {
    const { id, key } = await newKey(['rules:read', 'rules:write', 'devices:write', 'tunnels:open_granted'])
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
    await harness.call('POST', '/v1/grants', {
      body: { name: 'g', apiKeyId: `key_${id}`, allTags: ['mine'], ports: null, expiresAt },
    })
    const rule = await newRule({ ...opening(22), actions: [{ kind: 'tag_device', tags: ['mine'] }] }, key)
    const deviceId = await online()
    expect((await finished(rule.id, 1))[0]?.steps).toMatchObject([{ state: 'failed', code: 'not_granted' }])
    const device = await harness.call<{ tags: string[] }>('GET', `/v1/devices/${deviceId}`)
    expect(device.body.tags).toEqual([])
  })

  it('are asked for when it is made or changed: nobody lets a rule do what it may not', async () => {
    const { key } = await newKey(['rules:read', 'rules:write', 'devices:write', 'events:read'])
    const body = opening(22)
    for (const url of ['/v1/automation-rules', '/v1/automation-rules/dry-run'])
      expect((await harness.call('POST', url, { key, body })).status).toBe(403)
    const rule = await newRule(body)
    const changed = await harness.call('PATCH', `/v1/automation-rules/${rule.id}`, { key, body: { name: 'mine' } })
    expect(changed.status).toBe(403)
    const tagging = { ...body, actions: [{ kind: 'tag_device', tags: ['x'] }] }
    expect((await harness.call('POST', '/v1/automation-rules', { key, body: tagging })).status).toBe(201)
  })

  it('include events:read for a rule that calls a URL: when it is made or changed, and when it runs', async () => {
    const { id, key } = await newKey(['rules:read', 'rules:write', 'devices:write'])
    const actions = [{ kind: 'call_webhook', url: slack.url, format: 'event' }]
    const body = { ...opening(22), actions }
    const made = await harness.call('POST', '/v1/automation-rules', { key, body })
    expect(made.status).toBe(403)
    expect(made.body).toMatchObject({ code: 'forbidden', detail: expect.stringContaining('`events:read`') })
    const rule = await newRule({ ...body, actions: [{ kind: 'tag_device', tags: ['x'] }] }, key)
    const url = `/v1/automation-rules/${rule.id}`
    expect((await harness.call('PATCH', url, { key, body: { actions } })).status).toBe(403)
    const { key: reader } = await newKey(['rules:write', 'events:read'])
    expect((await harness.call('POST', '/v1/automation-rules', { key: reader, body })).status).toBe(201)
    await harness.call('PATCH', url, { body: { actions } })
    await harness.pool.query('UPDATE automation_rules SET maker_kind = $2, maker_id = $3 WHERE id = $1', [
      rule.id,
      'api_key',
      `key_${id}`,
    ])
    await harness.pool.query('DELETE FROM automation_rules WHERE id <> $1', [rule.id])
    await online()
    await finished(rule.id, 1)
    expect(await readRule(rule.id)).toMatchObject({ disabledReason: 'permission_missing' })
    expect(slack.taken).toEqual([])
  })
})

describe('what is written of a rule', () => {
  it.each([
    ['a type of event that is none', { on: { eventTypes: ['device.exploded'] } }],
    ['events of rules', { on: { eventTypes: ['rule.*'] } }],
    ['a time zone that is none', { during: { ...always, timeZone: 'Europe/Atlantis' } }],
    ['a tunnel without end', { actions: [{ kind: 'open_tunnel', ports: [22], allowFrom: ['0.0.0.0/0'] }] }],
    ['a URL of the inside', { actions: [{ kind: 'call_webhook', url: 'http://169.254.169.254/latest' }] }],
    [
      'a name that stands for nothing',
      { actions: [{ kind: 'call_webhook', url: 'https://a.test/', text: '{{env}}' }] },
    ],
  ])('is refused for %s', async (_, change) => {
    const answer = await harness.call('POST', '/v1/automation-rules', { body: { ...opening(22), ...change } })
    expect([answer.status, answer.body['code']]).toEqual([400, 'validation_failed'])
  })

  it('holds no secret of a URL', async () => {
    const url = 'https://hooks.example.com/services/T0/B0/very-secret'
    const actions = [{ kind: 'call_webhook', url }]
    const rule = await newRule({ ...opening(22), actions })
    expect(rule.actions).toMatchObject([{ url: 'https://hooks.example.com/…' }])
    await harness.call('PATCH', `/v1/automation-rules/${rule.id}`, { body: { actions: [...actions, ...actions] } })
    const { rows } = await harness.pool.query<{ text: string }>(
      `SELECT string_agg(entry, '') || (SELECT string_agg(data::text, '') FROM events) AS text FROM audit_log`,
    )
    expect(rows[0]?.text).toContain('hooks.example.com')
    expect(rows[0]?.text).not.toContain('very-secret')
  })
})

function startWorker(): RunningWorker {
  return runWorker({ databaseUrl: harness.databaseUrl, sweepIntervalMs: 100, egress })
}

const opening = (port: number) => ({
  name: `Open ${port}`,
  on: { eventTypes: ['device.online'] },
  actions: [{ kind: 'open_tunnel', ports: [port], allowFrom: ['0.0.0.0/0'], ttlSec: 60 } as object],
})

async function newRule(body: object, key?: string): Promise<AutomationRule> {
  const answer = await harness.call<AutomationRule>('POST', '/v1/automation-rules', {
    body,
    ...(key === undefined ? {} : { key }),
  })
  if (answer.status !== 201) throw new Error(`the rule was refused: ${answer.text}`)
  return answer.body
}

async function readRule(id: string): Promise<AutomationRule> {
  return (await harness.call<AutomationRule>('GET', `/v1/automation-rules/${id}`)).body
}

/** @returns the id of a device that has just come online */
async function online(): Promise<string> {
  const deviceId = await newDevice(harness.call)
  await setAttached(harness.pool, 'con-1', deviceId, 'attached')
  return deviceId
}

async function runsOf(ruleId: string): Promise<RuleRun[]> {
  return (await harness.call<{ data: RuleRun[] }>('GET', `/v1/automation-rules/${ruleId}/runs`)).body.data
}

/** Newest first. */
async function finished(ruleId: string, count: number): Promise<RuleRun[]> {
  let runs: RuleRun[] = []
  const isDone = async (): Promise<boolean> => {
    runs = await runsOf(ruleId)
    return runs.length >= count && runs.every(({ state }) => state !== 'pending')
  }
  await waitFor(isDone, { timeoutMs: 20_000, message: `${count} runs` })
  return runs
}

async function attemptsOf(ruleId: string): Promise<number | undefined> {
  const { rows } = await harness.pool.query<{ attempts: number }>('SELECT attempts FROM rule_runs WHERE rule_id = $1', [
    ruleId,
  ])
  return rows[0]?.attempts
}

async function tunnelsOf(deviceId: string): Promise<Tunnel[]> {
  return (await harness.call<{ data: Tunnel[] }>('GET', `/v1/tunnels?deviceId=${deviceId}`)).body.data
}

async function eventsOf(resourceId: string): Promise<string[]> {
  const { rows } = await harness.pool.query<{ type: string }>(
    'SELECT type FROM events WHERE resource_id = $1 ORDER BY sequence',
    [resourceId],
  )
  return rows.map(({ type }) => type)
}

interface Receiver {
  readonly url: string
  readonly taken: { headers: http.IncomingHttpHeaders; body: unknown }[]
  answer: () => number
  close(): Promise<void>
}

async function startReceiver(): Promise<Receiver> {
  const taken: Receiver['taken'] = []
  const server = http.createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      taken.push({ headers: request.headers, body: JSON.parse(Buffer.concat(parts).toString()) })
      response.writeHead(receiver.answer()).end()
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/T0/B0/secret`,
    taken,
    answer: () => 200,
    close: () => new Promise((done) => void server.close(() => done())),
  }
  return receiver
}
