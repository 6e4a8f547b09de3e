import { createDatabase } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  type Author,
  closeTunnel,
  createDevice,
  deleteDevice,
  ensureOrganization,
  lockPerson,
  maxActiveTunnels,
  newId,
  openPool,
  openTunnel,
  type Pool,
  registerGateway,
  systemAuthor,
} from './index.ts'

const by = systemAuthor('test')
/** As many as the pool has connections: a call that waits for one is refused after a while, whatever the machine does. */
const atOnce = 20

let pool: Pool
let organizationId: string

beforeAll(async () => {
  pool = openPool(await createDatabase(inject('databaseUrl')), { max: atOnce })
  organizationId = (await ensureOrganization(pool, { name: 'Acme', slug: 'acme' })).id
  await registerGateway(pool, { id: 'gw-1', bindAddress: '::', publicHost: 'gw', portFrom: 20_000, portTo: 20_999 })
})
afterAll(() => pool.end())

describe('at the same time', () => {
  it('many calls open no more tunnels to a device than it may have', async () => {
    const deviceId = await addDevice()
    const opened = []
    for (let wave = 0; wave < 5; wave++)
      opened.push(...(await Promise.all(Array.from({ length: atOnce }, () => open(deviceId)))))
    const ids = opened.flatMap((tunnel) => (typeof tunnel === 'string' || 'missing' in tunnel ? [] : [tunnel.id]))
    expect(ids).toHaveLength(maxActiveTunnels)
    expect(opened.filter((tunnel) => tunnel === 'tunnel_limit')).toHaveLength(100 - maxActiveTunnels)
    await closeTunnel(pool, { organizationId, id: ids[0] ?? '' }, { by })
    expect(await open(deviceId)).toMatchObject({ state: 'waiting_for_device' })
  })

  it('a device is deleted once, and no tunnel outlives it', async () => {
    const deviceId = await addDevice()
    const key = { organizationId, id: deviceId, ifVersion: null }
    const [first, second, ...opened] = await Promise.all([
      deleteDevice(pool, key, { by }),
      deleteDevice(pool, key, { by }),
      ...Array.from({ length: 20 }, () => open(deviceId)),
    ])
    expect([first, second].filter((answer) => answer === 'not_found')).toHaveLength(1)
    expect(opened.every((tunnel) => tunnel === 'not_found' || typeof tunnel === 'object')).toBe(true)
    const { rows } = await pool.query(`SELECT state FROM tunnels WHERE device_id = $1 AND state <> 'closed'`, [
      deviceId,
    ])
    expect(rows).toEqual([])
  })

  it('a person is locked out of the installation, and no tunnel that a call of it was opening meanwhile outlives that', async () => {
    const [deviceId, id] = [await addDevice(), 'usr_eve']
    await pool.query(
      `INSERT INTO users (id, issuer, subject, email) VALUES ($1, 'https://idp', $1, 'eve@acme.example')`,
      [id],
    )
    await pool.query(
      `INSERT INTO memberships (id, organization_id, user_id, email, role) VALUES ('mem_eve', $1, $2, 'eve@acme.example', 'admin')`,
      [organizationId, id],
    )
    const eve = { kind: 'user', id, requestId: null, address: null } as const
    expect(await open(deviceId, eve)).toMatchObject({ state: 'waiting_for_device' })
    await Promise.all([
      lockPerson(pool, id, { by, withKeys: false }),
      ...Array.from({ length: 8 }, () => open(deviceId, eve)),
    ])
    expect(await open(deviceId, eve)).toBe('opener_revoked')
    const { rows } = await pool.query(`SELECT state FROM tunnels WHERE opened_by_id = $1 AND state <> 'closed'`, [id])
    expect(rows).toEqual([])
  })
})

let count = 0
async function addDevice(): Promise<string> {
  const device = await createDevice(
    pool,
    {
      organizationId,
      zone: 'test',
      iccid: `8944000000000000${String(++count).padStart(3, '0')}`,
      imsi: null,
      imei: null,
      eid: null,
      name: newId('dev'),
      tags: [],
      tunnelable: true,
      lanPrefixes: [],
      proposalTiers: null,
    },
    { by },
  )
  if (typeof device === 'string') throw new Error(device)
  return device.id
}

function open(deviceId: string, opener: Author = by): ReturnType<typeof openTunnel> {
  return openTunnel(
    pool,
    {
      organizationId,
      deviceId,
      devicePort: 22,
      deviceHost: null,
      ttlSec: 60,
      allowFrom: ['0.0.0.0/0'],
      waitForDevice: true,
      maxBytes: null,
      rateLimit: null,
    },
    { by: opener },
  )
}
