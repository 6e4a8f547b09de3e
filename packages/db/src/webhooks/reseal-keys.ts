/** Keys that webhooks are signed with, sealed anew. One that signs no more is left to be removed. Needs the role `culvert_worker`. */
import type { Pool } from 'pg'
import { resealRows, type Reseal, type ResealResult } from '../reseal.ts'

export function resealWebhookKeys(pool: Pool, reseal: Reseal): Promise<ResealResult> {
  return resealRows(pool, sealedKeys, reseal)
}

const sealedKeys = {
  action: 'webhook_keys.resealed',
  counted: 'webhookKeys',
  read: `SELECT id, organization_id AS "organizationId", endpoint_id AS "ownerId", sealed_key AS sealed, sealing_key_id AS "sealingKeyId"
    FROM webhook_keys WHERE id > $1 AND sealing_key_id <> $2 AND (expires_at IS NULL OR expires_at > now()) ORDER BY id LIMIT $3`,
  write: `UPDATE webhook_keys k SET sealed_key = v.sealed, sealing_key_id = $1
    FROM unnest($2::text[], $3::bytea[], $4::bytea[]) AS v(id, former, sealed)
    WHERE k.id = v.id AND k.sealed_key = v.former RETURNING k.organization_id AS "organizationId"`,
}
