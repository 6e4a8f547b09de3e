/** Lists beside that of devices: each row once and in order, by every filter and order, and by no plan that reads a table whole. */
import { createDatabase } from '@culvert/testkit'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { listAttachments, type AttachmentFilter } from './attachment-list.ts'
import { listConnections, type ConnectionFilter } from './connections.ts'
import { openPool, type Pool } from './index.ts'
import type { ListedPage, ListRequest } from './ordered-list.ts'
import { listTunnels, type TunnelFilter } from './tunnel-list.ts'
import { listDeliveries, type DeliveryFilter } from './webhooks/deliveries.ts'

const count = 4_500
let pool: Pool
/** As the API does it, with the policies of its role in each plan. */
let api: Pool
const organizationId = 'org_a'
const start = Date.parse('2026-01-01T00:00:00Z')

/** Two organizations with the same rows; times repeat, so that ids decide. Each tunnel has one connection, each device one attachment. */
beforeAll(async () => {
  const url = await createDatabase(inject('databaseUrl'))
  pool = openPool(url)
  api = openPool(url, { role: 'culvert_api' })
  const both = `(VALUES ('a'), ('b')) AS o(id)`
  for (const statement of [
    `INSERT INTO organizations (id, name, slug, updated_at) VALUES ('org_a', 'A', 'a', now()), ('org_b', 'B', 'b', now())`,
    `INSERT INTO networks (id, organization_id, name, pool4, updated_at) VALUES ('net_a', 'org_a', 'a', '10.128.0.0/16', now()),
       ('net_c', 'org_a', 'c', '10.130.0.0/16', now()), ('net_b', 'org_b', 'b', '10.129.0.0/16', now())`,
    `INSERT INTO concentrators (id, slot, addresses, ike_identity, tun_namespace, dial_address)
       VALUES ('con-1', 1, '{}', 'c', 't', '10.127.0.1'), ('con-2', 2, '{}', 'c', 't', '10.127.0.1')`,
    `INSERT INTO gateways (id, bind_address, public_host, port_from, port_to) VALUES ('gw-1', '0.0.0.0', 'gw', 1, 2)`,
    `INSERT INTO devices (id, organization_id, network_id, name, iccid, tags, ike_identity, address4, updated_at)
       SELECT 'dev_' || o.id || i, 'org_' || o.id, CASE WHEN o.id = 'b' THEN 'net_b' WHEN i % 10 = 0 THEN 'net_c' ELSE 'net_a' END, 'd', '8944' || lpad(i::text, 16, '0'),
         CASE WHEN i % 5 = 0 THEN ARRAY['five'] ELSE '{}' END, o.id || i, CASE o.id WHEN 'a' THEN '10.128.0.2'::inet ELSE '10.129.0.2'::inet END + i, now()
       FROM generate_series(0, 299) AS i, ${both}`,
    `INSERT INTO attachments (device_id, organization_id, concentrator_id, epoch, state, remote_address, remote_port, behind_nat, attached_at, last_seen_at)
       SELECT 'dev_' || o.id || i, 'org_' || o.id, CASE WHEN i % 4 = 0 THEN 'con-2' ELSE 'con-1' END, 1, CASE WHEN i % 3 = 0 THEN 'attached' ELSE 'detached' END,
         '192.0.2.' || i % 7, 4500, i % 2 = 0, now(), '2026-01-01'::timestamptz + (i / 3) * interval '1 minute' FROM generate_series(0, 299) AS i, ${both}`,
    `INSERT INTO tunnels (id, organization_id, device_id, state, reason, closed_at, allow_from, ttl_sec, expires_at, created_at, opened_by_kind, opened_by_id, grant_id)
       SELECT 'tun_' || o.id || lpad(i::text, 5, '0'), 'org_' || o.id, 'dev_' || o.id || i % 300,
         CASE WHEN i % 90 = 0 THEN 'open' WHEN i % 90 = 1 THEN 'opening' WHEN i % 9 = 2 THEN 'failed' ELSE 'closed' END,
         CASE WHEN i % 90 >= 2 THEN 'requested' END, CASE WHEN i % 90 >= 2 THEN now() END, '{0.0.0.0/0}', 60,
         '2026-03-01'::timestamptz - (i / 4) * interval '1 minute', '2026-01-01'::timestamptz + (i / 4) * interval '1 minute', 'api_key', 'key_' || i % 6,
         CASE WHEN i % 70 = 0 THEN 'grt_x' END
       FROM generate_series(0, ${count - 1}) AS i, ${both}`,
    `INSERT INTO tunnel_ports (id, organization_id, tunnel_id, gateway_id, protocol, device_port, device_host, desired)
       SELECT 'prt_' || id, organization_id, id, 'gw-1', 'tcp', CASE WHEN right(id, 1) = '0' THEN 443 ELSE 22 END,
         CASE WHEN right(id, 2) = '50' THEN '192.168.1.7'::inet END, 'close' FROM tunnels`,
    `INSERT INTO connections (id, organization_id, tunnel_id, tunnel_port_id, client_address, client_port, state, reason, opened_at)
       SELECT 'con_' || substr(t.id, 5), t.organization_id, t.id, 'prt_' || t.id, ('203.0.113.' || substr(t.id, 6)::int % 250)::inet, 4000,
         CASE WHEN substr(t.id, 6)::int % 40 = 0 THEN 'refused' WHEN substr(t.id, 6)::int % 400 = 1 THEN 'open' ELSE 'closed' END,
         CASE WHEN substr(t.id, 6)::int % 40 = 0 THEN 'not_allowed' END, t.created_at FROM tunnels t`,
    `INSERT INTO webhook_endpoints (id, organization_id, name, url, updated_at) SELECT 'whe_' || o.id, 'org_' || o.id, 'w', 'https://a.example', now() FROM ${both}`,
    `INSERT INTO webhook_deliveries (id, organization_id, endpoint_id, event_id, event_type, resource_id, state, next_attempt_at, finished_at, created_at)
       SELECT 'whd_' || substr(id, 5), organization_id, 'whe_' || right(organization_id, 1), 'evt_' || substr(id, 5),
         CASE WHEN right(id, 2) = '07' THEN 'tunnel.failed' ELSE 'tunnel.opened' END, id,
         CASE right(id, 1) WHEN '7' THEN 'failed' WHEN '8' THEN 'pending' ELSE 'delivered' END,
         CASE WHEN right(id, 1) = '8' THEN now() END, CASE WHEN right(id, 1) <> '8' THEN now() END, created_at FROM tunnels`,
    'ANALYZE',
  ])
    await pool.query(statement)
  return () => Promise.all([pool.end(), api.end()])
})

