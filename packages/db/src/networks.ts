/** Networks as registration needs them: the one of a name is made with its first pools when it is not there. */
import { appendAudit } from './audit.ts'
import type { Author } from './author.ts'
import { newId } from './ids.ts'
import { firstPoolBits, freePool4 } from './network-pools.ts'
import { allocationLock, nextPool6 } from './pools6.ts'
import type { TenantSql } from './tenant-sql.ts'

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
  const pool4 = await freePool4(tx, firstPoolBits)
  if (pool4 === null) return null
  const id = newId('net')
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
