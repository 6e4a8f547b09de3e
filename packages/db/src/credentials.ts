/** Credentials of devices. Secrets come sealed and are never read back here; certificates are made by the signer. */
import {
  credentialStateAt,
  stepCredential,
  type CredentialKind,
  type CredentialState,
  type Issuance,
} from '@culvert/lifecycle'
import type { Pool } from 'pg'
import type { WriteOptions } from './author.ts'
import { brokenConstraint } from './errors.ts'
import { tellConcentrators, type Touched } from './nodes.ts'
import { noteChange } from './noted-change.ts'
import { notify, signerChannel } from './notify.ts'
import { appendEvents } from './outbox.ts'
import { denySerials } from './revoked-certificates.ts'
import { inTenantTransaction, tenant } from './tenant.ts'
import type { TenantSql } from './tenant-sql.ts'
import { endTunnelsOfDevice } from './tunnel-end.ts'

/** As lists have it: chains are long, and hardly anybody wants them all. */
export interface CredentialSummaryRecord {
  readonly id: string
  readonly deviceId: string
  readonly kind: CredentialKind
  /** EAP method. */
  readonly method: 'mschapv2' | null
  /** Name given to EAP, or PPK_ID. */
  readonly identity: string | null
  readonly isRequired: boolean | null
  readonly issuance: Issuance | null
  readonly refusal: string | null
  readonly serial: string | null
  /** Null while there is no certificate. */
  readonly fingerprint: string | null
  /** The organization's own authority that issued it, also one that was deleted since. */
  readonly authorityId: string | null
  /** The device's present attachment was made with it. */
  readonly inUse: boolean
  readonly createdAt: Date
  readonly expiresAt: Date | null
  readonly revokedAt: Date | null
}

export interface CredentialRecord extends CredentialSummaryRecord {
  /** PEM, the device's own first. */
  readonly certificates: string | null
}

export interface SealedSecret {
  readonly sealedSecret: Uint8Array
  readonly sealingKeyId: string
}

export type NewCredential = {
  readonly id: string
  readonly organizationId: string
  readonly deviceId: string
  readonly expiresAt: Date | null
} & (
  | ({ readonly kind: 'psk' } & SealedSecret)
  | ({ readonly kind: 'eap'; readonly method: 'mschapv2'; readonly identity: string } & SealedSecret)
  | ({ readonly kind: 'ppk'; readonly identity: string; readonly isRequired: boolean } & SealedSecret)
  /** PKCS#10, DER; pending until the signer has looked at it. */
  | { readonly kind: 'certificate'; readonly csr: Uint8Array }
  | ({ readonly kind: 'certificate'; readonly expiresAt: Date } & ForeignCertificate)
)

/** Of an authority of the organization, judged against it before. */
export interface ForeignCertificate {
  readonly authorityId: string
  /** PEM, the device's own first. */
  readonly certificates: string
  /** SHA-256 of the device's own, hexadecimal. */
  readonly fingerprint: string
  /** Hexadecimal, from the device's own to the one below the authority. */
  readonly pathSerials: readonly string[]
}

/** Two of each kind, so that a device can be moved to a new one without a gap. */
export const maxActiveCredentials = 2
/** Certificates of a device that are not over yet, revoked ones included: each of those stands on the revocation list until then. */
export const maxCertificatesInForce = 32
/** Of any kind, beside those certificates; what ended first is forgotten when more come. */
export const maxEndedCredentials = 50
/** Of `credentials c`: a summary. */
export const credentialColumns = `c.id, c.device_id AS "deviceId", c.kind, c.method, c.identity, c.is_required AS "isRequired", c.issuance, c.refusal,
  coalesce(c.serial, c.path_serials[1]) AS serial, c.fingerprint, coalesce(c.authority_id, c.former_authority_id) AS "authorityId", c.created_at AS "createdAt", c.expires_at AS "expiresAt", c.revoked_at AS "revokedAt",
  EXISTS (SELECT 1 FROM attachments a WHERE a.organization_id = c.organization_id AND a.device_id = c.device_id
    AND a.credential_id = c.id AND a.state = 'attached') AS "inUse"`
