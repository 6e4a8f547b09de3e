/**
 * Inner addresses: a network's pool out of the installation's range, a device's stable address out of its network's pool.
 * Both are given out under a row or advisory lock, so that two at the same time never get the same.
 */
import { appendAudit } from './audit.ts'
import type { Author } from './author.ts'
import { newId } from './ids.ts'
import { allocationLock, nextPool6 } from './pools6.ts'
import type { TenantSql } from './tenant.ts'

/** Inner pools of the installation come out of this, a /20 for each network. */
export const innerAddressRange = '10.128.0.0/9'
const rangeStart = ip4ToNumber('10.128.0.0')
const rangeEnd = ip4ToNumber('10.255.255.255')
const poolSize = 2 ** 12
const poolBits = 20

export interface WantedNetwork {
  readonly organizationId: string
  readonly name: string
  /** Where its IPv6 pool comes from; null for none. */
  readonly pool6Prefix: string | null
  readonly by: Author
}

/** @returns the id of the organization's network of this name, made now if need be; null when the IPv4 range is used up */
export async function ensureNetwork(tx: TenantSql, wanted: WantedNetwork): Promise<string | null> {
  const { organizationId, name, pool6Prefix, by } = wanted
  const known = await findNetwork(tx, organizationId, name)
  if (known) return known
  await tx.query('SELECT pg_advisory_xact_lock($1)', [allocationLock])
  const madeMeanwhile = await findNetwork(tx, organizationId, name)
  if (madeMeanwhile) return madeMeanwhile
  const start = await nextPool(tx)
  if (start === null) return null
  const id = newId('net')
  const pool4 = `${numberToIp4(start)}/${poolBits}`
  const pool6 = pool6Prefix === null ? null : await nextPool6(tx, pool6Prefix)
  await tx.query('INSERT INTO networks (id, organization_id, name, pool4, pool6) VALUES ($1, $2, $3, $4, $5)', [
    id,
    organizationId,
    name,
    pool4,
    pool6,
  ])
  const after = { name, pool4, pool6 }
  await appendAudit(tx, { organizationId, by, action: 'network.created', targetType: 'network', targetId: id, after })
  return id
}

async function findNetwork(tx: TenantSql, organizationId: string, name: string): Promise<string | null> {
  const { rows } = await tx.query<{ id: string }>('SELECT id FROM networks WHERE organization_id = $1 AND name = $2', [
    organizationId,
    name,
  ])
  return rows[0]?.id ?? null
}

/** The first gap that holds a pool, between the pools there are. */
async function nextPool(tx: TenantSql): Promise<number | null> {
  const { rows } = await tx.query<{ first: string; last: string }>(
    `SELECT host(network(pool4)) AS first, host(broadcast(pool4)) AS last FROM networks
     WHERE pool4 && '${innerAddressRange}' ORDER BY pool4`,
  )
  let start = rangeStart
  for (const { first, last } of rows) {
    if (start + poolSize <= ip4ToNumber(first)) return start
    start = Math.max(start, Math.ceil((ip4ToNumber(last) + 1) / poolSize) * poolSize)
  }
  return start + poolSize - 1 <= rangeEnd ? start : null
}

/**
 * Holds a lock on the network until the transaction ends. Never gives out the network's address, its first host or its
 * last address, nor a host that ends in .0 or .255, which some equipment mistakes for a network or a broadcast.
 * @returns a free address, or null when the pool is full
 */
export async function nextAddress(tx: TenantSql, networkId: string): Promise<string | null> {
  const { rows } = await tx.query<PoolEnds>(
    `SELECT host(network(n.pool4)) AS first, host(broadcast(n.pool4)) AS last FROM networks n WHERE n.id = $1 FOR UPDATE`,
    [networkId],
  )
  const pool = rows[0]
  if (!pool) return null
  const first = ip4ToNumber(pool.first) + 2
  const last = ip4ToNumber(pool.last) - 1
  const highest = await highestAddress(tx, pool)
  const above = firstUsable(highest === null ? first : Math.max(first, highest + 1))
  if (above <= last) return numberToIp4(above)
  return firstGap(tx, pool, first, last)
}

interface PoolEnds {
  readonly first: string
  readonly last: string
}

/** Read after the lock was got, in a statement of its own: it sees what the one before committed. */
async function highestAddress(tx: TenantSql, pool: PoolEnds): Promise<number | null> {
  const { rows } = await tx.query<{ address: string }>(
    `SELECT host(address4) AS address FROM devices WHERE address4 > $1::inet AND address4 < $2::inet ORDER BY address4 DESC LIMIT 1`,
    [pool.first, pool.last],
  )
  return rows[0] ? ip4ToNumber(rows[0].address) : null
}

async function firstGap(tx: TenantSql, pool: PoolEnds, first: number, last: number): Promise<string | null> {
  const { rows } = await tx.query<{ address: string }>(
    `SELECT host(address4) AS address FROM devices WHERE address4 > $1::inet AND address4 < $2::inet ORDER BY address4`,
    [pool.first, pool.last],
  )
  const taken = new Set(rows.map((row) => ip4ToNumber(row.address)))
  for (let address = firstUsable(first); address <= last; address = firstUsable(address + 1)) {
    if (!taken.has(address)) return numberToIp4(address)
  }
  return null
}

function firstUsable(address: number): number {
  let usable = address
  while (usable % 256 === 0 || usable % 256 === 255) usable += 1
  return usable
}

function ip4ToNumber(text: string): number {
  return text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

function numberToIp4(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.')
}
