/** Keys of webhook endpoints are replaced while deliveries go on: the one so far signs beside the new one for a while. */
import type { Pool } from 'pg'
import type { WriteOptions } from '../author.ts'
import { inTenantTransaction } from '../tenant.ts'
import type { TenantSql } from '../tenant-sql.ts'
import {
  lockWebhookEndpoint,
  noteEndpoint,
  readEndpointRow,
  type WebhookEndpointFault,
  type WebhookEndpointKey,
  type WebhookEndpointRecord,
} from './endpoint-rows.ts'
import { insertWebhookKey, type NewWebhookKey } from './keys.ts'

/**
 * @param overlapSec for which the key so far signs too; 0: it ends at once, and so does one before it
 * @returns `webhook_rotating` while two sign
 */
export async function rotateWebhookKey(
  pool: Pool,
  key: WebhookEndpointKey,
  { fresh, overlapSec }: { fresh: NewWebhookKey; overlapSec: number },
  options: WriteOptions,
): Promise<WebhookEndpointRecord | WebhookEndpointFault | 'webhook_rotating'> {
  const { organizationId, id } = key
  const work = async (tx: TenantSql): Promise<WebhookEndpointRecord | WebhookEndpointFault | 'webhook_rotating'> => {
    const before = await lockWebhookEndpoint(tx, key)
    if (typeof before === 'string') return before
    if (overlapSec > 0 && before.keys.length > 1) return 'webhook_rotating'
    await tx.query(
      `DELETE FROM webhook_keys WHERE organization_id = $1 AND endpoint_id = $2 AND ($3 = 0 OR expires_at <= now())`,
      [organizationId, id, overlapSec],
    )
    await tx.query(
      `UPDATE webhook_keys SET expires_at = now() + $3 * interval '1 second' WHERE organization_id = $1 AND endpoint_id = $2 AND expires_at IS NULL`,
      [organizationId, id, overlapSec],
    )
    await insertWebhookKey(tx, organizationId, id, fresh)
    await tx.query(
      'UPDATE webhook_endpoints SET version = version + 1, updated_at = now() WHERE organization_id = $1 AND id = $2',
      [organizationId, id],
    )
    await noteEndpoint(tx, {
      organizationId,
      id,
      type: 'webhook.rotated',
      options,
      after: { keyId: fresh.id, overlapSec },
    })
    return (await readEndpointRow(tx, organizationId, id)) as WebhookEndpointRecord
  }
  return inTenantTransaction(pool, organizationId, work, options)
}