const columnsWithChain = `${credentialColumns}, c.certificates`
const isActive = `revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`
/** With a PPK alone nobody attaches, nor with a certificate that is not there yet. */
const canAttach = `${isActive} AND kind <> 'ppk' AND issuance IS DISTINCT FROM 'pending'`

interface Added {
  readonly credential: CredentialRecord
  readonly touched: Touched
}

export type CredentialRefusal = 'not_found' | 'credential_limit' | 'certificate_limit' | 'certificate_refused'

export async function addCredential(
  pool: Pool,
  credential: NewCredential,
  options: WriteOptions,
): Promise<Added | CredentialRefusal | 'certificate_in_use'> {
  const { organizationId } = credential
  try {
    return await inTenantTransaction(pool, organizationId, (tx) => insertCredential(tx, credential, options), options)
  } catch (error) {
    if (brokenConstraint(error) === 'credentials_foreign_certificate_key') return 'certificate_in_use'
    throw error
  }
}

/** The same as part of a transaction; what refuses it has written nothing. */
export async function insertCredential(
  tx: TenantSql,
  credential: NewCredential,
  { by }: Pick<WriteOptions, 'by'>,
): Promise<Added | CredentialRefusal> {
  const { id, organizationId, deviceId, kind } = credential
  if ('authorityId' in credential && !(await lockAuthority(tx, organizationId, credential)))
    return 'certificate_refused'
  if (!(await lockDevice(tx, organizationId, deviceId))) return 'not_found'
  const { rows: counted } = await tx.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM credentials WHERE organization_id = $1 AND device_id = $2 AND kind = $3 AND ${isActive}`,
    [organizationId, deviceId, kind],
  )
  if ((counted[0]?.n ?? 0) >= maxActiveCredentials) return 'credential_limit'
  if (kind === 'certificate' && (await hasTooManyCertificates(tx, organizationId, deviceId))) return 'certificate_limit'
  await forgetEnded(tx, organizationId, deviceId)
  await raisePolicyVersion(tx, organizationId, deviceId)
  const { rows } = await tx.query<CredentialRecord>(
    `INSERT INTO credentials AS c (id, organization_id, device_id, kind, sealed_secret, sealing_key_id, method, identity, is_required,
       issuance, csr, expires_at, authority_id, certificates, fingerprint, path_serials)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) RETURNING ${columnsWithChain}`,
    [id, organizationId, deviceId, kind, ...ofKind(credential), credential.expiresAt, ...ofAuthority(credential)],
  )
  const { method, identity, isRequired, expiresAt, authorityId, fingerprint } = rows[0] as CredentialRecord
  await noteChange(tx, {
    organizationId,
    by,
    type: 'credential.created',
    targetType: 'credential',
    resourceId: id,
    data: { deviceId, kind },
    after: {
      deviceId,
      kind,
      method,
      identity,
      isRequired,
      expiresAt,
      ...(authorityId !== null && { authorityId, fingerprint }),
    },
  })
  if ('csr' in credential) await notify(tx, signerChannel, id)
  const touched = { gateways: [], concentrators: await tellConcentrators(tx, deviceId) }
  return { credential: rows[0] as CredentialRecord, touched }
}

/** @returns false when it is gone, or has revoked the certificate; its next list waits until this one is written */
async function lockAuthority(
  tx: TenantSql,
  organizationId: string,
  { authorityId, pathSerials }: ForeignCertificate,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `SELECT 1 FROM device_authorities WHERE organization_id = $1 AND id = $2 AND NOT $3 = ANY(revoked_serials) FOR SHARE`,
    [organizationId, authorityId, pathSerials.at(-1)],
  )
  return rowCount === 1
}

async function hasTooManyCertificates(tx: TenantSql, organizationId: string, deviceId: string): Promise<boolean> {
  const { rows } = await tx.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM credentials
     WHERE organization_id = $1 AND device_id = $2 AND serial IS NOT NULL AND expires_at > now()`,
    [organizationId, deviceId],
  )
  return (rows[0]?.n ?? 0) >= maxCertificatesInForce
}