const minutes = (number: number): Date => new Date(start + number * 60_000)
const all = Array.from({ length: count }, (_, index) => index)
const isActive = (i: number): boolean => i % 90 < 2
const tunnelId = (i: number): string => `tun_a${String(i).padStart(5, '0')}`

const tunnelFilters: [name: string, filter: TunnelFilter, fits: (i: number) => boolean][] = [
  ['nothing', {}, () => true],
  ['a device', { deviceId: 'dev_a7' }, (i) => i % 300 === 7],
  ["another organization's device", { deviceId: 'dev_b7' }, () => false],
  ['a state', { states: ['open'] }, (i) => i % 90 === 0],
  ['a state that has ended', { states: ['failed'] }, (i) => !isActive(i) && i % 9 === 2],
  ['states of both kinds', { states: ['open', 'failed'] }, (i) => i % 90 === 0 || (!isActive(i) && i % 9 === 2)],
  ['active', { active: true }, isActive],
  ['ended', { active: false }, (i) => !isActive(i)],
  ['a port', { devicePort: 443 }, (i) => i % 10 === 0],
  ['a host', { deviceHost: '192.168.1.7' }, (i) => i % 100 === 50],
  ['who opened it', { openedBy: 'key_3' }, (i) => i % 6 === 3],
  ['a grant', { grantId: 'grt_x' }, (i) => i % 70 === 0],
  ['a network', { networkId: 'net_c' }, (i) => i % 10 === 0],
  ['a tag', { tag: 'five' }, (i) => i % 5 === 0],
  [
    'times',
    { createdFrom: minutes(100), createdBefore: minutes(110) },
    (i) => Math.floor(i / 4) >= 100 && Math.floor(i / 4) < 110,
  ],
  ['a tag nobody has', { tag: 'none' }, () => false],
]
const connectionFilters: [name: string, filter: ConnectionFilter, fits: (i: number) => boolean][] = [
  ['nothing', {}, () => true],
  ['a device', { deviceId: 'dev_a7' }, (i) => i % 300 === 7],
  ['a tunnel', { tunnelId: tunnelId(70) }, (i) => i === 70],
  ['a tunnel of another device', { tunnelId: tunnelId(70), deviceId: 'dev_a71' }, () => false],
  ['refused', { state: 'refused' }, (i) => i % 40 === 0],
  ['closed', { state: 'closed' }, (i) => i % 40 !== 0 && i % 400 !== 1],
  ['a reason', { reason: 'not_allowed' }, (i) => i % 40 === 0],
  ['a client', { clientPrefix: '203.0.113.8/32' }, (i) => i % 250 === 8],
  ['a prefix of clients', { clientPrefix: '203.0.113.0/29' }, (i) => i % 250 < 8],
  ['a port', { devicePort: 443 }, (i) => i % 10 === 0],
  [
    'times',
    { openedFrom: minutes(5), openedBefore: minutes(7) },
    (i) => Math.floor(i / 4) >= 5 && Math.floor(i / 4) < 7,
  ],
]
const attachmentFilters: [name: string, filter: AttachmentFilter, fits: (i: number) => boolean][] = [
  ['nothing', {}, () => true],
  ['attached', { state: 'attached' }, (i) => i % 3 === 0],
  ['a concentrator', { state: 'detached', concentratorId: 'con-2' }, (i) => i % 3 !== 0 && i % 4 === 0],
  ['an outer address', { remoteAddress: '192.0.2.3' }, (i) => i % 7 === 3],
  ['a NAT', { behindNat: false }, (i) => i % 2 === 1],
  ['a network', { networkId: 'net_c' }, (i) => i % 10 === 0],
  ['a tag', { tag: 'five' }, (i) => i % 5 === 0],
  [
    'times',
    { seenFrom: minutes(10), seenBefore: minutes(20) },
    (i) => Math.floor(i / 3) >= 10 && Math.floor(i / 3) < 20,
  ],
]
const deliveryFilters: [name: string, filter: DeliveryFilter, fits: (i: number) => boolean][] = [
  ['nothing', {}, () => true],
  ['failed', { state: 'failed' }, (i) => i % 10 === 7],
  ['waiting', { state: 'pending' }, (i) => i % 10 === 8],
  ['a type', { eventType: 'tunnel.failed' }, (i) => i % 100 === 7],
  ['a type that never was', { eventType: 'tunnel.gone' }, () => false],
  ['a resource', { resourceId: tunnelId(70) }, (i) => i === 70],
  ['an event', { eventId: 'evt_a00077', state: 'failed' }, (i) => i === 77],
  ['times', { from: minutes(5), before: minutes(7) }, (i) => Math.floor(i / 4) >= 5 && Math.floor(i / 4) < 7],
]

