/** The document against the routes, each rule over all operations: the cases share one API and its document, so it is one file. */
import { errorCodes } from '@culvert/contracts'
import { startOperation, systemAuthor } from '@culvert/db'
import { makeRoot, toPem } from '@culvert/pki'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { resolveAnswers } from './openapi/share.ts'
import {
  newConcentrator,
  newDevice,
  newGateway,
  newIccid,
  newSshKey,
  openHarness,
  setAttached,
  type FakeGateway,
  type Harness,
} from './testing/harness.ts'

interface Operation {
  readonly operationId: string
  readonly summary?: string
  readonly security?: object[]
  readonly 'x-permission'?: string | readonly string[]
  readonly parameters?: { name: string; in: string; required?: boolean }[]
  readonly requestBody?: object
  readonly responses: Record<string, { description?: string; content?: Record<string, { schema: object }> }>
}
interface Document {
  readonly openapi: string
  readonly info: { readonly version: string }
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: Readonly<Record<'schemas' | 'responses' | 'parameters' | 'headers', Record<string, object>>>
}

let harness: Harness
let gateway: FakeGateway
let document: Document
let operations: { method: string; path: string; operation: Operation }[] = []

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
  await newConcentrator(harness.pool, 'con-1', 1)
  gateway = await newGateway(harness, 'gw-1')
  document = (await harness.call<Document>('GET', '/openapi.json', { key: null })).body
  operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation: { ...operation, responses: resolveAnswers(document as never, operation as never) },
    })),
  )
})
afterAll(async () => {
  await gateway.close()
  await harness.close()
})

