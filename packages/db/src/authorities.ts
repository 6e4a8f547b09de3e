/** The certificate authorities of the installation, which everybody may know; their keys are the signer's alone. */
import type { Pool } from 'pg'

export interface AuthorityRecord {
  /** SHA-256 of the certificate, hexadecimal. */
  readonly id: string
  /** PEM. */
  readonly certificate: string
  readonly notAfter: Date
  /** DER; null until the signer has made one. */
  readonly crl: Uint8Array | null
}

/** @returns those that are valid, the one that signs first */
export async function listAuthorities(pool: Pool): Promise<AuthorityRecord[]> {
  const { rows } = await pool.query<AuthorityRecord>(
    `SELECT id, certificate, not_after AS "notAfter", crl FROM certificate_authorities WHERE not_after > now()
     ORDER BY created_at DESC, id LIMIT 10`,
  )
  return rows
}

/** Devices that would not come back if the authority were another one: they have a certificate of it, or check one. */
export async function isAuthorityNeeded(pool: Pool): Promise<boolean> {
  const { rowCount } = await pool.query(
    `SELECT 1 FROM certificate_authorities WHERE not_after > now() AND EXISTS (
       SELECT 1 FROM credentials c JOIN devices d ON d.organization_id = c.organization_id AND d.id = c.device_id
       WHERE c.kind IN ('certificate', 'eap') AND c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > now())
         AND d.deleted_at IS NULL)`,
  )
  return rowCount !== 0
}

/** Before a new authority is made in place of one whose key is gone. */
export async function forgetAuthorities(pool: Pool): Promise<void> {
  await pool.query('DELETE FROM certificate_authorities')
}

/** Doing it again changes nothing. */
export async function publishAuthority(
  pool: Pool,
  authority: Pick<AuthorityRecord, 'id' | 'certificate' | 'notAfter'>,
): Promise<void> {
  await pool.query(
    'INSERT INTO certificate_authorities (id, certificate, not_after) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING',
    [authority.id, authority.certificate, authority.notAfter],
  )
}