/** Follows the pages to the end, and has each statement's plan looked at. */
async function everyPage<Row, By extends string>(
  list: (pool: Pool, page: ListRequest<By>) => Promise<ListedPage<Row>>,
  sort: ListRequest<By>['sort'],
): Promise<Row[]> {
  const found: Row[] = []
  let after: ListRequest<By>['after'] = null
  do {
    const page: ListedPage<Row> = await list(api, { limit: 2_000, after, sort })
    found.push(...page.rows)
    after = page.next
  } while (after !== null)
  const plans: string[] = []
  await list(explaining(plans), { limit: 50, after: null, sort })
  expect(plans.length).toBeGreaterThan(0)
  for (const plan of plans) {
    expect(plan).not.toMatch(/Seq Scan on (tunnels|tunnel_ports|connections|attachments|devices|webhook_\w+)/)
    for (const rows of scannedRows(plan)) expect(rows, plan).toBeLessThanOrEqual(4_001)
  }
  return found
}

/** Ids of rows that fit, in the order of a key that grows with their number, then of their ids. */
function inOrder(
  idOf: (i: number) => string,
  chosen: number[],
  keyOf: (i: number) => number,
  descending: boolean,
): string[] {
  const sorted = chosen.toSorted((a, b) => keyOf(a) - keyOf(b) || (idOf(a) < idOf(b) ? -1 : 1)).map(idOf)
  return descending ? sorted.toReversed() : sorted
}