describe('the OpenAPI document', () => {
  it('is 3.1 and has a page for people', async () => {
    expect(document.openapi).toMatch(/^3\.1\./)
    const page = await harness.call('GET', '/docs', { key: null })
    expect(page.status).toBe(200)
    expect(page.text).toContain('swagger-ui')
  })

  it('has the version of the whole', () => {
    const root = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
    expect(document.info.version).toBe((JSON.parse(root) as { version: string }).version)
  })

  it('is where / leads, without a key', async () => {
    const answer = await harness.call('GET', '/', { key: null })
    expect([answer.status, answer.headers['location']]).toEqual([302, '/docs'])
  })

  it('has every route and no other', () => {
    expect(operations.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(
      [
        'DELETE /v1/api-keys/{apiKeyId}',
        'DELETE /v1/device-authorities/{authorityId}',
        'DELETE /v1/devices/{deviceId}',
        'DELETE /v1/devices/{deviceId}/attachment',
        'DELETE /v1/devices/{deviceId}/credentials/{credentialId}',
        'DELETE /v1/grants/{grantId}',
        'DELETE /v1/members/{memberId}',
        'DELETE /v1/tunnels/{tunnelId}',
        'GET /.well-known/jwks.json',
        'GET /errors/{code}',
        'GET /health/live',
        'GET /health/ready',
        'GET /v1/api-keys',
        'GET /v1/api-keys/{apiKeyId}',
        'GET /v1/auth/callback',
        'GET /v1/auth/login',
        'GET /v1/audit-log',
        'GET /v1/audit-log/export',
        'DELETE /v1/automation-rules/{ruleId}',
        'GET /v1/automation-rules',
        'GET /v1/automation-rules/{ruleId}',
        'GET /v1/automation-rules/{ruleId}/runs',
        'PATCH /v1/automation-rules/{ruleId}',
        'POST /v1/automation-rules',
        'POST /v1/automation-rules/dry-run',
        'POST /v1/automation-rules/{ruleId}/dry-run',
        'DELETE /v1/webhook-endpoints/{endpointId}',
        'GET /v1/webhook-endpoints',
        'GET /v1/webhook-endpoints/{endpointId}',
        'GET /v1/webhook-endpoints/{endpointId}/deliveries',
        'GET /v1/webhook-endpoints/{endpointId}/deliveries/{deliveryId}',
        'PATCH /v1/webhook-endpoints/{endpointId}',
        'POST /v1/webhook-endpoints',
        'POST /v1/webhook-endpoints/{endpointId}/deliveries/{deliveryId}/replay',
        'POST /v1/webhook-endpoints/{endpointId}/enable',
        'POST /v1/webhook-endpoints/{endpointId}/replay',
        'POST /v1/webhook-endpoints/{endpointId}/rotate-secret',
        'POST /v1/webhook-endpoints/{endpointId}/test',
        'DELETE /v1/usage-thresholds/{thresholdId}',
        'GET /v1/usage',
        'GET /v1/usage/export',
        'GET /v1/usage-thresholds',
        'GET /v1/usage-thresholds/{thresholdId}',
        'PATCH /v1/usage-thresholds/{thresholdId}',
        'POST /v1/usage-thresholds',
        'GET /v1/ca',
        'GET /v1/ca/crl',
        'GET /v1/concentrators',
        'GET /v1/device-authorities',
        'GET /v1/device-authorities/{authorityId}',
        'GET /v1/devices',
        'GET /v1/devices/export',
        'GET /v1/devices/{deviceId}',
        'GET /v1/devices/{deviceId}/attachment',
        'GET /v1/devices/{deviceId}/attempts',
        'GET /v1/devices/{deviceId}/config',
        'POST /v1/networks',
        'GET /v1/attachments',
        'GET /v1/connections',
        'GET /v1/credentials',
        'GET /v1/devices/{deviceId}/sas',
        'GET /v1/concentrators/{nodeId}',
        'GET /v1/gateways',
        'GET /v1/gateways/{nodeId}',
        'DELETE /v1/networks/{networkId}',
        'POST /v1/devices/{deviceId}/config-links',
        'DELETE /v1/devices/{deviceId}/config-links/{configLinkId}',
        'GET /v1/config-links/{token}',
        'POST /v1/config-links/{token}',
        'GET /v1/devices/{deviceId}/credentials',
        'GET /v1/devices/{deviceId}/credentials/{credentialId}',
        'GET /v1/grants',
        'GET /v1/events',
        'GET /v1/events/{eventId}',
        'GET /v1/grants/{grantId}',
        'GET /v1/me',
        'GET /v1/members',
        'GET /v1/members/{memberId}',
        'GET /v1/networks',
        'GET /v1/networks/{networkId}',
        'GET /v1/operations',
        'GET /v1/operations/{operationId}',
        'GET /v1/operations/{operationId}/errors',
        'GET /v1/organization',
        'GET /v1/tunnels',
        'GET /v1/tunnels/{tunnelId}',
        'GET /v1/tunnels/{tunnelId}/connections',
        'PATCH /v1/api-keys/{apiKeyId}',
        'PATCH /v1/device-authorities/{authorityId}',
        'PATCH /v1/devices/{deviceId}',
        'PATCH /v1/members/{memberId}',
        'PATCH /v1/networks/{networkId}',
        'PATCH /v1/organization',
        'PATCH /v1/tunnels/{tunnelId}',
        'POST /v1/api-keys',
        'POST /v1/api-keys/{apiKeyId}/rotate',
        'POST /v1/auth/logout',
        'POST /v1/auth/token',
        'POST /v1/device-authorities',
        'POST /v1/devices',
        'POST /v1/devices/batch-delete',
        'POST /v1/devices/batch-update',
        'POST /v1/devices/import',
        'POST /v1/devices/{deviceId}/credentials',
        'POST /v1/operations/{operationId}/cancel',
        'POST /v1/grants',
        'POST /v1/members',
        'POST /v1/members/{memberId}/sign-out',
        'POST /v1/tunnels',
        'DELETE /v1/ssh-keys/{sshKeyId}',
        'GET /v1/ssh-keys',
        'GET /v1/ssh-keys/{sshKeyId}',
        'PATCH /v1/ssh-keys/{sshKeyId}',
        'POST /v1/ssh-keys',
        'GET /v1/signing-keys',
        'DELETE /v1/signing-keys/{kid}',
        'POST /v1/signing-keys/rotate',
      ].toSorted(),
    )
  })

  it('names every operation once, with a summary', () => {
    const ids = operations.map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { operation } of operations) expect(operation.summary).toEqual(expect.any(String))
  })

  it('resolves every reference, and uses every component', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      ([, target]) => target as string,
    )
    for (const target of references) {
      const [, kind = '', name = ''] = /^#\/components\/(\w+)\/(\w+)$/.exec(target) ?? []
      expect(document.components[kind as 'schemas']).toHaveProperty(name)
    }
    for (const kind of ['schemas', 'responses', 'parameters', 'headers'] as const)
      for (const name of Object.keys(document.components[kind]))
        expect(references).toContain(`#/components/${kind}/${name}`)
  })

  it('describes parameters, answers and problems of every operation', () => {
    for (const { path, operation } of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path')
      expect(declared.map((parameter) => parameter.name).toSorted()).toEqual(named.toSorted())
      const statuses = Object.keys(operation.responses)
      expect(statuses.some((status) => /^[23]/.test(status))).toBe(true)
      for (const status of statuses.filter((text) => text >= '400' && path.startsWith('/v1'))) {
        expect(operation.responses[status]?.content).toHaveProperty('application/problem+json')
        expect(operation.responses[status]?.description).toMatch(/`[a-z_]+`/)
      }
      const common = path.startsWith('/v1') ? ['400', '500', '503'] : []
      if (path.startsWith('/v1')) expect(statuses.includes('401')).toBe(operation.security === undefined)
      expect(statuses).toEqual(expect.arrayContaining(common))
    }
  })

  it('names only codes of the registry, with their status', () => {
    const known: readonly string[] = errorCodes
    for (const { operation } of operations) {
      for (const { description = '' } of Object.values(operation.responses)) {
        for (const [, code] of description.matchAll(/`([a-z_]+)`: /g)) expect(known).toContain(code)
      }
    }
  })

  it('asks for a key everywhere but where it says so', async () => {
    for (const { method, path, operation } of operations) {
      const url = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => samples[name] ?? 'x')
      const answer = await harness.call(method, url, { key: null })
      expect([operation.operationId, answer.status === 401]).toEqual([
        operation.operationId,
        operation.security === undefined,
      ])
    }
  })
})

