/**
 * Attachment rows, written behind in batches: one statement per kind, because ten thousand devices may come back at once. The rows
 * of a statement travel as one JSON text, which costs this process a third of what an array per column does. Nothing here stands
 * between a packet and its answer. A row belongs to the node named in it; a node that was superseded
 * never overwrites the newer owner, neither with its `detached` nor with news of a presence that is over: only a presence that has
 * just begun takes a device from another node.
 */
import type { Pool, PoolClient } from 'pg'
import { concentratorChannel, deviceChangedChannel, notify, notifyEach } from '../notify.ts'
import { tally, type TallyItem } from '../event-tallies.ts'
import { appendEvents, type NewEvent } from '../outbox.ts'
import { onlineEvent, presenceColumns, type PresenceRow } from '../presence.ts'
import { inTransaction } from '../transaction.ts'
import type { AttachmentSnapshot } from './attachment-snapshot.ts'
import { moment } from './moment.ts'
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
    const rows = [...written.values()]
    await appendEvents(client, rows.flatMap(newsOf))
    await tally(
      client,
      rekeys,
      owned.flatMap((snapshot) => rekeysOf(snapshot, nodeId)),
    )
    for (const { concentrator_id } of losers.rows) await notify(client, concentratorChannel(concentrator_id), '')
    const changed = new Set(owned.filter((snapshot) => snapshot.changed).map((snapshot) => snapshot.deviceId))
    for (const { deviceId, isToTell } of rows) if (isToTell) changed.add(deviceId)
    await notifyEach(client, deviceChangedChannel, [...changed])
  })
}

interface WrittenRow extends PresenceRow {
  readonly state: AttachmentSnapshot['state']
  readonly wasOnline: boolean
  /** Something else is so than was told (presence.ts). */
  readonly isToTell: boolean
  readonly credentialId: string | null
  readonly formerCredentialId: string | null
}

/** What is told at once. */
function newsOf(row: WrittenRow): NewEvent[] {
  const { organizationId, deviceId, credentialId, formerCredentialId } = row
  if (row.state !== 'attached') return []
  const events = row.wasOnline ? [] : [onlineEvent(row)]
  if (credentialId === null || formerCredentialId === null || credentialId === formerCredentialId) return events
  const data = { deviceId, formerCredentialId }
  return [...events, { organizationId, type: 'credential.rotated', resourceId: credentialId, data }]
}

const rekeys = { type: 'sa.rekeyed', windowSec: 60 } as const

function rekeysOf(
  { organizationId, deviceId, rekeyed = { ike: 0, child: 0 } }: AttachmentSnapshot,
  concentratorId: string,
): TallyItem<'sa.rekeyed'>[] {
  const of = (kind: 'ike' | 'child', count: number): TallyItem<'sa.rekeyed'>[] =>
    count === 0
      ? []
      : [{ organizationId, resourceId: deviceId, cause: kind, count, at: new Date(), data: { kind, concentratorId } }]
  return [...of('ike', rekeyed.ike), ...of('child', rekeyed.child)]
}

async function upsertAttachments(
  client: PoolClient,
  nodeId: string,
  batch: readonly AttachmentSnapshot[],
): Promise<Map<string, WrittenRow>> {
  const { rows } = await client.query<WrittenRow>(
    `INSERT INTO attachments (device_id, organization_id, concentrator_id, epoch, state, address4, remote_address, remote_port,
       behind_nat, attached_at, detached_at, detach_reason, last_seen_at, credential_id, address6, told_online, told_concentrator_id,
       told_remote_address, told_at)
     SELECT v.device_id, v.organization_id, $1, 1, v.state, v.address4, v.remote_address, v.remote_port, v.behind_nat,
       ${moment('v.attached_at')}, ${moment('v.detached_at')}, v.detach_reason, ${moment('v.last_seen_at')}, c.id, v.address6,
       v.state = 'attached', $1, v.remote_address, now()
     FROM json_to_recordset($2) AS v(device_id text, organization_id text, state text, address4 inet, remote_address text,
       remote_port int, behind_nat bool, attached_at float8, detached_at float8, detach_reason text,
       last_seen_at float8, changed bool, credential_id text, address6 inet)
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
       last_seen_at = excluded.last_seen_at, credential_id = excluded.credential_id, ${toldColumns}
     WHERE excluded.state = 'attached' OR attachments.concentrator_id = excluded.concentrator_id
     RETURNING ${presenceColumns('new')}, new.state, coalesce(old.told_online, false) AS "wasOnline", new.tell_since IS NOT NULL AS "isToTell",
       new.credential_id AS "credentialId", old.credential_id AS "formerCredentialId"`,
    [nodeId, JSON.stringify(batch.map(attachmentRow))],
  )
  return new Map(rows.map((row) => [row.deviceId, row]))
}

const isNews = `NOT attachments.told_online AND excluded.state = 'attached'`
/** What was told, and since when it is not so any more. A move is told at once, unless something was told a moment ago. */
const toldColumns = `told_online = attachments.told_online OR excluded.state = 'attached',
       told_concentrator_id = CASE WHEN ${isNews} THEN excluded.concentrator_id ELSE attachments.told_concentrator_id END,
       told_remote_address = CASE WHEN ${isNews} THEN excluded.remote_address ELSE attachments.told_remote_address END,
       told_at = CASE WHEN ${isNews} THEN now() ELSE attachments.told_at END,
       tell_since = CASE WHEN NOT attachments.told_online THEN NULL
         WHEN excluded.state = 'detached' THEN CASE WHEN attachments.state = 'detached' THEN coalesce(attachments.tell_since, now()) ELSE now() END
         WHEN (excluded.concentrator_id, excluded.remote_address) = (attachments.told_concentrator_id, attachments.told_remote_address) THEN NULL
         ELSE coalesce(attachments.told_at, now()) END`

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
    attached_at: snapshot.attachedAt.getTime(),
    detached_at: snapshot.detachedAt?.getTime() ?? null,
    detach_reason: snapshot.detachReason,
    last_seen_at: snapshot.lastSeenAt.getTime(),
    changed: snapshot.changed,
    credential_id: snapshot.credentialId,
  }
}