describe.each([true, false])('descending %s', (descending) => {
  it.each(tunnelFilters)('tunnels by %s are those and no others, each once', async (_name, filter, fits) => {
    for (const by of ['createdAt', 'expiresAt'] as const) {
      const rows = await everyPage((sql, page) => listTunnels(sql, organizationId, filter, page), { by, descending })
      const chosen = all.filter((i) => fits(i) && (by === 'createdAt' || isActive(i)))
      const keyOf = (i: number): number => (by === 'createdAt' ? 1 : -1) * Math.floor(i / 4)
      expect(rows.map(({ id }) => id)).toEqual(inOrder(tunnelId, chosen, keyOf, descending))
    }
  })

  it.each(connectionFilters)('connections by %s are those and no others, each once', async (_name, filter, fits) => {
    const sort = { by: 'openedAt', descending } as const
    const rows = await everyPage((sql, page) => listConnections(sql, organizationId, filter, page), sort)
    const idOf = (i: number): string => `con_a${String(i).padStart(5, '0')}`
    expect(rows.map(({ id }) => id)).toEqual(inOrder(idOf, all.filter(fits), (i) => Math.floor(i / 4), descending))
  })

  it.each(deliveryFilters)('deliveries by %s are those and no others, each once', async (_name, filter, fits) => {
    const sort = { by: 'createdAt', descending } as const
    const rows = await everyPage((sql, page) => listDeliveries(sql, organizationId, 'whe_a', { filter, page }), sort)
    const idOf = (i: number): string => `whd_a${String(i).padStart(5, '0')}`
    expect(rows.map(({ id }) => id)).toEqual(inOrder(idOf, all.filter(fits), (i) => Math.floor(i / 4), descending))
  })

  it.each(attachmentFilters)('attachments by %s are those and no others, each once', async (_name, filter, fits) => {
    for (const by of ['deviceId', 'lastSeenAt'] as const) {
      const rows = await everyPage((sql, page) => listAttachments(sql, organizationId, filter, page), {
        by,
        descending,
      })
      const chosen = all.slice(0, 300).filter(fits)
      const keyOf = (i: number): number => (by === 'deviceId' ? 0 : Math.floor(i / 3))
      expect(rows.map(({ deviceId }) => deviceId)).toEqual(inOrder((i) => `dev_a${i}`, chosen, keyOf, descending))
    }
  })
})

/** A pool whose statements that read lists leave their plans, with what they really read. */
function explaining(plans: string[]): Pool {
  return {
    connect: async () => {
      const client = await api.connect()
      const query = async (statement: unknown, values?: unknown[]): Promise<unknown> => {
        if (typeof statement === 'string' && statement.startsWith('SELECT walked.key')) {
          const { rows } = await client.query(
            `EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF, BUFFERS OFF) ${statement}`,
            values,
          )
          plans.push(rows.map((row: Record<string, unknown>) => row['QUERY PLAN']).join('\n'))
        }
        return client.query(statement as string, values)
      }
      return new Proxy(client, {
        get: (target, name) => {
          if (name === 'query') return query
          const value: unknown = Reflect.get(target, name, target)
          return typeof value === 'function' ? (value.bind(target) as unknown) : value
        },
      })
    },
  } as unknown as Pool
}

/** Rows that each scan of the plan gave or threw away, over all its loops. */
function scannedRows(plan: string): number[] {
  const scans = [...plan.matchAll(/Scan.*?actual rows=([\d.]+) loops=(\d+)/g)].map(
    ([, rows, loops]) => Number(rows) * Number(loops),
  )
  const thrown = [...plan.matchAll(/Rows Removed by Filter: (\d+)/g)].map(([, rows]) => Number(rows))
  return [...scans, ...thrown]
}
