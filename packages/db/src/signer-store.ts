/**
 * What the signer reads and writes: certificates asked for, certificates made, the authority and its revocation list.
 *
 * The signer is the installation's, not one organization's. It signs first and writes then; a row that was decided, revoked or
 * deleted meanwhile is left alone, and the certificate that nobody will see is forgotten.
 */
import { stepCredential } from '@culvert/lifecycle'
import type { Pool } from 'pg'
import { lockCredential, raisePolicyVersion } from './credentials.ts'
import { tellConcentrators } from './nodes.ts'
import { concentratorChannel, credentialChangedChannel, notify } from './notify.ts'
import { appendEvent } from './outbox.ts'
import { inTransaction } from './transaction.ts'

export interface PendingCertificate {
  readonly id: string
  readonly organizationId: string
  readonly deviceId: string
  /** PKCS#10, DER. */
  readonly csr: Uint8Array
  /** The only name that goes into the certificate. */
  readonly identity: string
  /** As the customer wants it; null: as long as usual. */
  readonly expiresAt: Date | null
}

export interface MadeCertificate {
  /** PEM, the owner's own first, without the root. */
  readonly certificates: string
  readonly serial: string
  /** SHA-256 of the certificate, hexadecimal. */
  readonly fingerprint: string
  readonly notAfter: Date
}

export type Decision =
  | ({ readonly kind: 'issued' } & MadeCertificate)
  /** For the customer: no secret, nothing of others. */
  | { readonly kind: 'refused'; readonly refusal: string }

/** @returns the oldest ones first */
export async function readPendingCertificates(pool: Pool, limit: number): Promise<PendingCertificate[]> {
  const { rows } = await pool.query<PendingCertificate>(
    `SELECT c.id, c.organization_id AS "organizationId", c.device_id AS "deviceId", c.csr, d.ike_identity AS identity,
       c.expires_at AS "expiresAt"
     FROM credentials c JOIN devices d ON d.organization_id = c.organization_id AND d.id = c.device_id
     WHERE c.issuance = 'pending' AND c.revoked_at IS NULL AND d.deleted_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > now())
     ORDER BY c.created_at LIMIT $1`,
    [limit],
  )
  return rows
}

/** Tells the API that waits and the concentrators. @returns their ids, null when there was nothing left to decide */
export async function decideCertificate(
  pool: Pool,
  pending: Pick<PendingCertificate, 'id' | 'organizationId' | 'deviceId'>,
  decision: Decision,
): Promise<string[] | null> {
  const { id, organizationId, deviceId } = pending
  return inTransaction(pool, async (tx) => {
    // The device first, as everybody who changes credentials does.
    const device = await tx.query(
      'SELECT 1 FROM devices WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL FOR UPDATE',
      [organizationId, deviceId],
    )
    if (device.rowCount !== 1) return null
    const state = await lockCredential(tx, pending)
    const event = { kind: decision.kind === 'issued' ? 'issue' : 'refuse' } as const
    if (state === null || stepCredential(state, event) === null) return null
    const made = decision.kind === 'issued' ? decision : null
    await tx.query(
      `UPDATE credentials SET issuance = $3, certificates = $4, serial = $5, fingerprint = $6, expires_at = coalesce($7, expires_at),
         refusal = $8, revoked_at = CASE WHEN $3 = 'refused' THEN now() END
       WHERE organization_id = $1 AND id = $2`,
      [
        organizationId,
        id,
        decision.kind,
        made?.certificates ?? null,
        made?.serial ?? null,
        made?.fingerprint ?? null,
        made?.notAfter ?? null,
        decision.kind === 'refused' ? decision.refusal : null,
      ],
    )
    await raisePolicyVersion(tx, organizationId, deviceId)
    await appendEvent(tx, {
      organizationId,
      type: decision.kind === 'issued' ? 'credential.issued' : 'credential.refused',
      resourceId: id,
      data: { deviceId },
    })
    await notify(tx, credentialChangedChannel, id)
    return tellConcentrators(tx, deviceId)
  })
}

export interface PendingGateway {
  readonly concentratorId: string
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
  /** IKE identity and outer addresses of the node. */
  readonly names: string[]
  /** The node calls itself as a device is called: it gets nothing. */
  readonly isDevice: boolean
}

export async function readPendingGateways(pool: Pool): Promise<PendingGateway[]> {
  const { rows } = await pool.query<PendingGateway>(
    `SELECT g.concentrator_id AS "concentratorId", g.public_key AS "publicKey", ARRAY[c.ike_identity] || c.addresses AS names,
       EXISTS (SELECT 1 FROM devices d WHERE d.ike_identity = lower(c.ike_identity)) AS "isDevice"
     FROM gateway_certificates g JOIN concentrators c ON c.id = g.concentrator_id
     WHERE g.issuance = 'pending' ORDER BY g.requested_at LIMIT 50`,
  )
  return rows
}

/** @returns false when the node has another key by now */
export async function decideGateway(pool: Pool, pending: PendingGateway, decision: Decision): Promise<boolean> {
  return inTransaction(pool, async (tx) => {
    const made = decision.kind === 'issued' ? decision : null
    const { rowCount } = await tx.query(
      `UPDATE gateway_certificates SET issuance = $3, certificates = $4, serial = $5, fingerprint = $6, not_after = $7, refusal = $8
       WHERE concentrator_id = $1 AND public_key = $2 AND issuance = 'pending'`,
      [
        pending.concentratorId,
        Buffer.from(pending.publicKey),
        decision.kind,
        made?.certificates ?? null,
        made?.serial ?? null,
        made?.fingerprint ?? null,
        made?.notAfter ?? null,
        decision.kind === 'refused' ? decision.refusal : null,
      ],
    )
    if (rowCount !== 1) return false
    await notify(tx, concentratorChannel(pending.concentratorId), '')
    return true
  })
}

export interface RevocationState {
  readonly number: number
  readonly nextUpdate: Date | null
  /** Of the serials on the latest list. */
  readonly digest: string
  /** What shall be on it now. */
  readonly revoked: readonly { readonly serial: string; readonly revokedAt: Date }[]
}

/** @returns null for an authority that nobody published */
export async function readRevocations(pool: Pool, authorityId: string): Promise<RevocationState | null> {
  const authority = await pool.query<{ number: string; nextUpdate: Date | null; digest: string }>(
    `SELECT crl_number AS number, crl_next_update AS "nextUpdate", crl_digest AS digest FROM certificate_authorities WHERE id = $1`,
    [authorityId],
  )
  const [row] = authority.rows
  if (!row) return null
  const { rows } = await pool.query<{ serial: string; revokedAt: Date }>(
    `SELECT serial, revoked_at AS "revokedAt" FROM revoked_certificates WHERE not_after > now() ORDER BY serial`,
  )
  return { ...row, number: Number(row.number), revoked: rows }
}

/** @returns false when another signer was faster: its list has the same number */
export async function writeRevocationList(
  pool: Pool,
  authorityId: string,
  list: { crl: Uint8Array; number: number; nextUpdate: Date; digest: string },
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `UPDATE certificate_authorities SET crl = $2, crl_number = $3, crl_next_update = $4, crl_digest = $5
     WHERE id = $1 AND crl_number = $3 - 1`,
    [authorityId, Buffer.from(list.crl), list.number, list.nextUpdate, list.digest],
  )
  return rowCount === 1
}
