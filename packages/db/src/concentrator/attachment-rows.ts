/**
 * Attachment rows, written behind in batches: one statement per kind, because ten thousand devices may come back at once. The rows
 * of a statement travel as one JSON text, which costs this process a third of what an array per column does. Nothing here stands
 * between a packet and its answer. A row belongs to the node named in it; a node that was superseded
 * never overwrites the newer owner, neither with its `detached` nor with news of a presence that is over: only a presence that has
 * just begun takes a device from another node.
 */
import type { Pool, PoolClient } from 'pg'
import { concentratorChannel, deviceChangedChannel, notify, notifyEach } from '../notify.ts'
import { appendEvents } from '../outbox.ts'
import { inTransaction } from '../transaction.ts'
import type { AttachmentSnapshot } from './attachment-snapshot.ts'
import { noteOuterAddresses } from './outer-addresses.ts'
import { replaceSas } from './sa-rows.ts'

/** Writes a batch of attachments with their SAs in one transaction; at most one snapshot per device. */
export async function writeAttachments(
  pool: Pool,
  nodeId: string,
  batch: readonly AttachmentSnapshot[],
): Promise<void> {
  if (batch.length === 0) return
  await inTransaction(pool, async (client) => {
    const devices = JSON.stringify(batch.map((snapshot) => snapshot.deviceId))
    const losers = await client.query<{ concentrator_id: string }>(
      `SELECT DISTINCT concentrator_id FROM (SELECT concentrator_id FROM attachments
         WHERE device_id = ANY(ARRAY(SELECT json_array_elements_text($1))) AND state = 'attached' AND concentrator_id <> $2
         FOR UPDATE) AS held`,
      [devices, nodeId],
    )
    const written = await upsertAttachments(client, nodeId, batch)
    const owned = batch.filter((snapshot) => written.has(snapshot.deviceId))
    await replaceSas(client, owned)
    await noteOuterAddresses(client, owned)
    const changed = owned.filter((snapshot) => snapshot.changed)
    await appendEvents(
      client,
      changed.map((snapshot) => ({
        resourceId: snapshot.deviceId,
        organizationId: snapshot.organizationId,
        type: snapshot.state === 'attached' ? 'device.online' : 'device.offline',
        data: snapshot.state === 'attached' ? { concentrator: nodeId } : { reason: snapshot.detachReason },
      })),
    )
    for (const { concentrator_id } of losers.rows) await notify(client, concentratorChannel(concentrator_id), '')
    await notifyEach(
      client,
      deviceChangedChannel,
      changed.map((snapshot) => snapshot.deviceId),
    )
  })
}

async function upsertAttachments(
  client: PoolClient,
  nodeId: string,
  batch: readonly AttachmentSnapshot[],
): Promise<Set<string>> {
  const { rows } = await client.query<{ device_id: string }>(
    `INSERT INTO attachments (device_id, organization_id, concentrator_id, epoch, state, address4, remote_address, remote_port,
       behind_nat, attached_at, detached_at, detach_reason, last_seen_at, credential_id, address6)
     SELECT v.device_id, v.organization_id, $1, 1, v.state, v.address4, v.remote_address, v.remote_port, v.behind_nat,
       v.attached_at, v.detached_at, v.detach_reason, v.last_seen_at, c.id, v.address6
     FROM json_to_recordset($2) AS v(device_id text, organization_id text, state text, address4 inet, remote_address text,
       remote_port int, behind_nat bool, attached_at timestamptz, detached_at timestamptz, detach_reason text,
       last_seen_at timestamptz, changed bool, credential_id text, address6 inet)
     JOIN devices d ON d.id = v.device_id AND d.organization_id = v.organization_id
     LEFT JOIN credentials c ON c.organization_id = d.organization_id AND c.device_id = d.id AND c.id = v.credential_id
     WHERE v.changed OR NOT EXISTS (SELECT 1 FROM attachments a
       WHERE a.device_id = v.device_id AND a.state = 'attached' AND a.concentrator_id <> $1)
     ON CONFLICT (device_id) DO UPDATE SET
       epoch = attachments.epoch + (CASE WHEN attachments.concentrator_id = excluded.concentrator_id
         AND attachments.attached_at = excluded.attached_at THEN 0 ELSE 1 END),
       concentrator_id = excluded.concentrator_id, state = excluded.state, address4 = excluded.address4, address6 = excluded.address6,
       remote_address = excluded.remote_address, remote_port = excluded.remote_port, behind_nat = excluded.behind_nat,
       attached_at = excluded.attached_at, detached_at = excluded.detached_at, detach_reason = excluded.detach_reason,
       last_seen_at = excluded.last_seen_at, credential_id = excluded.credential_id
     WHERE excluded.state = 'attached' OR attachments.concentrator_id = excluded.concentrator_id
     RETURNING device_id`,
    [nodeId, JSON.stringify(batch.map(attachmentRow))],
  )
  return new Set(rows.map((row) => row.device_id))
}

function attachmentRow(snapshot: AttachmentSnapshot): Readonly<Record<string, unknown>> {
  return {
    device_id: snapshot.deviceId,
    organization_id: snapshot.organizationId,
    state: snapshot.state,
    address4: snapshot.address4,
    address6: snapshot.address6,
    remote_address: snapshot.remoteAddress,
    remote_port: snapshot.remotePort,
    behind_nat: snapshot.behindNat,
    attached_at: snapshot.attachedAt,
    detached_at: snapshot.detachedAt,
    detach_reason: snapshot.detachReason,
    last_seen_at: snapshot.lastSeenAt,
    changed: snapshot.changed,
    credential_id: snapshot.credentialId,
  }
}
