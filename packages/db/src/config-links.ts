/**
 * One-time links: a configuration with its secret, encrypted under a key that only the link has. Whoever takes it first has
 * it, nobody after; the rows of all others tell nothing.
 */
import type { Pool } from 'pg'
import type { Author, WriteOptions } from './author.ts'
import { insertCredential, type CredentialRecord, type CredentialRefusal, type NewCredential } from './credentials.ts'
import type { Touched } from './nodes.ts'
import { noteChange } from './noted-change.ts'
import { inTenantTransaction } from './tenant.ts'
import type { TenantSql } from './tenant-sql.ts'

export interface NewConfigLink {
  readonly id: string
  readonly deviceId: string
  /** 32 bytes. */
  readonly tokenHash: Uint8Array
  readonly ciphertext: Uint8Array
  readonly target: string
  readonly expiresAt: Date
}

/** Of a device, neither used nor expired. */
export const maxPendingConfigLinks = 5

interface Created {
  readonly credentials: readonly CredentialRecord[]
  readonly expiresAt: Date
  readonly touched: Touched
}
type Refusal = CredentialRefusal | 'config_link_limit'

/** Issues the credentials whose secrets the link holds, and stores it: all or nothing. */
export async function createConfigLink(
  pool: Pool,
  organizationId: string,
  link: NewConfigLink,
  issued: readonly NewCredential[],
  options: WriteOptions,
): Promise<Created | Refusal> {
  try {
    return await inTenantTransaction(
      pool,
      organizationId,
      (tx) => create(tx, organizationId, link, issued, options),
      options,
    )
  } catch (error) {
    if (error instanceof Refused) return error.refusal
    throw error
  }
}

async function create(
  tx: TenantSql,
  organizationId: string,
  link: NewConfigLink,
  issued: readonly NewCredential[],
  { by }: WriteOptions,
): Promise<Created> {
  const { id, deviceId, target, expiresAt } = link
  await lockDevice(tx, organizationId, deviceId)
  await forgetSpent(tx, organizationId, deviceId)
  const { rows } = await tx.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM config_links WHERE organization_id = $1 AND device_id = $2`,
    [organizationId, deviceId],
  )
  if ((rows[0]?.count ?? 0) >= maxPendingConfigLinks) throw new Refused('config_link_limit')
  const credentials: CredentialRecord[] = []
  const concentrators = new Set<string>()
  for (const credential of issued) {
    const added = await insertCredential(tx, credential, { by })
    if (typeof added === 'string') throw new Refused(added)
    credentials.push(added.credential)
    for (const node of added.touched.concentrators) concentrators.add(node)
  }
  await tx.query(
    `INSERT INTO config_links (id, organization_id, device_id, token_hash, ciphertext, target, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [id, organizationId, deviceId, Buffer.from(link.tokenHash), Buffer.from(link.ciphertext), target, expiresAt],
  )
  await noteChange(tx, {
    organizationId,
    by,
    type: 'config_link.created',
    targetType: 'config_link',
    resourceId: id,
    data: { deviceId },
    after: { deviceId, target, expiresAt, credentialIds: credentials.map((credential) => credential.id) },
  })
  return { credentials, expiresAt, touched: { gateways: [], concentrators: [...concentrators] } }
}

/** A transaction is rolled back by an exception alone. */
class Refused extends Error {
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super(refusal)
    this.refusal = refusal
  }
}

async function lockDevice(tx: TenantSql, organizationId: string, deviceId: string): Promise<void> {
  const { rowCount } = await tx.query(
    'SELECT 1 FROM devices WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL FOR UPDATE',
    [organizationId, deviceId],
  )
  if (rowCount === 0) throw new Refused('not_found')
}

async function forgetSpent(tx: TenantSql, organizationId: string, deviceId: string): Promise<void> {
  await tx.query(
    `DELETE FROM config_links WHERE organization_id = $1 AND device_id = $2 AND (used_at IS NOT NULL OR expires_at <= now())`,
    [organizationId, deviceId],
  )
}

export interface TakenConfigLink {
  readonly id: string
  readonly deviceId: string
  readonly ciphertext: Buffer
}

/**
 * Of many at once one gets it: the others wait for the row and find it used.
 *
 * @param opener who came with the link: nobody else is known
 * @returns null for a link that was used, has expired or never was, and for a device that is deleted
 */
export async function takeConfigLink(
  pool: Pool,
  organizationId: string,
  tokenHash: Uint8Array,
  opener: Author,
): Promise<TakenConfigLink | null> {
  return inTenantTransaction(pool, organizationId, async (tx) => {
    const { rows } = await tx.query<TakenConfigLink>(
      `WITH found AS (
         SELECT l.id, l.ciphertext FROM config_links l JOIN devices d ON d.organization_id = l.organization_id AND d.id = l.device_id
         WHERE l.organization_id = $1 AND l.token_hash = $2 AND l.used_at IS NULL AND l.expires_at > now() AND d.deleted_at IS NULL
         FOR UPDATE OF l)
       UPDATE config_links l SET used_at = now(), ciphertext = NULL FROM found WHERE l.organization_id = $1 AND l.id = found.id
       RETURNING l.id, l.device_id AS "deviceId", found.ciphertext`,
      [organizationId, Buffer.from(tokenHash)],
    )
    const taken = rows[0]
    if (!taken) return null
    const { deviceId } = taken
    const link = { organizationId, targetType: 'config_link', resourceId: taken.id }
    await noteChange(tx, { ...link, by: opener, type: 'config_link.used', data: { deviceId }, after: { deviceId } })
    return taken
  })
}

/** @returns false when there is no such link that waits; its credentials stay as they are */
export async function withdrawConfigLink(
  pool: Pool,
  key: { organizationId: string; deviceId: string; id: string },
  options: WriteOptions,
): Promise<boolean> {
  const { organizationId, deviceId, id } = key
  const work = async (tx: TenantSql): Promise<boolean> => {
    const { rowCount } = await tx.query(
      `DELETE FROM config_links WHERE organization_id = $1 AND device_id = $2 AND id = $3 AND used_at IS NULL AND expires_at > now()`,
      [organizationId, deviceId, id],
    )
    if (rowCount === 0) return false
    const link = { organizationId, targetType: 'config_link', resourceId: id }
    const { by } = options
    await noteChange(tx, { ...link, by, type: 'config_link.withdrawn', data: { deviceId }, before: { deviceId } })
    return true
  }
  return inTenantTransaction(pool, organizationId, work, options)
}
