import { createDatabase, waitFor } from '@culvert/testkit'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  appendEvents,
  brokenConstraint,
  connectPrisma,
  createApiKey,
  ensureOrganization,
  inTransaction,
  isDatabaseUnavailable,
  listen,
  migrate,
  newId,
  notify,
  openPool,
  type Database,
  type Notice,
} from './index.ts'

let url = ''
let pool: pg.Pool
let db: Database
let organizationId = ''

beforeAll(async () => {
  url = await createDatabase(inject('databaseUrl'))
  pool = openPool(url, { applicationName: 'db-test' })
  db = connectPrisma(pool)
  organizationId = (await ensureOrganization(pool, { name: 'Acme', slug: 'acme' })).id
})

afterAll(async () => {
  await db.$disconnect()
  await pool.end()
})

describe('migrations', () => {
  const prisma = (...args: string[]): Promise<{ stdout: string }> =>
    promisify(execFile)('prisma', args, {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      env: { ...process.env, DATABASE_URL: url },
    })

  it('are applied once', async () => {
    expect(await migrate(url)).toEqual([])
  })

  it('leave a database that Prisma itself calls up to date', async () => {
    expect((await prisma('migrate', 'status')).stdout).toContain('Database schema is up to date')
  })

  it('build exactly schema.prisma, apart from what it cannot say', async () => {
    const { stdout } = await prisma(
      'migrate',
      'diff',
      '--from-migrations',
      '../../prisma/migrations',
      '--to-schema',
      '../../prisma/schema.prisma',
      '--exit-code',
    )
    expect(stdout).toContain('No difference detected')
  })

  it('run once when several processes start together', async () => {
    const admin = openPool(inject('databaseUrl'), { max: 1 })
    const name = `migrate_${newId('evt').slice(4)}`
    await admin.query(`CREATE DATABASE ${name}`)
    await admin.end()
    const empty = Object.assign(new URL(url), { pathname: `/${name}` }).href
    const applied = await Promise.all([migrate(empty), migrate(empty), migrate(empty)])
    expect(applied.filter((names) => names.length > 0)).toHaveLength(1)
  })
})

describe('constraints', () => {
  const network = (pool4: string): Promise<unknown> =>
    db.network.create({ data: { id: newId('net'), organizationId, name: newId('net'), pool4 } })

  it('keep pools from overlapping, in the whole installation', async () => {
    await network('10.200.0.0/20')
    for (const pool4 of ['10.200.0.0/20', '10.200.8.0/24', '10.192.0.0/10']) {
      await expect(network(pool4)).rejects.toSatisfy(
        (error) => JSON.stringify(error).includes('23P01') || String(error).includes('overlap'),
      )
    }
    await network('10.200.16.0/20')
  })

  it('keep IPv6 pools from overlapping, and refuse those without 64 bits for hosts', async () => {
    let next = 0
    const network6 = (pool6: string): Promise<unknown> =>
      db.network.create({
        data: { id: newId('net'), organizationId, name: newId('net'), pool4: `10.210.${16 * next++}.0/20`, pool6 },
      })
    await network6('fd00:1:2:8::/64')
    for (const pool6 of ['fd00:1:2:8::/64', 'fd00:1:2::/48', 'fd00::/16']) {
      await expect(network6(pool6)).rejects.toSatisfy(
        (error) => JSON.stringify(error).includes('23P01') || String(error).includes('overlap'),
      )
    }
    await network6('fd00:1:2:9::/64')
    for (const pool6 of ['fd00:1:3::1/64', 'fd00:1:3::/65', '10.211.0.0/20', 'fd00::/8']) {
      await expect(network6(pool6)).rejects.toThrow('networks_pool6_is_a_network')
    }
  })

  it('refuse a pool that is not a network', async () => {
    await expect(network('10.201.0.1/20')).rejects.toThrow('networks_pool4_is_a_network')
  })

  it('allow an ICCID once among the devices of an organization that are not deleted', async () => {
    const [networkId] = (await pool.query<{ id: string }>('SELECT id FROM networks LIMIT 1')).rows.map((row) => row.id)
    let next = 1
    const device = (iccid: string): Promise<unknown> =>
      pool.query(
        `INSERT INTO devices (id, organization_id, network_id, name, iccid, ike_identity, address4) VALUES ($1, $2, $3, 'd', $4, $1, $5)`,
        [newId('dev'), organizationId, networkId, iccid, `10.200.0.${++next}`],
      )
    await device('89014103211118510720')
    const error = await device('89014103211118510720').catch((caught: unknown) => caught)
    expect(brokenConstraint(error)).toBe('devices_organization_id_iccid_key')
    await pool.query(`UPDATE devices SET deleted_at = now() WHERE iccid = '89014103211118510720'`)
    await device('89014103211118510720')
  })

  it('refuse a device in a network of another organization', async () => {
    const other = await ensureOrganization(pool, { name: 'Other', slug: 'other' })
    const { rows } = await pool.query<{ id: string }>('SELECT id FROM networks WHERE organization_id = $1 LIMIT 1', [
      organizationId,
    ])
    const error = await pool
      .query(
        `INSERT INTO devices (id, organization_id, network_id, name, iccid, ike_identity, address4)
         VALUES ($1, $2, $3, 'd', '89014103211118510720', $1, '10.200.1.1')`,
        [newId('dev'), other.id, rows[0]?.id],
      )
      .catch((caught: unknown) => caught)
    expect(brokenConstraint(error)).toBe('devices_organization_id_network_id_fkey')
  })
})

