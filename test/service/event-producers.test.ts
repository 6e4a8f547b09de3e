/**
 * Every type of the catalogue is written by what changes the thing that it tells of, in the same transaction: where its event cannot be
 * written nothing changes at all, in no table, and where the change commits the event is there. A trigger that speaks at COMMIT stands
 * for all that can undo a transaction. One file, as the cases share what they change.
 */
import { eventTypes, isPlanned, type EventType } from '@culvert/contracts'
import {
  beatConcentrator,
  beatGateway,
  cancelOperation,
  claimOperation,
  claimRun,
  decideCertificate,
  disableEndpoint,
  expireTunnels,
  finishOperation,
  finishRun,
  markOffline,
  newId,
  readGatewayPorts,
  readHeartbeats,
  recognizePerson,
  recordCourses,
  redirectConcentrator,
  registerGateway,
  relayEvents,
  reportPorts,
  ruleConsumer,
  startOperation,
  systemAuthor,
  tellExpiringCredentials,
  tellPresence,
  tellQuotaExhausted,
  tellThresholds,
  writeAttempts,
  writeConnections,
  type GatewayLease,
  type RunClaim,
} from '@culvert/db'
import { makeRoot, toPem } from '@culvert/pki'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  newConcentrator,
  newDevice,
  newIccid,
  newSshKey,
  openHarness,
  setAttached,
  type Harness,
} from '../../apps/api/src/testing/harness.ts'

let harness: Harness
let lease: GatewayLease
let snapshotSql = ''
const seen = new Set<string>()
const by = { by: systemAuthor('test') }
/** Who logs in is noted whether an invitation is accepted or not. */
const unrelated = new Set(['users'])

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
  const { pool } = harness
  await newConcentrator(pool, 'con-1', 1)
  lease = await newLease('gw-1')
  await pool.query(`
    CREATE SCHEMA refusal;
    CREATE TABLE refusal.types (type text PRIMARY KEY);
    CREATE FUNCTION refusal.check_event() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
      BEGIN
        IF EXISTS (SELECT 1 FROM refusal.types t WHERE t.type = NEW.type) THEN RAISE EXCEPTION 'no %', NEW.type; END IF;
        RETURN NULL;
      END $$;
    CREATE CONSTRAINT TRIGGER refused AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
      EXECUTE FUNCTION refusal.check_event()`)
  const { rows } = await pool.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`,
  )
  snapshotSql = rows
    .filter(({ name }) => !unrelated.has(name))
    .map(
      ({ name }) => `SELECT '${name}' AS name, sum(hashtextextended(${rowOf(name)}, 0))::text AS rows FROM "${name}" t`,
    )
    .join(' UNION ALL ')
})
afterAll(() => harness.close())

/** Of `t`, as text. When and where a key was used last is noted now and then, by itself. */
function rowOf(table: string): string {
  return table === 'api_keys' ? `(to_jsonb(t) - 'last_used_at' - 'last_used_address')::text` : 't::text'
}

type Change = () => Promise<unknown>
/** What must be there before; @returns the change, which is made again and again until it is let through */
type Preparation = () => Promise<Change>

/** The types are written by one transaction. */
function written(types: readonly [EventType, ...EventType[]], prepare: Preparation, how = ''): void {
  it(`${types.join(', ')}${how}`, async () => {
    const change = await prepare()
    const before = await snapshot()
    for (const type of types) {
      await harness.pool.query('INSERT INTO refusal.types VALUES ($1)', [type])
      await expect(change(), `${type} was refused`).rejects.toThrow(/ answered 500|^no /)
      await harness.pool.query('DELETE FROM refusal.types')
      expect(await snapshot(), `without ${type}`).toEqual(before)
    }
    const known = await countOf(types)
    await change()
    expect(await snapshot()).not.toEqual(before)
    const now = await countOf(types)
    for (const type of types) {
      expect([type, (now.get(type) ?? 0) > (known.get(type) ?? 0)]).toEqual([type, true])
      seen.add(type)
    }
  })
}

describe('devices', () => {
  written(['device.created'], async () => {
    const body = { iccid: newIccid() }
    return () => call('POST', '/v1/devices', body)
  })
  written(['device.updated'], async () => {
    const id = await device()
    return () => call('PATCH', `/v1/devices/${id}`, { name: 'changed' })
  })
  written(['device.deleted', 'credential.revoked'], async () => {
    const id = await device()
    await credential(id)
    return () => call('DELETE', `/v1/devices/${id}`)
  })
  written(['device.online'], async () => {
    const id = await device()
    return () => attach(id)
  })
  written(['sa.rekeyed'], async () => {
    const id = await online()
    return () => attach(id, { rekeyed: { ike: 0, child: 1 } })
  })
  written(['device.moved'], async () => {
    const id = await online()
    await attach(id, { remoteAddress: '203.0.113.77' })
    return () => tellPresence(harness.pool, 0)
  })
  written(['device.offline'], async () => {
    const id = await online()
    await setAttached(harness.pool, 'con-1', id, 'detached')
    return () => tellPresence(harness.pool, 0)
  })
  written(['device.attempt_failed'], async () => {
    const deviceId = await device()
    const attempt = {
      at: new Date(),
      sourceAddress: '198.51.100.9',
      sourcePort: 500,
      deviceId,
      isProven: false,
      stage: 'auth',
      reason: 'authentication_failed',
      detail: '',
      offered: null,
      nearest: null,
      matchingTier: null,
      certificate: null,
    } as const
    return () => writeAttempts(harness.pool, 'con-1', [attempt])
  })
  written(['device.quota_exhausted'], async () => {
    const id = await device()
    await call('PATCH', `/v1/devices/${id}`, { quota: { period: 'day', bytes: 1_000_000 } })
    return () => tellQuotaExhausted(harness.pool, id)
  })
  written(['config_link.created', 'credential.created'], async () => {
    const id = await device()
    return () => call('POST', `/v1/devices/${id}/config-links`, { target: 'swanctl', issue: ['psk'] })
  })
  written(['config_link.used'], async () => {
    const { url } = await configLink(await device())
    return () => call('POST', `/v1/config-links/${url.slice(url.lastIndexOf('/') + 1).replace(/^.*#/, '')}`)
  })
  written(['config_link.withdrawn'], async () => {
    const deviceId = await device()
    const { id } = await configLink(deviceId)
    return () => call('DELETE', `/v1/devices/${deviceId}/config-links/${id}`)
  })
})

