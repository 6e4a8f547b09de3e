/**
 * Inner addresses: pools out of the installation's range, and a device's stable address out of a pool of its network. A network
 * that is full grows by another pool as large as it is itself, so that a million devices need no more than a few pools.
 *
 * Pools are given out under one lock for the installation, addresses under the lock of their network's row, so that two at the
 * same time never get the same. The search for an address goes around in each pool: one that was freed rests for as long as
 * there are others, and a search never looks at more than a bounded part of a pool.
 */
import { tellConcentrators } from './nodes.ts'
import { allocationLock } from './pools6.ts'
import type { TenantSql } from './tenant-sql.ts'

/** Inner pools of the installation come out of this. */
export const innerAddressRange = '10.128.0.0/9'
/** Length of the first pool of a network: 4096 addresses. */
export const firstPoolBits = 20
/** A network never grows beyond so many addresses: one must not use up the range of all. */
const maxNetworkSize = 2 ** 20
/** Nor an organization with all its networks: a quarter of the range. */
const maxOrganizationSize = 2 ** 21
const smallestPoolBits = 28
/** Addresses that one look into a pool covers. */
const windowSize = 512
/** Looks into a pool before it counts as full. */
const maxWindows = 32
const fullForSec = 3_600

/** Under `allocationLock`. @returns a pool, CIDR; null when no block of this length is free */
export async function freePool4(tx: TenantSql, bits: number): Promise<string | null> {
  const { rows } = await tx.query<{ pool: string | null }>('SELECT free_pool4($1::inet, $2)::text AS pool', [
    innerAddressRange,
    bits,
  ])
  return rows[0]?.pool ?? null
}

/** Holds under `allocationLock`. @returns how many addresses the pools of the organization's networks may have beside those they have */
export async function addressesLeft(tx: TenantSql, organizationId: string): Promise<number> {
  const { rows } = await tx.query<{ taken: number }>(
    'SELECT coalesce(sum(2 ^ (32 - masklen(pool4))), 0)::float8 AS taken FROM network_pools WHERE organization_id = $1',
    [organizationId],
  )
  return maxOrganizationSize - (rows[0]?.taken ?? 0)
}

/** @param pool4 CIDR */
export function poolSizeOf(pool4: string): number {
  return 2 ** (32 - Number(pool4.split('/')[1]))
}

/**
 * Holds a lock on the network until the transaction ends. Never gives out a pool's own address, its first host or its last
 * address, nor a host that ends in .0 or .255, which some equipment mistakes for a network or a broadcast.
 *
 * @returns `count` free addresses; fewer when the network cannot grow any more
 */
export async function nextAddresses(
  tx: TenantSql,
  { organizationId, id }: { organizationId: string; id: string },
  count: number,
): Promise<string[]> {
  await tx.query('SELECT 1 FROM networks WHERE organization_id = $1 AND id = $2 FOR UPDATE', [organizationId, id])
  const found: number[] = []
  const pools = await readPools(tx, organizationId, id)
  for (const pool of pools.filter(({ isFull }) => !isFull)) {
    if (found.length < count) found.push(...(await takeFrom(tx, pool, count - found.length)))
  }
  let size = pools.reduce((sum, pool) => sum + pool.size, 0)
  while (found.length < count) {
    const wanted = Math.min(Math.max(size, 2 * (count - found.length)), maxNetworkSize - size)
    const pool = await grow(tx, organizationId, id, wanted)
    if (pool === null) break
    size += pool.size
    found.push(...(await takeFrom(tx, pool, count - found.length)))
  }
  return found.map(numberToIp4)
}

interface AddressPool {
  readonly pool4: string
  readonly first: number
  readonly size: number
  /** Offset where the search goes on. */
  readonly nextHost: number
  readonly isFull: boolean
}

/** The newest first: it has most free addresses. */
async function readPools(tx: TenantSql, organizationId: string, networkId: string): Promise<AddressPool[]> {
  const { rows } = await tx.query<{ pool4: string; bits: number; nextHost: string; isFull: boolean }>(
    `SELECT pool4::text AS pool4, masklen(pool4) AS bits, next_host AS "nextHost", coalesce(full_until > now(), false) AS "isFull"
     FROM network_pools WHERE organization_id = $1 AND network_id = $2 ORDER BY created_at DESC, pool4`,
    [organizationId, networkId],
  )
  return rows.map((row) => toPool(row.pool4, row.bits, Number(row.nextHost), row.isFull))
}

function toPool(pool4: string, bits: number, nextHost: number, isFull: boolean): AddressPool {
  return { pool4, first: ip4ToNumber(pool4.split('/')[0] ?? ''), size: 2 ** (32 - bits), nextHost, isFull }
}

/** Read after the lock was got, in statements of their own: they see what the one before committed. */
async function takeFrom(tx: TenantSql, pool: AddressPool, count: number): Promise<number[]> {
  const found: number[] = []
  const window = Math.max(windowSize, 2 * count)
  let at = pool.nextHost
  // Once around: those just found count as free still.
  let left = pool.size - 3
  for (let turn = 0; turn < maxWindows && left > 0 && found.length < count; turn++) {
    if (at >= pool.size - 1) at = 2
    const end = Math.min(at + Math.min(window, left), pool.size - 1)
    const taken = await takenBetween(tx, pool.first + at, pool.first + end)
    const from = at
    for (; at < end && found.length < count; at++) {
      const address = pool.first + at
      const last = address % 256
      if (last !== 0 && last !== 255 && !taken.has(address)) found.push(address)
    }
    left -= at - from
  }
  await tx.query(
    `UPDATE network_pools SET next_host = $2, full_until = CASE WHEN $3 THEN now() + $4 * interval '1 second' END WHERE pool4 = $1::inet`,
    [pool.pool4, at, found.length < count, fullForSec],
  )
  return found
}

/** Deleted devices keep theirs until their row is gone. */
async function takenBetween(tx: TenantSql, from: number, end: number): Promise<Set<number>> {
  const { rows } = await tx.query<{ address: string }>(
    'SELECT host(address4) AS address FROM devices WHERE address4 >= $1::inet AND address4 < $2::inet',
    [numberToIp4(from), numberToIp4(end)],
  )
  return new Set(rows.map(({ address }) => ip4ToNumber(address)))
}

/** By a pool of this size, or the largest smaller one that is free and that the organization may have. */
async function grow(tx: TenantSql, organizationId: string, id: string, wanted: number): Promise<AddressPool | null> {
  const smallest = 2 ** (32 - smallestPoolBits)
  const allowed = async (): Promise<number> => Math.min(wanted, await addressesLeft(tx, organizationId))
  // Asked twice, so that who may have no more never holds up others.
  if ((await allowed()) < smallest) return null
  await tx.query('SELECT pg_advisory_xact_lock($1)', [allocationLock])
  const size = await allowed()
  if (size < smallest) return null
  for (let bits = 32 - Math.floor(Math.log2(size)); bits <= smallestPoolBits; bits++) {
    const pool4 = await freePool4(tx, bits)
    if (pool4 === null) continue
    await tx.query('INSERT INTO network_pools (pool4, organization_id, network_id) VALUES ($1, $2, $3)', [
      pool4,
      organizationId,
      id,
    ])
    // What devices of the network may reach has grown.
    await tellConcentrators(tx, '')
    return toPool(pool4, bits, 2, false)
  }
  return null
}

function ip4ToNumber(text: string): number {
  return text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

function numberToIp4(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.')
}
