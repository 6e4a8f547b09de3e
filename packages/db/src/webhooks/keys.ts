/**
 * What deliveries are signed with. A key is sealed to the workers (seal.ts): who makes it, the API, cannot read it back. Two at most
 * sign at a time, the one that stays and the one before it.
 */
import type { SealBinding } from '../seal.ts'
import type { TenantSql } from '../tenant-sql.ts'

export interface WebhookKeyRecord {
  readonly id: string
  readonly scheme: 'v1' | 'v1a'
  readonly publicKey: string | null
  readonly createdAt: Date
  /** Null: it stays. */
  readonly expiresAt: Date | null
}

export interface NewWebhookKey {
  readonly id: string
  readonly scheme: 'v1' | 'v1a'
  /** `whsec_` or `whsk_`, sealed. */
  readonly sealedKey: Uint8Array
  readonly sealingKeyId: string
  readonly publicKey: string | null
}

/** A sealed key belongs to one endpoint, and cannot be moved to another row. */
export function webhookKeyBinding(organizationId: string, endpointId: string, keyId: string): SealBinding {
  return { organizationId, deviceId: endpointId, credentialId: keyId }
}

/** Keys that sign, as JSON, of the endpoint `w`. */
export const webhookKeysOf = `(SELECT coalesce(json_agg(json_build_object('id', k.id, 'scheme', k.scheme, 'publicKey', k.public_key,
    'createdAt', k.created_at, 'expiresAt', k.expires_at) ORDER BY k.expires_at DESC NULLS FIRST, k.id), '[]')
  FROM webhook_keys k WHERE k.organization_id = w.organization_id AND k.endpoint_id = w.id AND (k.expires_at IS NULL OR k.expires_at > now()))`

export async function insertWebhookKey(
  tx: TenantSql,
  organizationId: string,
  endpointId: string,
  { id, scheme, sealedKey, sealingKeyId, publicKey }: NewWebhookKey,
): Promise<void> {
  await tx.query(
    `INSERT INTO webhook_keys (id, organization_id, endpoint_id, scheme, sealed_key, sealing_key_id, public_key)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [id, organizationId, endpointId, scheme, sealedKey, sealingKeyId, publicKey],
  )
}