describe('credentials', () => {
  written(['credential.created'], async () => {
    const id = await device()
    return () => call('POST', `/v1/devices/${id}/credentials`, {})
  })
  written(['credential.revoked'], async () => {
    const deviceId = await device()
    const id = await credential(deviceId)
    return () => call('DELETE', `/v1/devices/${deviceId}/credentials/${id}`)
  })
  written(['credential.rotated'], async () => {
    const deviceId = await device()
    await attach(deviceId, { credentialId: await credential(deviceId) })
    const next = await credential(deviceId)
    return () => attach(deviceId, { credentialId: next })
  })
  written(['credential.expiring'], async () => {
    await expiring(`now() + interval '1 day'`)
    return () => tellExpiringCredentials(harness.pool)
  })
  written(['credential.expired'], async () => {
    await expiring(`now() - interval '1 second'`)
    return () => tellExpiringCredentials(harness.pool)
  })
  written(['credential.issued'], async () => {
    const pending = await certificateRequest()
    const made = { certificates: 'PEM', serial: newId('crd'), fingerprint: newId('crd'), notAfter: new Date(2e12) }
    return () => decideCertificate(harness.pool, pending, { kind: 'issued', ...made })
  })
  written(['credential.refused'], async () => {
    const pending = await certificateRequest()
    return () => decideCertificate(harness.pool, pending, { kind: 'refused', refusal: 'no' })
  })
})

describe('authorities of devices', () => {
  written(['device_authority.created'], async () => {
    const certificate = await rootPem()
    return () => call('POST', '/v1/device-authorities', { name: 'factory', certificate })
  })
  written(['device_authority.updated'], async () => {
    const { id } = await call('POST', '/v1/device-authorities', { name: 'factory', certificate: await rootPem() })
    return () => call('PATCH', `/v1/device-authorities/${id}`, { name: 'changed' })
  })
  written(['device_authority.deleted'], async () => {
    const { id } = await call('POST', '/v1/device-authorities', { name: 'factory', certificate: await rootPem() })
    return () => call('DELETE', `/v1/device-authorities/${id}`)
  })
})