describe('organizations', () => {
  it('are made once for a slug', async () => {
    expect(await ensureOrganization(pool, { name: 'Another name', slug: 'acme' })).toEqual({
      id: organizationId,
      name: 'Acme',
      slug: 'acme',
    })
  })

  it('have keys of which only a hash is stored', async () => {
    const { id, key } = await createApiKey(pool, { organizationId, name: 'first' })
    const { rows } = await pool.query<{ row: string }>('SELECT api_keys::text AS row FROM api_keys WHERE id = $1', [id])
    expect(rows[0]?.row).toContain(id)
    expect(rows[0]?.row).not.toContain(key.slice(-36, -6))
  })
})

describe('events', () => {
  it('are numbered without gap or repeat by writers at the same time', async () => {
    const resourceId = newId('tun')
    await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        inTransaction(pool, (tx) =>
          appendEvents(tx, [
            { organizationId, type: 'tunnel.updated', resourceId, data: { changed: [`${n}`] } },
            { organizationId, type: 'tunnel.updated', resourceId, data: { changed: [`${n}`] } },
          ]),
        ),
      ),
    )
    const { rows } = await pool.query<{ sequence: number }>(
      'SELECT sequence FROM events WHERE resource_id = $1 ORDER BY sequence',
      [resourceId],
    )
    expect(rows.map((row) => row.sequence)).toEqual(Array.from({ length: 16 }, (_, n) => n + 1))
  })

  it('are gone with the transaction that failed', async () => {
    const resourceId = newId('tun')
    await expect(
      inTransaction(pool, async (tx) => {
        await appendEvents(tx, [{ organizationId, type: 'tunnel.updated', resourceId, data: { changed: [] } }])
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    expect(await db.event.count({ where: { resourceId } })).toBe(0)
  })
})

describe('listen', () => {
  it('hears notices, and says so when it had to reconnect', async () => {
    const heard: (Notice | 'reconnected')[] = []
    const listener = listen(url, ['device_changed', 'Gateway_gw-1'], (notice) => heard.push(notice), {
      applicationName: 'ear',
    })
    try {
      await listener.ready
      await notify(pool, 'Gateway_gw-1', 'prt_1')
      await waitFor(() => heard.length >= 2)
      expect(heard).toEqual(['reconnected', { channel: 'Gateway_gw-1', payload: 'prt_1' }])
      await pool.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ear'`)
      await waitFor(() => heard.length >= 3)
      await notify(pool, 'device_changed', 'dev_1')
      await waitFor(() => heard.length >= 4)
      expect(heard.slice(2)).toEqual(['reconnected', { channel: 'device_changed', payload: 'dev_1' }])
    } finally {
      await listener.close()
    }
  })

  it('hears nothing of a transaction that was rolled back', async () => {
    const heard: (Notice | 'reconnected')[] = []
    const listener = listen(url, ['a'], (notice) => heard.push(notice))
    try {
      await listener.ready
      await inTransaction(pool, async (tx) => {
        await notify(tx, 'a', 'lost')
        throw new Error('rolled back')
      }).catch(() => {})
      await notify(pool, 'a', 'kept')
      await waitFor(() => heard.length >= 2)
      expect(heard).toEqual(['reconnected', { channel: 'a', payload: 'kept' }])
    } finally {
      await listener.close()
    }
  })

  it('closes while the server is away', async () => {
    const listener = listen('postgresql://nobody@127.0.0.1:1/none', ['a'], () => {})
    expect(listener.connected()).toBe(false)
    await listener.close()
  })
})

describe('isDatabaseUnavailable', () => {
  it('knows a server that cannot be reached, through pg and through Prisma', async () => {
    const away = 'postgresql://nobody@127.0.0.1:1/none'
    const awayPool = openPool(away)
    const awayDb = connectPrisma(away)
    const errors = await Promise.all([
      awayPool.query('SELECT 1').catch((error: unknown) => error),
      awayDb.device.findMany().catch((error: unknown) => error),
      awayDb.$transaction((tx) => tx.device.findMany()).catch((error: unknown) => error),
    ])
    expect(errors.map((error) => isDatabaseUnavailable(error))).toEqual([true, true, true])
    await awayDb.$disconnect()
    await awayPool.end()
  })

  it('knows a connection that was ended by the server in the middle of a statement', async () => {
    const asleep = pool.query('/* doomed */ SELECT pg_sleep(60)').catch((error: unknown) => error)
    await waitFor(async () => {
      const { rowCount } = await pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '/* doomed%' AND state = 'active'`,
      )
      return (rowCount ?? 0) > 0
    })
    expect(isDatabaseUnavailable(await asleep)).toBe(true)
  })

  it('does not take a mistake for an outage', async () => {
    const errors = await Promise.all([
      pool.query('SELECT nonsense').catch((error: unknown) => error),
      db.$queryRaw`SELECT 1/0`.catch((error: unknown) => error),
    ])
    expect([...errors, null, 'text', new Error('other')].map((error) => isDatabaseUnavailable(error))).toEqual([
      false,
      false,
      false,
      false,
      false,
    ])
  })
})
