import { createDatabase } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createDevice, type NewDevice } from './devices.ts'
import { migrate } from './migrate.ts'
import { ensureOrganization } from './organizations.ts'
import { openPool } from './pool.ts'
import { allotPools6 } from './pools6.ts'
import type { Pool } from 'pg'
import { systemAuthor } from './author.ts'

const by = systemAuthor('test')

let pool: Pool
let iccid = 8_949_020_000_000_000_000n

beforeAll(async () => {
  const url = await createDatabase(inject('databaseUrl'))
  await migrate(url)
  pool = openPool(url, { max: 8, applicationName: 'test' })
})
afterAll(() => pool.end())

async function addDevice(
  slug: string,
  pool6Prefix?: string | null,
): Promise<{ address4: string; address6: string | null }> {
  const { id: organizationId } = await ensureOrganization(pool, { name: slug, slug })
  const rest = {
    imsi: null,
    imei: null,
    eid: null,
    name: null,
    tags: [],
    tunnelable: true,
    lanPrefixes: [],
    proposalTiers: null,
  }
  const device: NewDevice = { organizationId, zone: 'z', iccid: String(iccid++), ...rest }
  const made = await createDevice(pool, pool6Prefix === undefined ? device : { ...device, pool6Prefix }, { by })
  if (typeof made === 'string') throw new Error(made)
  return made
}

const poolsOf = async (): Promise<Record<string, string | null>> => {
  const { rows } = await pool.query<{ slug: string; pool6: string | null }>(
    'SELECT o.slug, n.pool6::text AS pool6 FROM networks n JOIN organizations o ON o.id = n.organization_id',
  )
  return Object.fromEntries(rows.map(({ slug, pool6 }) => [slug, pool6]))
}

const hostOf = (address4: string): number => {
  const [, , third = 0, fourth = 0] = address4.split('.').map(Number)
  return (third % 16) * 256 + fourth
}

describe('IPv6 pools', () => {
  it('come out of the prefix one after the other, a gap first, and never twice', async () => {
    const prefix = 'fd00:0:0:8::/61'
    const all = await Promise.all(['a', 'b', 'c', 'd'].map((slug) => addDevice(slug, prefix)))
    expect(new Set(all.map(({ address6 }) => address6)).size).toBe(4)
    const pools = new Set(Object.values(await poolsOf()))
    expect(pools).toEqual(new Set(['fd00:0:0:8::/64', 'fd00:0:0:9::/64', 'fd00:0:0:a::/64', 'fd00:0:0:b::/64']))
    await pool.query('UPDATE devices SET address6 = NULL')
    await pool.query(`UPDATE networks SET pool6 = 'fd00:0:0:c::/63' WHERE pool6 = 'fd00:0:0:9::/64'`)
    await addDevice('e', prefix)
    await addDevice('f', prefix)
    expect(await poolsOf()).toMatchObject({ e: 'fd00:0:0:9::/64', f: 'fd00:0:0:e::/64' })
  })

  it('are not made without a prefix, nor from one that is used up or no IPv6', async () => {
    for (const [slug, prefix] of Object.entries({
      g: null,
      h: 'fd00:0:0:8::/64',
      i: '10.0.0.0/8',
      j: 'fd01::/96',
      k: 'x',
    })) {
      expect(await addDevice(slug, prefix)).toMatchObject({ address6: null })
    }
    expect(await addDevice('l')).toMatchObject({ address6: null })
    expect(await poolsOf()).toMatchObject({ g: null, h: null, i: null, j: null, k: null, l: null })
  })

  it('give a device the host number of its IPv4 address, and never change it', async () => {
    const prefix = 'fd02::/48'
    const devices = [await addDevice('m', prefix), await addDevice('m', 'fd03::/48'), await addDevice('m', null)]
    for (const { address4, address6 } of devices) {
      expect(address6).toBe(`fd02::${hostOf(address4).toString(16)}`)
    }
  })

  it('are made up for networks from before, and their devices told to concentrators as changed', async () => {
    const before = await addDevice('n', null)
    const versions = 'SELECT host(address6) AS address6, policy_version FROM devices WHERE address4 = $1'
    expect((await pool.query(versions, [before.address4])).rows).toEqual([{ address6: null, policy_version: 1 }])
    expect(await allotPools6(pool, 'fd04::/48')).toBeGreaterThanOrEqual(1)
    expect(Object.values(await poolsOf())).not.toContain(null)
    const [device] = (await pool.query(versions, [before.address4])).rows
    expect(device).toMatchObject({ address6: expect.stringMatching(/^fd04:/), policy_version: 2 })
    expect(await allotPools6(pool, 'fd04::/48')).toBe(0)
    expect((await pool.query(versions, [before.address4])).rows).toEqual([device])
  })
})
