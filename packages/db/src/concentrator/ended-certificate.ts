/**
 * What became of a certificate that was a credential of the device that shows it, for people. It is looked up when a failed attempt is
 * stored: who waits for an answer does not wait for this, and hears nothing of it.
 */
import { AUTHORITY_ALLOWS } from '../foreign-credentials.ts'

/**
 * SQL: `reason` and `detail` by the device `d` and the fingerprint `v.certificate`; no row when the device never had it as a credential,
 * or has it as a valid one by now.
 */
export const ENDED_CERTIFICATE = `SELECT CASE WHEN c.revoked_at IS NOT NULL THEN 'credential_revoked'
    WHEN c.expires_at <= now() OR a.not_after <= now() THEN 'credential_expired' ELSE 'refused' END AS reason,
  CASE WHEN c.former_authority_id IS NOT NULL THEN 'the authority of its certificate was deleted'
    WHEN c.revoked_at IS NOT NULL THEN 'the credential of its certificate is revoked'
    WHEN c.expires_at <= now() THEN 'the credential of its certificate has expired'
    WHEN a.not_after <= now() THEN 'the authority of its certificate has expired'
    ELSE 'the authority of its certificate needs a fresh list of revoked ones' END AS detail
  FROM (SELECT * FROM credentials k WHERE k.organization_id = d.organization_id AND k.device_id = d.id AND k.kind = 'certificate'
      AND k.fingerprint = v.certificate ORDER BY k.revoked_at DESC NULLS FIRST LIMIT 1) c
    LEFT JOIN device_authorities a ON a.organization_id = c.organization_id AND a.id = c.authority_id
  WHERE c.revoked_at IS NOT NULL OR c.expires_at <= now() OR NOT ${AUTHORITY_ALLOWS}`