const isOfInstallation = (permission: unknown): boolean => String(permission).startsWith('installation:')

const samples: Record<string, string> = {
  deviceId: `dev_${'a'.repeat(20)}`,
  tunnelId: `tun_${'a'.repeat(20)}`,
  credentialId: `crd_${'a'.repeat(20)}`,
  configLinkId: `cfl_${'a'.repeat(20)}`,
  networkId: `net_${'a'.repeat(20)}`,
  grantId: `grt_${'a'.repeat(20)}`,
  eventId: `evt_${'a'.repeat(20)}`,
  memberId: `mem_${'a'.repeat(20)}`,
  apiKeyId: `key_${'a'.repeat(16)}`,
  sshKeyId: `ssh_${'a'.repeat(20)}`,
  authorityId: `aut_${'a'.repeat(20)}`,
  operationId: `opn_${'a'.repeat(20)}`,
  thresholdId: `uth_${'a'.repeat(20)}`,
  ruleId: `rul_${'a'.repeat(20)}`,
  endpointId: `whe_${'a'.repeat(20)}`,
  deliveryId: `whd_${'a'.repeat(20)}`,
  code: 'not_found',
}
const aRule = {
  name: 'r',
  on: { eventTypes: ['device.online'] },
  actions: [{ kind: 'tag_device', tags: ['a'] }],
}
/** A body that each operation accepts, and the query it needs: without them an operation would be refused too early. */
const bodies: Record<string, (ids: Record<string, string>) => object> = {
  createDevice: () => ({ iccid: newIccid() }),
  updateDevice: () => ({ name: 'changed' }),
  issueCredential: () => ({}),
  createConfigLink: () => ({ target: 'swanctl', issue: ['psk'] }),
  updateNetwork: () => ({ dnsDomains: ['corp.example'] }),
  openTunnel: ({ deviceId }) => ({ deviceId, port: 22 }),
  updateTunnel: () => ({ ttlSec: 60 }),
  createGrant: ({ memberId }) => ({
    name: 'g',
    memberId,
    anyTags: ['a'],
    ports: [22],
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
  }),
  inviteMember: () => ({ email: 'ada@acme.example', role: 'viewer' }),
  updateMember: () => ({ role: 'operator' }),
  createApiKey: () => ({ name: 'made', scopes: ['devices:read'] }),
  updateApiKey: () => ({ name: 'changed' }),
  rotateApiKey: () => ({}),
  createWebhookEndpoint: () => ({ name: 'w', url: 'https://hooks.example.com/' }),
  updateWebhookEndpoint: () => ({ name: 'changed' }),
  rotateWebhookSecret: () => ({}),
  enableWebhookEndpoint: () => ({}),
  replayWebhookEvents: () => ({ since: '2026-01-01T00:00:00Z' }),
  createUsageThreshold: ({ deviceId }) => ({ name: 't', deviceId, bytes: 1, period: 'day' }),
  createAutomationRule: () => aRule,
  dryRunAutomationRuleDraft: () => aRule,
  updateAutomationRule: () => ({ name: 'changed' }),
  updateUsageThreshold: () => ({ name: 'changed' }),
  createSshKey: ({ apiKeyId }) => ({ publicKey: newSshKey(), apiKeyId }),
  updateSshKey: () => ({ name: 'changed' }),
  updateDeviceAuthority: () => ({ name: 'changed' }),
}
const queries: Record<string, string> = { getDeviceConfig: '?target=swanctl' }