describe('the organization', () => {
  written(['network.created'], async () => {
    const body = { name: newId('net') }
    return () => call('POST', '/v1/networks', body)
  })
  written(['network.updated'], async () => {
    const { id } = await call('POST', '/v1/networks', { name: newId('net') })
    return () => call('PATCH', `/v1/networks/${id}`, { dnsDomains: ['corp.example'] })
  })
  written(['network.deleted'], async () => {
    const { id } = await call('POST', '/v1/networks', { name: newId('net') })
    return () => call('DELETE', `/v1/networks/${id}`)
  })
  written(['organization.updated'], async () => () => call('PATCH', '/v1/organization', { name: 'Changed' }))
  written(['member.invited'], async () => {
    const body = { email: emailOf(), role: 'viewer' }
    return () => call('POST', '/v1/members', body)
  })
  written(['member.updated'], async () => {
    const { id } = await call('POST', '/v1/members', { email: emailOf(), role: 'viewer' })
    return () => call('PATCH', `/v1/members/${id}`, { role: 'operator' })
  })
  written(['member.joined'], async () => {
    const email = emailOf()
    const { id: invitation } = await call('POST', '/v1/members', { email, role: 'viewer' })
    const person = {
      issuer: 'https://login.example',
      subject: email,
      email,
      name: null,
      invitation: String(invitation),
    }
    return () => recognizePerson(harness.pool, person, { requestId: 'req_1', address: null })
  })
  written(['member.removed'], async () => {
    const { id } = await call('POST', '/v1/members', { email: emailOf(), role: 'viewer' })
    return () => call('DELETE', `/v1/members/${id}`)
  })
  written(['api_key.created'], async () => () => call('POST', '/v1/api-keys', newKey))
  written(['api_key.updated'], async () => {
    const { id } = await call('POST', '/v1/api-keys', newKey)
    return () => call('PATCH', `/v1/api-keys/${id}`, { name: 'changed' })
  })
  written(['api_key.rotated'], async () => {
    const { id } = await call('POST', '/v1/api-keys', newKey)
    return () => call('POST', `/v1/api-keys/${id}/rotate`, {})
  })
  written(['api_key.revoked'], async () => {
    const { id } = await call('POST', '/v1/api-keys', newKey)
    return () => call('DELETE', `/v1/api-keys/${id}`)
  })
  written(['grant.created'], async () => {
    const body = await newGrant()
    return () => call('POST', '/v1/grants', body)
  })
  written(['grant.revoked'], async () => {
    const { id } = await call('POST', '/v1/grants', await newGrant())
    return () => call('DELETE', `/v1/grants/${id}`)
  })
  written(['ssh_key.created'], async () => {
    const body = { publicKey: newSshKey() }
    return () => call('POST', '/v1/ssh-keys', body)
  })
  written(['ssh_key.updated'], async () => {
    const { id } = await call('POST', '/v1/ssh-keys', { publicKey: newSshKey() })
    return () => call('PATCH', `/v1/ssh-keys/${id}`, { name: 'changed' })
  })
  written(['ssh_key.deleted'], async () => {
    const { id } = await call('POST', '/v1/ssh-keys', { publicKey: newSshKey() })
    return () => call('DELETE', `/v1/ssh-keys/${id}`)
  })
})

describe('rules and usage', () => {
  written(['rule.created'], async () => () => call('POST', '/v1/automation-rules', newRule))
  written(['rule.updated'], async () => {
    const { id } = await call('POST', '/v1/automation-rules', newRule)
    return () => call('PATCH', `/v1/automation-rules/${id}`, { name: 'changed' })
  })
  written(['rule.deleted'], async () => {
    const { id } = await call('POST', '/v1/automation-rules', newRule)
    return () => call('DELETE', `/v1/automation-rules/${id}`)
  })
  written(['rule.ran'], async () => {
    const run = await newRun()
    return () => finishRun(harness.pool, run, { stop: null, maxFailures: 10 })
  })
  written(['rule.ran', 'rule.disabled'], async () => {
    const run = await newRun()
    return () => finishRun(harness.pool, run, { stop: 'maker_gone', maxFailures: 10 })
  })
  written(['usage_threshold.created'], async () => () => call('POST', '/v1/usage-thresholds', newThreshold))
  written(['usage_threshold.updated'], async () => {
    const { id } = await call('POST', '/v1/usage-thresholds', newThreshold)
    return () => call('PATCH', `/v1/usage-thresholds/${id}`, { name: 'changed' })
  })
  written(['usage_threshold.deleted'], async () => {
    const { id } = await call('POST', '/v1/usage-thresholds', newThreshold)
    return () => call('DELETE', `/v1/usage-thresholds/${id}`)
  })
  written(['usage.threshold'], async () => {
    const { id } = await call('POST', '/v1/usage-thresholds', newThreshold)
    await harness.pool.query(
      `INSERT INTO usage_hourly (organization_id, kind, subject_id, hour, bytes_in, bytes_out, packets_in, packets_out, attached_ms,
         tunnels_opened, connections, denied)
       VALUES ($1, 'organization', $1, date_trunc('hour', now()), 5, 5, 1, 1, 0, 0, 0, 0)`,
      [harness.organization.id],
    )
    await harness.pool.query(`UPDATE usage_thresholds SET checked_at = '2020-01-01' WHERE id = $1`, [id])
    return () => tellThresholds(harness.pool, { everySec: 3_600 })
  })
})