/** Makes room for one more; a revoked certificate stays denied by its serial, which is kept apart. */
async function forgetEnded(tx: TenantSql, organizationId: string, deviceId: string): Promise<void> {
  await tx.query(
    `DELETE FROM credentials WHERE organization_id = $1 AND id IN (
       SELECT id FROM credentials WHERE organization_id = $1 AND device_id = $2
         AND NOT (${isActive}) AND NOT (serial IS NOT NULL AND expires_at > now())
       ORDER BY coalesce(revoked_at, expires_at) DESC OFFSET $3)`,
    [organizationId, deviceId, maxEndedCredentials],
  )
}

/** Columns from `sealed_secret` to `csr`. */
function ofKind(credential: NewCredential): unknown[] {
  if (credential.kind === 'certificate') {
    const request = 'csr' in credential ? ['pending', Buffer.from(credential.csr)] : [null, null]
    return [null, null, null, null, null, ...request]
  }
  const sealed = [Buffer.from(credential.sealedSecret), credential.sealingKeyId]
  switch (credential.kind) {
    case 'psk':
      return [...sealed, null, null, null, null, null]
    case 'eap':
      return [...sealed, credential.method, credential.identity, null, null, null]
    case 'ppk':
      return [...sealed, null, credential.identity, credential.isRequired, null, null]
  }
}

/** Columns from `authority_id` to `path_serials`. */
function ofAuthority(credential: NewCredential): unknown[] {
  if (!('authorityId' in credential)) return [null, null, null, null]
  const { authorityId, certificates, fingerprint, pathSerials } = credential
  return [authorityId, certificates, fingerprint, pathSerials]
}

/** @returns newest first, revoked ones included; null when there is no such device */
export async function listCredentials(
  pool: Pool,
  organizationId: string,
  deviceId: string,
): Promise<CredentialSummaryRecord[] | null> {
  const { rows } = await tenant(pool, organizationId).query<CredentialSummaryRecord & { id: string | null }>(
    `SELECT ${credentialColumns} FROM devices d
     LEFT JOIN credentials c ON c.organization_id = d.organization_id AND c.device_id = d.id
     WHERE d.organization_id = $1 AND d.id = $2 AND d.deleted_at IS NULL ORDER BY c.created_at DESC, c.id DESC LIMIT 200`,
    [organizationId, deviceId],
  )
  return rows.length === 0 ? null : rows.filter((row) => row.id !== null)
}

export async function findCredential(
  pool: Pool,
  key: { organizationId: string; deviceId: string; id: string },
): Promise<CredentialRecord | null> {
  const { rows } = await tenant(pool, key.organizationId).query<CredentialRecord>(
    `SELECT ${columnsWithChain} FROM credentials c JOIN devices d ON d.organization_id = c.organization_id AND d.id = c.device_id
     WHERE c.organization_id = $1 AND c.device_id = $2 AND c.id = $3 AND d.deleted_at IS NULL`,
    [key.organizationId, key.deviceId, key.id],
  )
  return rows[0] ?? null
}

/** Ends the device's tunnels too when no credential is left with which it could come back. */
export function revokeCredential(
  pool: Pool,
  key: CredentialKey,
  options: WriteOptions,
): Promise<Touched | 'not_found' | 'credential_revoked'> {
  return inTenantTransaction(pool, key.organizationId, (tx) => revokeCredentialIn(tx, key, options), options)
}

interface CredentialKey {
  readonly organizationId: string
  readonly deviceId: string
  readonly id: string
}

