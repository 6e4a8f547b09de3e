/**
 * Inner IPv6 addresses: each network has a /64 out of the installation's prefix, and in it a device has the host number that its IPv4
 * address has in the first IPv4 pool, or one made of the whole IPv4 address. So neither address moves without the other.
 *
 * A network without a pool lives on with IPv4 alone: nothing was set, or the prefix is used up.
 */
import { cidrSize, formatCidr, parseCidr } from '@culvert/bytes'
import type { Pool } from 'pg'
import { tellConcentrators } from './nodes.ts'
import { inTransaction } from './transaction.ts'
import type { TenantSql } from './tenant-sql.ts'

/** Held until the transaction ends: pools of both families are given out one after the other. */
export const allocationLock = 4_242_001

const poolBits = 64
const poolSize = 1n << 64n

/**
 * `address6` of a device whose IPv4 address is `$1` in the network `n`; NULL while the network has no pool. Beyond the first IPv4
 * pool the host number is 2^32 and the whole IPv4 address: no pool has as many addresses, so the two kinds never meet.
 */
export function address6In(address4: string): string {
  return `set_masklen(n.pool6, 128) + CASE WHEN ${address4}::inet << n.pool4
    THEN ${address4}::inet - host(network(n.pool4))::inet ELSE 4294967296 + (${address4}::inet - '0.0.0.0'::inet) END`
}

/**
 * Under `allocationLock`.
 *
 * @param prefix CIDR that the pools of the installation come out of
 * @returns a free pool, CIDR; null when there is none
 */
export async function nextPool6(tx: TenantSql, prefix: string): Promise<string | null> {
  const range = parseCidr(prefix)
  if (range === undefined || range.family !== 6 || range.prefixLength > poolBits) return null
  const { rows } = await tx.query<{ pool: string }>(
    'SELECT network(pool)::text AS pool FROM pools6_within($1::inet) AS v(pool) ORDER BY v.pool',
    [prefix],
  )
  const first = toNumber(range.network)
  const end = first + cidrSize(range)
  let start = first
  for (const { pool } of rows) {
    const taken = parseCidr(pool)
    if (taken === undefined) continue
    const from = toNumber(taken.network)
    if (start + poolSize <= from) break
    const next = from + cidrSize(taken)
    if (next > start) start = ((next + poolSize - 1n) / poolSize) * poolSize
  }
  return start + poolSize <= end ? formatCidr({ family: 6, network: toOctets(start), prefixLength: poolBits }) : null
}

/**
 * Gives IPv6 to the networks that were made before there was a prefix, and to their devices, which are told to concentrators as
 * changed. Repeating it is fine.
 *
 * @returns how many networks got a pool
 */
export async function allotPools6(pool: Pool, prefix: string): Promise<number> {
  return inTransaction(pool, async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [allocationLock])
    const { rows } = await tx.query<{ id: string }>(
      'SELECT id FROM networks WHERE pool6 IS NULL ORDER BY id FOR UPDATE',
    )
    let allotted = 0
    for (const { id } of rows) {
      const pool6 = await nextPool6(tx, prefix)
      if (pool6 === null) break
      await tx.query('UPDATE networks SET pool6 = $2, version = version + 1, updated_at = now() WHERE id = $1', [
        id,
        pool6,
      ])
      await tx.query(
        `UPDATE devices d SET address6 = ${address6In('host(d.address4)')}, version = d.version + 1, updated_at = now(),
           policy_version = d.policy_version + 1
         FROM networks n WHERE n.id = $1 AND d.organization_id = n.organization_id AND d.network_id = n.id AND d.deleted_at IS NULL`,
        [id],
      )
      allotted++
    }
    if (allotted > 0) await tellConcentrators(tx, '')
    return allotted
  })
}

function toNumber(octets: Uint8Array): bigint {
  return octets.reduce((value, octet) => (value << 8n) | BigInt(octet), 0n)
}

function toOctets(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, i) => Number((value >> BigInt(8 * (15 - i))) & 0xffn))
}