describe('tunnels and their connections', () => {
  written(['tunnel.requested', 'tunnel.opening'], async () => {
    const body = { deviceId: await online(), port: 22 }
    return () => call('POST', '/v1/tunnels?wait=0', body)
  })
  written(['tunnel.requested', 'tunnel.waiting_for_device'], async () => {
    const body = { deviceId: await device(), port: 22, waitForDevice: true }
    return () => call('POST', '/v1/tunnels?wait=0', body)
  })
  written(['tunnel.opened'], async () => {
    const id = await requestedTunnel()
    return () => obey(id)
  })
  written(['tunnel.updated'], async () => {
    const id = await openTunnel()
    return () => call('PATCH', `/v1/tunnels/${id}`, { ttlSec: 60 })
  })
  written(['tunnel.draining'], async () => {
    const id = await openTunnel()
    return () => call('DELETE', `/v1/tunnels/${id}?wait=0`)
  })
  written(['tunnel.closed'], async () => {
    const id = await openTunnel()
    await call('DELETE', `/v1/tunnels/${id}?wait=0`)
    return () => obey(id)
  })
  written(['tunnel.expired'], async () => {
    const id = await openTunnel()
    await over(id)
    await expireTunnels(harness.pool)
    return () => obey(id)
  })
  written(['tunnel.failed'], async () => {
    const body = { deviceId: await device(), port: 22, waitForDevice: true }
    const { id } = await call('POST', '/v1/tunnels?wait=0', body)
    await over(String(id))
    return () => expireTunnels(harness.pool)
  })

  const news = async (state: 'open' | 'closed' | 'refused', id = newId('con')) => {
    const { rows } = await harness.pool.query<{ id: string }>('SELECT id FROM tunnel_ports WHERE tunnel_id = $1', [
      tunnelId,
    ])
    const isOver = state !== 'open'
    const row = {
      id,
      organizationId: harness.organization.id,
      tunnelId,
      tunnelPortId: rows[0]?.id ?? '',
      clientAddress: '203.0.113.7',
      clientPort: 50_000,
      state,
      reason: isOver ? 'client_closed' : null,
      openedAt: new Date(),
      closedAt: isOver ? new Date() : null,
      bytesUp: 1,
      bytesDown: 2,
    }
    return () => writeConnections(harness.pool, [row])
  }
  let tunnelId = ''
  it('connections are told where somebody asks for them, and not before', async () => {
    tunnelId = await openTunnel()
    await (
      await news('open')
    )()
    expect((await countOf(['connection.opened'])).size).toBe(0)
    await call('PATCH', '/v1/organization', { connectionEvents: true })
  })
  written(['connection.opened'], () => news('open'))
  written(['connection.closed'], async () => {
    const id = newId('con')
    await (
      await news('open', id)
    )()
    return news('closed', id)
  })
  written(['connection.denied'], () => news('refused'))
})

describe('webhook endpoints', () => {
  const endpoint = async (): Promise<string> => String((await call('POST', '/v1/webhook-endpoints', newEndpoint)).id)
  const at = (id: string, place = ''): string => `/v1/webhook-endpoints/${id}${place}`
  written(['webhook.created'], async () => () => call('POST', '/v1/webhook-endpoints', newEndpoint))
  written(['webhook.updated'], async () => {
    const id = await endpoint()
    return () => call('PATCH', at(id), { name: 'changed' })
  })
  written(['webhook.rotated'], async () => {
    const id = await endpoint()
    return () => call('POST', at(id, '/rotate-secret'), {})
  })
  written(['webhook.disabled'], async () => {
    const id = await endpoint()
    return () => call('PATCH', at(id), { state: 'disabled' })
  })
  written(
    ['webhook.disabled'],
    async () => {
      const id = await endpoint()
      return () => disableEndpoint(harness.pool, { organizationId: harness.organization.id, id }, 'gone')
    },
    ' by what it answers',
  )
  written(['webhook.enabled'], async () => {
    const id = await endpoint()
    await call('PATCH', at(id), { state: 'disabled' })
    return () => call('POST', at(id, '/enable'), { redeliver: false })
  })
  written(['webhook.failing'], async () => {
    const endpointId = await endpoint()
    await harness.pool.query(`UPDATE webhook_courses SET runner = 'worker' WHERE endpoint_id = $1`, [endpointId])
    const course = { endpointId, failingSince: new Date(0), warnedAt: new Date(), throttled: 0, pauseMs: 0 }
    return () => recordCourses(harness.pool, 'worker', [{ ...course, succeededAt: null, failedAt: new Date() }])
  })
  written(['webhook.test'], async () => {
    const id = await endpoint()
    return () => call('POST', at(id, '/test?wait=0'))
  })
  written(['webhook.deleted'], async () => {
    const id = await endpoint()
    return () => call('DELETE', at(id))
  })
})

