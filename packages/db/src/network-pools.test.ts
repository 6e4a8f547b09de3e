import { createDatabase } from '@culvert/testkit'
import { beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { ensureOrganization, inTenantTransaction, newId, openPool, systemAuthor, type Pool } from './index.ts'
import { freePool4, nextAddresses } from './network-pools.ts'
import { ensureNetwork } from './networks.ts'

let pool: Pool
let organizationId = ''
let networkId = ''

beforeAll(async () => {
  pool = openPool(await createDatabase(inject('databaseUrl')))
  return () => pool.end()
})
beforeEach(async () => {
  await pool.query('DELETE FROM devices')
  await pool.query('DELETE FROM networks')
  organizationId = await newOrganization()
  networkId = await newNetwork()
})

async function newOrganization(): Promise<string> {
  return (await ensureOrganization(pool, { name: 'Acme', slug: newId('org').replace('_', '-') })).id
}

async function newNetwork(): Promise<string> {
  const wanted = { organizationId, name: newId('net'), pool6Prefix: 'fd00::/48', by: systemAuthor('test') }
  return (await inTenantTransaction(pool, organizationId, (tx) => ensureNetwork(tx, wanted))) ?? ''
}

/** Takes addresses as registration does: a device has each. */
function take(count: number, id = networkId): Promise<string[]> {
  return inTenantTransaction(pool, organizationId, async (tx) => {
    const addresses = await nextAddresses(tx, { organizationId, id }, count)
    await tx.query(
      `INSERT INTO devices (id, organization_id, network_id, name, iccid, ike_identity, address4, updated_at)
       SELECT 'dev_' || a, $1, $2, a, lpad((a::inet - '0.0.0.0'::inet)::text, 20, '89'), a, a::inet, now() FROM unnest($3::text[]) AS v(a)`,
      [organizationId, id, addresses],
    )
    return addresses
  })
}

async function poolsOf(id = networkId): Promise<string[]> {
  const { rows } = await pool.query<{ pool: string }>(
    'SELECT pool4::text AS pool FROM network_pools WHERE network_id = $1 ORDER BY pool4',
    [id],
  )
  return rows.map((row) => row.pool)
}

describe('a network', () => {
  it('begins with 4096 addresses and grows by as many as it has, beside those of others', async () => {
    const other = await newNetwork()
    expect([await poolsOf(), await poolsOf(other)]).toEqual([['10.128.0.0/20'], ['10.128.16.0/20']])
    expect(await take(4_063)).toHaveLength(4_063)
    expect(await poolsOf()).toHaveLength(1)
    expect(await take(1)).toEqual(['10.128.32.2'])
    expect(await poolsOf()).toEqual(['10.128.0.0/20', '10.128.32.0/20'])
    await take(5_000)
    expect(await poolsOf()).toEqual(['10.128.0.0/20', '10.128.32.0/20', '10.128.64.0/19'])
  })

  it('gives no address twice, and none that looks like a network or a broadcast', async () => {
    const parts = await Promise.all([take(3_000), take(1), take(3_000), take(1)])
    const all = parts.flat()
    expect(new Set(all).size).toBe(6_002)
    expect(all.filter((address) => /\.(0|255)$/.test(address))).toEqual([])
  })

  it('gives a freed address out again only after all others', async () => {
    const [first] = await take(1)
    await pool.query('DELETE FROM devices')
    expect(await take(1)).not.toEqual([first])
    await take(4_061)
    expect(await take(1)).toEqual([first])
    expect(await poolsOf()).toHaveLength(1)
  })

  it('takes a smaller pool when no larger one is free, and is full when there is none at all', async () => {
    await take(4_063)
    const other = await newOrganization()
    await pool.query(
      `INSERT INTO networks (id, organization_id, name, pool4) VALUES ('net_other', $1, 'x', '10.192.0.0/10')`,
      [other],
    )
    await pool.query(
      `INSERT INTO network_pools (pool4, organization_id, network_id)
       SELECT v.pool::inet, $1, 'net_other' FROM unnest(ARRAY['10.160.0.0/11', '10.144.0.0/12', '10.136.0.0/13', '10.132.0.0/14',
         '10.130.0.0/15', '10.129.0.0/16', '10.128.128.0/17', '10.128.64.0/18', '10.128.32.0/19', '10.128.16.0/21', '10.128.24.0/22']) AS v(pool)`,
      [other],
    )
    expect(await take(1_100)).toHaveLength(4 * 254 - 1)
    expect(await poolsOf()).toEqual(['10.128.0.0/20', '10.128.28.0/22'])
    expect(await take(1)).toEqual([])
    expect(await inTenantTransaction(pool, organizationId, (tx) => freePool4(tx, 28))).toBeNull()
  })

  it('grows no further than what its organization may have of the range', async () => {
    await pool.query(
      `INSERT INTO network_pools (pool4, organization_id, network_id)
       SELECT v.pool::inet, $1, $2 FROM unnest(ARRAY['10.192.0.0/12', '10.208.0.0/13', '10.216.0.0/14', '10.220.0.0/15', '10.222.0.0/16',
         '10.223.0.0/17', '10.223.128.0/18', '10.223.240.0/21']) AS v(pool)`,
      [organizationId, await newNetwork()],
    )
    expect(await take(11_000)).toHaveLength(2 * (16 * 254 - 1) + 8 * 254 - 1)
    expect(await poolsOf()).toEqual(['10.128.0.0/20', '10.128.32.0/20', '10.128.48.0/21'])
  })

  it('keeps pools of all networks from overlapping, also those it has grown by', async () => {
    await take(4_064)
    const write = pool.query(
      `INSERT INTO networks (id, organization_id, name, pool4, updated_at) VALUES ($1, $2, 'x', '10.128.16.0/24', now())`,
      [newId('net'), organizationId],
    )
    await expect(write).rejects.toThrow('network_pools_never_overlap')
  })
})
