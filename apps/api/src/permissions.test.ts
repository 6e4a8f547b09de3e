import { permissions, rolePermissions, roles, type Permission } from '@culvert/contracts'
import { createApiKey } from '@culvert/db'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { requirePermissions, type RoutePermission } from './permissions.ts'
import type { Api } from './context.ts'
import { openHarness, type Harness } from './testing/harness.ts'

interface Operation {
  readonly name: string
  readonly method: string
  readonly url: string
  readonly permission: RoutePermission | undefined
  readonly alsoPermission: Permission | undefined
}

/** For everybody. This list may only shrink: think twice before another operation is put onto it. */
const publicOperations = [
  'finishLogin',
  'getAuthorities',
  'getRevocationList',
  'logIn',
  'logOut',
  'openConfigLink',
  'refreshToken',
  'showConfigLink',
]
/** For whoever has a key, whatever it may do. The same holds. */
const authenticatedOperations = ['getCaller']
/** They show events, or send them where the caller likes. */
const eventOperations = [
  'createWebhookEndpoint',
  'dryRunAutomationRule',
  'dryRunAutomationRuleDraft',
  'enableWebhookEndpoint',
  'getWebhookDelivery',
  'listRuleRuns',
  'listWebhookDeliveries',
  'replayWebhookDelivery',
  'replayWebhookEvents',
  'updateWebhookEndpoint',
]

let harness: Harness
let operations: Operation[] = []

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
  const { body } = await harness.call<{
    paths: Record<
      string,
      Record<string, { operationId: string; 'x-permission'?: RoutePermission; 'x-also-permission'?: Permission }>
    >
  }>('GET', '/openapi.json', { key: null })
  operations = Object.entries(body.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(() => path.startsWith('/v1'))
      .map(([method, operation]) => ({
        name: operation.operationId,
        method: method.toUpperCase(),
        url: path.replaceAll(/\{\w+\}/g, 'x'),
        permission: operation['x-permission'],
        alsoPermission: operation['x-also-permission'],
      })),
  )
})
afterAll(() => harness.close())

async function keyWith(scopes: readonly Permission[]): Promise<string> {
  return (await createApiKey(harness.pool, { organizationId: harness.organization.id, name: 'scoped', scopes })).key
}

describe('every operation', () => {
  it('says its permission, and is public or for any key only where the list says so', () => {
    expect(operations.length).toBeGreaterThan(20)
    const named = (wanted: string): string[] =>
      operations.filter(({ permission }) => permission === wanted).map(({ name }) => name)
    expect(named('public').toSorted()).toEqual(publicOperations.toSorted())
    expect(named('authenticated').toSorted()).toEqual(authenticatedOperations.toSorted())
    for (const { name, permission } of operations) {
      const unknown = [permission ?? []].flat().filter((one) => !(permissions as readonly string[]).includes(one))
      expect([name, unknown]).toEqual([
        name,
        permission === 'public' || permission === 'authenticated' ? [permission] : [],
      ])
    }
  })

  it('answers 403 to a key that has every permission but its own, and not to one that has it alone', async () => {
    for (const { name, method, url, permission, alsoPermission } of operations) {
      if (permission === 'public' || permission === 'authenticated') continue
      const enough = [permission as Permission].flat()
      const without = await keyWith(permissions.filter((one) => !enough.includes(one)))
      const refused = await harness.call<{ code: string; detail: string }>(method, url, { key: without })
      expect([name, refused.status, refused.body.code]).toEqual([name, 403, 'forbidden'])
      for (const one of enough) expect(refused.body.detail).toContain(`\`${one}\``)
      expect(refused.headers['www-authenticate']).toContain('insufficient_scope')
      for (const one of enough) {
        const allowed = await harness.call(method, url, { key: await keyWith([one, alsoPermission ?? one]) })
        expect([name, one, [401, 403].includes(allowed.status)]).toEqual([name, one, false])
      }
    }
  })

  it('that shows or sends events takes events:read as well, and a denial of it is in the audit log', async () => {
    const also = operations.filter(({ alsoPermission }) => alsoPermission === 'events:read')
    expect(also.map(({ name }) => name).toSorted()).toEqual(eventOperations)
    const key = await keyWith(permissions.filter((one) => one !== 'events:read'))
    for (const { name, method, url } of also) {
      const refused = await harness.call<{ code: string; detail: string }>(method, url, { key })
      expect([name, refused.status, refused.body.code]).toEqual([name, 403, 'forbidden'])
      expect(refused.body.detail).toBe('The permission `events:read` is missing.')
      expect(refused.headers['www-authenticate']).toContain('scope="events:read"')
    }
    const { rows } = await harness.pool.query(
      `SELECT 1 FROM audit_log WHERE action = 'access.denied' AND entry LIKE '%permission events:read%'`,
    )
    expect(rows.length).toBeGreaterThanOrEqual(also.length)
  })

  it('answers 403 before it looks at ids, so that the answer is the same for all of them', async () => {
    const key = await keyWith([])
    const answers = await Promise.all(
      ['x', `dev_${'a'.repeat(20)}`].map((id) => harness.call('GET', `/v1/devices/${id}`, { key })),
    )
    expect(answers.map(({ status }) => status)).toEqual([403, 403])
    expect(answers[0]?.body['detail']).toBe(answers[1]?.body['detail'])
  })
})

it('a route under /v1 that does not say its permission keeps the API from starting', () => {
  const hooks: ((route: object) => void)[] = []
  requirePermissions({ addHook: (_: string, hook: (route: object) => void) => hooks.push(hook) } as unknown as Api)
  const [onRoute] = hooks
  const route = (url: string, permission?: string, schema: object = {}): (() => void) => {
    const config = permission === undefined ? {} : { permission }
    return () => onRoute?.({ url, method: 'GET', config, schema })
  }
  expect(route('/v1/things')).toThrow('does not say which permission')
  expect(route('/v1')).toThrow('does not say which permission')
  expect(route('/v1/things', 'public')).toThrow('security')
  expect(route('/v1/things', 'devices:read', { security: [] })).toThrow('security')
  expect(route('/v1/things', 'devices:read')).not.toThrow()
  expect(route('/v1/things', 'public', { security: [] })).not.toThrow()
  expect(route('/health/live')).not.toThrow()
})

describe('roles', () => {
  it('hold less and less, and none of them reaches the installation', () => {
    const sets = roles.map((role) => new Set(rolePermissions[role]))
    for (const [index, set] of sets.entries()) {
      const above = sets[index - 1]
      if (above) expect([...set].filter((permission) => !above.has(permission))).toEqual([])
      expect([...set].filter((permission) => permission.startsWith('installation:'))).toEqual([])
    }
  })

  it('let a viewer change nothing, and open only what it was granted', () => {
    expect(rolePermissions.viewer.filter((permission) => permission.endsWith(':write'))).toEqual([])
    expect(rolePermissions.viewer).toContain('tunnels:open_granted')
    expect(rolePermissions.viewer).not.toContain('api_keys:read')
  })
})