describe('operations', () => {
  const begin = async () => {
    const operation = { kind: 'device_update', request: {}, validateOnly: false } as const
    const begun = await startOperation(harness.pool, harness.organization.id, operation, by)
    if (typeof begun === 'string') throw new Error(begun)
    return begun.id
  }
  const claimed = async () => {
    await begin()
    const claim = await claimOperation(harness.pool, 'worker')
    if (claim === null) throw new Error('no operation is due')
    return claim
  }
  written(['operation.started'], async () => begin)
  written(['operation.cancelled'], async () => {
    await harness.pool.query(`DELETE FROM operations`)
    const id = await begin()
    return () => cancelOperation(harness.pool, harness.organization.id, id, by)
  })
  written(['operation.succeeded'], async () => {
    const claim = await claimed()
    return () => finishOperation(harness.pool, claim, { state: 'succeeded', result: {} })
  })
  written(['operation.failed'], async () => {
    const claim = await claimed()
    return () => finishOperation(harness.pool, claim, { state: 'failed', error: { code: 'not_found', detail: '' } })
  })
})

describe('nodes', () => {
  const beat = (state: 'ready' | 'stopped') =>
    beatConcentrator(harness.pool, { id: 'con-1', state, attachedCount: 1, dataPlane: 'native' })
  const heartbeatOf = async (node: string) => {
    const found = (await readHeartbeats(harness.pool)).find(({ id }) => id === node)
    if (!found) throw new Error(`${node} has no heartbeat`)
    return found
  }
  written(['concentrator.draining'], async () => {
    await online()
    return () => redirectConcentrator(harness.pool, 'con-1', '192.0.2.250')
  })
  written(['concentrator.stopped'], async () => () => beat('stopped'))
  written(['concentrator.online'], async () => () => beat('ready'))
  written(['concentrator.lost'], async () => {
    const node = await heartbeatOf('con-1')
    return () => markOffline(harness.pool, node)
  })
  // A tunnel of the organization listens at gw-1.
  written(['gateway.draining'], async () => () => beatGateway(harness.pool, lease, 'draining'))
  written(['gateway.stopped'], async () => () => beatGateway(harness.pool, lease, 'stopped'))
  written(['gateway.online'], async () => () => beatGateway(harness.pool, lease, 'ready'))
  written(['gateway.online'], async () => () => newLease('gw-1'), ' when it starts')
  written(['gateway.lost'], async () => {
    const node = await heartbeatOf('gw-1')
    return () => markOffline(harness.pool, node)
  })
})

it('and there is no other type', () => {
  expect([...seen].toSorted()).toEqual(eventTypes.filter((type) => !isPlanned(type)).toSorted())
})

const newKey = { name: 'made', scopes: ['devices:read'] }
const newRule = {
  name: 'rule',
  on: { eventTypes: ['device.created'] },
  actions: [{ kind: 'tag_device', tags: ['new'] }],
}
const newThreshold = { name: 'threshold', bytes: 1, period: 'day' }
const newEndpoint = { name: 'endpoint', url: 'https://hooks.example.com/' }
let people = 0
const emailOf = (): string => `person-${++people}@acme.example`

/** Of all rows of all tables. */
async function snapshot(): Promise<Record<string, string | null>> {
  const { rows } = await harness.pool.query<{ name: string; rows: string | null }>({
    name: 'snapshot',
    text: snapshotSql,
  })
  return Object.fromEntries(rows.map((table) => [table.name, table.rows]))
}