/** The same as a part of a transaction; a refusal has written nothing. */
export async function revokeCredentialIn(
  tx: TenantSql,
  key: CredentialKey,
  options: Pick<WriteOptions, 'by'>,
): Promise<Touched | 'not_found' | 'credential_revoked'> {
  const { organizationId, deviceId, id } = key
  if (!(await lockDevice(tx, organizationId, deviceId))) return 'not_found'
  const state = await lockCredential(tx, key)
  if (state === null) return 'not_found'
  if (stepCredential(state, { kind: 'revoke' }) === null) return 'credential_revoked'
  const revoked = await tx.query<{ kind: CredentialKind; serial: string | null; notAfter: Date | null }>(
    `UPDATE credentials SET revoked_at = now() WHERE organization_id = $1 AND id = $2 RETURNING kind, serial, expires_at AS "notAfter"`,
    [organizationId, id],
  )
  await denySerials(tx, revoked.rows)
  await raisePolicyVersion(tx, organizationId, deviceId)
  const left = await tx.query(
    `SELECT 1 FROM credentials WHERE organization_id = $1 AND device_id = $2 AND ${canAttach} LIMIT 1`,
    [organizationId, deviceId],
  )
  const gateways =
    left.rowCount === 0 ? await endTunnelsOfDevice(tx, organizationId, deviceId, 'credential_revoked') : []
  const noted = { organizationId, by: options.by, targetType: 'credential', resourceId: id }
  const before = { deviceId, kind: revoked.rows[0]?.kind }
  await noteChange(tx, { ...noted, type: 'credential.revoked', data: { deviceId }, before })
  return { gateways, concentrators: await tellConcentrators(tx, deviceId) }
}

/** All that are left of devices that are deleted. */
export async function revokeCredentialsOf(
  tx: TenantSql,
  organizationId: string,
  deviceIds: readonly string[],
): Promise<void> {
  const { rows } = await tx.query<{ id: string; deviceId: string; serial: string | null; notAfter: Date | null }>(
    `UPDATE credentials SET revoked_at = now() WHERE organization_id = $1 AND device_id = ANY($2) AND revoked_at IS NULL
     RETURNING id, device_id AS "deviceId", serial, expires_at AS "notAfter"`,
    [organizationId, deviceIds],
  )
  await denySerials(tx, rows)
  await appendEvents(
    tx,
    rows.map(({ id, deviceId }) => ({
      organizationId,
      type: 'credential.revoked',
      resourceId: id,
      data: { deviceId },
    })),
  )
}

/** @returns its state by the clock of the database, null when the device has no such credential; held until the transaction ends */
export async function lockCredential(
  tx: TenantSql,
  key: { organizationId: string; deviceId: string; id: string },
): Promise<CredentialState | null> {
  const { rows } = await tx.query<{
    revokedAt: Date | null
    expiresAt: Date | null
    issuance: Issuance | null
    now: Date
  }>(
    `SELECT revoked_at AS "revokedAt", expires_at AS "expiresAt", issuance, now() FROM credentials
     WHERE organization_id = $1 AND device_id = $2 AND id = $3 FOR UPDATE`,
    [key.organizationId, key.deviceId, key.id],
  )
  return rows[0] ? credentialState(rows[0], rows[0].now) : null
}

/** Makes the concentrators look at the device's credentials again. */
export async function raisePolicyVersion(tx: TenantSql, organizationId: string, deviceId: string): Promise<void> {
  await tx.query('UPDATE devices SET policy_version = policy_version + 1 WHERE organization_id = $1 AND id = $2', [
    organizationId,
    deviceId,
  ])
}

async function lockDevice(tx: TenantSql, organizationId: string, deviceId: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    'SELECT 1 FROM devices WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL FOR UPDATE',
    [organizationId, deviceId],
  )
  return rowCount === 1
}

export function credentialState(
  record: Pick<CredentialRecord, 'revokedAt' | 'expiresAt' | 'issuance'>,
  now: Date,
): CredentialState {
  const life = {
    revokedAtMs: record.revokedAt?.getTime() ?? null,
    expiresAtMs: record.expiresAt?.getTime() ?? null,
    issuance: record.issuance,
  }
  return credentialStateAt(life, now.getTime())
}