describe('another organization', () => {
  const ids: Record<string, string> = {}
  const urlOf = (path: string, operationId: string): string =>
    path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] as string) + (queries[operationId] ?? '')

  /** Everything that belongs to the first organization, as text: ids that must not be told to the second. */
  beforeAll(async () => {
    ids['deviceId'] = await newDevice(harness.call)
    await setAttached(harness.pool, 'con-1', ids['deviceId'], 'attached')
    const credential = await harness.call<{ id: string }>('POST', `/v1/devices/${ids['deviceId']}/credentials`, {
      body: {},
    })
    const link = await harness.call<{ id: string }>('POST', `/v1/devices/${ids['deviceId']}/config-links`, {
      body: { target: 'swanctl', issue: ['psk'] },
    })
    Object.assign(ids, { configLinkId: link.body.id })
    const tunnel = await harness.call<{ id: string; state: string }>('POST', '/v1/tunnels', {
      body: { deviceId: ids['deviceId'], port: 22 },
    })
    if (tunnel.body.state !== 'open') throw new Error(`the tunnel is ${tunnel.body.state}`)
    const device = await harness.call<{ networkId: string }>('GET', `/v1/devices/${ids['deviceId']}`)
    const apiKey = await harness.call<{ id: string }>('POST', '/v1/api-keys', {
      body: { name: 'a', scopes: ['devices:read'] },
    })
    Object.assign(ids, { apiKeyId: apiKey.body.id })
    const operation = await startOperation(
      harness.pool,
      harness.organization.id,
      {
        kind: 'device_delete',
        request: {},
        validateOnly: true,
      },
      { by: systemAuthor('test') },
    )
    if (typeof operation === 'string') throw new Error(operation)
    Object.assign(ids, {
      operationId: operation.id,
      networkId: device.body.networkId,
      credentialId: credential.body.id,
      tunnelId: tunnel.body.id,
    })
    const member = await harness.call<{ id: string }>('POST', '/v1/members', {
      body: { email: 'bob@acme.example', role: 'viewer' },
    })
    const grant = await harness.call<{ id: string }>('POST', '/v1/grants', {
      body: {
        name: 'g',
        memberId: member.body.id,
        anyTags: ['a'],
        ports: null,
        expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
      },
    })
    const sshKey = await harness.call<{ id: string }>('POST', '/v1/ssh-keys', { body: { publicKey: newSshKey() } })
    const threshold = await harness.call<{ id: string }>('POST', '/v1/usage-thresholds', {
      body: { name: 't', bytes: 1, period: 'day' },
    })
    const root = await makeRoot({ name: 'Factory', atMs: Date.now(), lifetimeMs: 86_400_000 })
    const authority = await harness.call<{ id: string }>('POST', '/v1/device-authorities', {
      body: { name: 'a', certificate: root.ok ? toPem(root.value.certificate, 'CERTIFICATE') : '' },
    })
    Object.assign(ids, { authorityId: authority.body.id })
    Object.assign(ids, { memberId: member.body.id, grantId: grant.body.id, sshKeyId: sshKey.body.id })
    const rule = await harness.call<{ id: string }>('POST', '/v1/automation-rules', { body: aRule })
    Object.assign(ids, { thresholdId: threshold.body.id, ruleId: rule.body.id })
    const endpoint = await harness.call<{ id: string }>('POST', '/v1/webhook-endpoints', {
      body: { name: 'w', url: 'https://hooks.example.com/' },
    })
    const tested = await harness.call<{ id: string }>('POST', `/v1/webhook-endpoints/${endpoint.body.id}/test?wait=0`)
    Object.assign(ids, { endpointId: endpoint.body.id, deliveryId: tested.body.id })
    const { rows } = await harness.pool.query<{ eventId: string }>(
      'SELECT id AS "eventId" FROM events WHERE organization_id = $1 LIMIT 1',
      [harness.organization.id],
    )
    Object.assign(ids, { ...rows[0] })
  })

  it('A03 gets 404 for every id that is not its own, the same as for one that does not exist', async () => {
    const before = await rowsOf(harness)
    const tried: string[] = []
    for (const { method, path, operation } of operations.filter((entry) => entry.path.startsWith('/v1'))) {
      if (operation.security?.length === 0 || isOfInstallation(operation['x-permission'])) continue
      const namesThing =
        /\{\w+\}/.test(path) ||
        ['openTunnel', 'createGrant', 'createSshKey', 'createUsageThreshold'].includes(operation.operationId)
      if (!namesThing) continue
      const body = bodies[operation.operationId]?.(ids)
      expect(operation.requestBody === undefined).toBe(body === undefined)
      const foreign = await harness.call<{ code: string; detail: string }>(method, urlOf(path, operation.operationId), {
        key: harness.other.key,
        ...(body ? { body } : {}),
      })
      expect([operation.operationId, foreign.status, foreign.body.code]).toEqual([
        operation.operationId,
        404,
        'not_found',
      ])
      const absentBody = bodies[operation.operationId]?.(samples)
      const absentUrl =
        path.replaceAll(/\{(\w+)\}/g, (_, name: string) => samples[name] as string) +
        (queries[operation.operationId] ?? '')
      const absent = await harness.call<{ detail: string }>(method, absentUrl, {
        key: harness.other.key,
        ...(absentBody ? { body: absentBody } : {}),
      })
      expect(foreign.body.detail).toBe(absent.body.detail)
      tried.push(operation.operationId)
    }
    expect(tried.length).toBeGreaterThanOrEqual(18)
    expect(await rowsOf(harness)).toEqual(before)
  })

  it('A03 sees nothing of the first one in any list', async () => {
    for (const { path, operation } of operations.filter(
      ({ method, path: at, operation: { security, 'x-permission': permission } }) =>
        method === 'GET' &&
        at.startsWith('/v1') &&
        !at.includes('{') &&
        security === undefined &&
        !isOfInstallation(permission),
    )) {
      const answer = await harness.call(`GET`, path, { key: harness.other.key })
      expect([operation.operationId, answer.status]).toEqual([operation.operationId, 200])
      for (const id of Object.values(ids)) expect(answer.text).not.toContain(id)
    }
  })

  it('A03 cannot learn by filters whether an id exists', async () => {
    const answer = await harness.call('GET', `/v1/tunnels?deviceId=${ids['deviceId']}`, { key: harness.other.key })
    expect(answer.body).toEqual({ data: [], nextCursor: null })
  })
})

/** What the first organization owns, without what a read may touch. */
async function rowsOf({ pool, organization }: Harness): Promise<unknown> {
  const tables = [
    'api_keys',
    'memberships',
    'grants',
    'ssh_keys',
    'devices',
    'networks',
    'attach_attempts',
    'config_links',
    'credentials',
    'attachments',
    'tunnels',
    'tunnel_ports',
    'operations',
    'webhook_endpoints',
    'webhook_keys',
    'webhook_courses',
    'webhook_deliveries',
    'events',
  ]
  const counted = tables.map(async (table) => {
    const { rows } = await pool.query(
      `SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) AS sum FROM ${table} t WHERE organization_id = $1`,
      [organization.id],
    )
    return [table, rows[0].sum] as const
  })
  return Object.fromEntries(await Promise.all(counted))
}