async function countOf(types: readonly EventType[]): Promise<Map<string, number>> {
  const { rows } = await harness.pool.query<{ type: string; count: number }>(
    'SELECT type, count(*)::int AS count FROM events WHERE type = ANY ($1) AND organization_id = $2 GROUP BY 1',
    [types, harness.organization.id],
  )
  return new Map(rows.map(({ type, count }) => [type, count]))
}

/** @throws when the answer is no success */
async function call(method: string, url: string, body?: object): Promise<Record<string, unknown>> {
  const answer = await harness.call(method, url, body ? { body } : {})
  if (answer.status >= 300) throw new Error(`${method} ${url} answered ${answer.status}: ${answer.text}`)
  return answer.body
}

const device = (): Promise<string> => newDevice(harness.call)

function attach(id: string, changes: object = {}): Promise<void> {
  return setAttached(harness.pool, 'con-1', id, 'attached', changes)
}

async function online(): Promise<string> {
  const id = await device()
  await attach(id)
  return id
}

async function credential(deviceId: string): Promise<string> {
  return String((await call('POST', `/v1/devices/${deviceId}/credentials`, {})).id)
}

async function configLink(deviceId: string): Promise<{ id: string; url: string }> {
  const made = await call('POST', `/v1/devices/${deviceId}/config-links`, { target: 'swanctl', issue: ['psk'] })
  return made as { id: string; url: string }
}

async function expiring(when: string): Promise<void> {
  const id = await credential(await device())
  await harness.pool.query(
    `UPDATE credentials SET created_at = now() - interval '100 days', expires_at = ${when} WHERE id = $1`,
    [id],
  )
}

async function certificateRequest(): Promise<{ id: string; organizationId: string; deviceId: string }> {
  const pending = { id: newId('crd'), organizationId: harness.organization.id, deviceId: await device() }
  await harness.pool.query(
    `INSERT INTO credentials (id, organization_id, device_id, kind, issuance, csr) VALUES ($1, $2, $3, 'certificate', 'pending', '\\x00')`,
    [pending.id, pending.organizationId, pending.deviceId],
  )
  return pending
}

async function rootPem(): Promise<string> {
  const made = await makeRoot({ name: 'Factory', atMs: Date.now(), lifetimeMs: 86_400_000 })
  if (!made.ok) throw new Error(made.fault.code)
  return toPem(made.value.certificate, 'CERTIFICATE')
}

async function newGrant(): Promise<object> {
  const { id: memberId } = await call('POST', '/v1/members', { email: emailOf(), role: 'viewer' })
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
  return { name: 'grant', memberId, anyTags: ['a'], ports: [22], expiresAt }
}

/** A run of a rule, as a worker takes it. */
async function newRun(): Promise<RunClaim> {
  await harness.pool.query('DELETE FROM automation_rules')
  await call('POST', '/v1/automation-rules', newRule)
  await device()
  while ((await relayEvents(harness.pool, [ruleConsumer])).isFull);
  await harness.pool.query(
    `DELETE FROM rule_runs WHERE id NOT IN (SELECT id FROM rule_runs ORDER BY created_at DESC, id LIMIT 1)`,
  )
  const run = await claimRun(harness.pool)
  if (run === null || run === 'over') throw new Error('no run was taken')
  return run
}

function newLease(id: string): Promise<GatewayLease> {
  const place = { bindAddress: '0.0.0.0', publicHost: `${id}.test`, portFrom: 20_000, portTo: 20_999 }
  return registerGateway(harness.pool, { id, ...place })
}

let ports = 20_000

/** What the gateway does for a tunnel and says of it. */
async function obey(tunnel: string): Promise<void> {
  const wishes = (await readGatewayPorts(harness.pool, 'gw-1', false)).filter((port) => port.tunnelId === tunnel)
  const reports = wishes.map((port) => ({
    portId: port.id,
    generation: port.desiredGeneration,
    quarantineMs: port.desired === 'listen' ? null : 1_000,
    gatewayPort: port.desired === 'listen' ? ++ports : null,
    failure: null,
  }))
  await reportPorts(harness.pool, lease, tunnel, reports)
}

async function requestedTunnel(): Promise<string> {
  return String((await call('POST', '/v1/tunnels?wait=0', { deviceId: await online(), port: 22 })).id)
}

async function openTunnel(): Promise<string> {
  const id = await requestedTunnel()
  await obey(id)
  return id
}

async function over(tunnel: string): Promise<void> {
  await harness.pool.query(`UPDATE tunnels SET expires_at = now() - interval '1 second' WHERE id = $1`, [tunnel])
}
