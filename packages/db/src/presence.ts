/**
 * What is told about the presence of devices. Each attachment row says where the device is and what was told last; an event is due
 * when both have differed for a while. So a device that goes and comes back at once is not told, one that keeps moving is told at
 * most once in that while, and whoever is killed meanwhile, nothing is forgotten.
 *
 * ```
 *   told: offline ── attached ──────────────▶ device.online, at once, by whoever writes the row
 *   told: online  ── detached for a while ──▶ device.offline
 *   told: online  ── attached elsewhere ────▶ device.moved, a while after the event before at the earliest
 * ```
 */
import { offlineCauseOf } from '@culvert/lifecycle'
import type { Pool } from 'pg'
import { appendEvents, type NewEvent } from './outbox.ts'
import { inTransaction } from './transaction.ts'

/** An attachment's row as it is told. */
export interface PresenceRow {
  readonly deviceId: string
  readonly organizationId: string
  readonly concentratorId: string
  readonly address4: string | null
  readonly address6: string | null
  readonly remoteAddress: string
  readonly remotePort: number
  readonly attachedAt: Date
  readonly detachedAt: Date | null
  readonly detachReason: string | null
}

/** Of a row named `new` or of a table, as a {@link PresenceRow}. */
export const presenceColumns = (row: string): string =>
  `${row}.device_id AS "deviceId", ${row}.organization_id AS "organizationId", ${row}.concentrator_id AS "concentratorId",
   host(${row}.address4) AS address4, host(${row}.address6) AS address6, ${row}.remote_address AS "remoteAddress",
   ${row}.remote_port AS "remotePort", ${row}.attached_at AS "attachedAt", ${row}.detached_at AS "detachedAt",
   ${row}.detach_reason AS "detachReason"`

export function onlineEvent(row: PresenceRow): NewEvent {
  return { ...subjectOf(row), type: 'device.online', data: placeOf(row) }
}

export function offlineEvent(row: PresenceRow): NewEvent {
  const cause = offlineCauseOf(row.detachReason)
  const detachedAt = (row.detachedAt ?? row.attachedAt).toISOString()
  return { ...subjectOf(row), type: 'device.offline', data: { ...placeOf(row), cause, detachedAt } }
}

function movedEvent(row: PresenceRow & Former): NewEvent {
  const former = { formerConcentratorId: row.formerConcentratorId, formerRemoteAddress: row.formerRemoteAddress }
  return { ...subjectOf(row), type: 'device.moved', data: { ...placeOf(row), ...former } }
}

interface Former {
  readonly formerConcentratorId: string
  readonly formerRemoteAddress: string
}

function subjectOf({ organizationId, deviceId }: PresenceRow): Pick<NewEvent, 'organizationId' | 'resourceId'> {
  return { organizationId, resourceId: deviceId }
}

function placeOf({ concentratorId, address4, address6, remoteAddress, remotePort, attachedAt }: PresenceRow) {
  return {
    concentratorId,
    address: address4,
    address6,
    remoteAddress,
    remotePort,
    attachedAt: attachedAt.toISOString(),
  }
}

const most = 500

/**
 * Tells what has been so for `stableMs`; several processes may do that at once.
 * @returns whether there may be more
 */
export async function tellPresence(pool: Pool, stableMs: number): Promise<boolean> {
  return inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<PresenceRow & Former & { state: string; wasOnline: boolean }>(
      `UPDATE attachments a SET told_online = a.state = 'attached', told_concentrator_id = a.concentrator_id,
         told_remote_address = a.remote_address, told_at = now(), tell_since = NULL
       WHERE a.device_id IN (SELECT device_id FROM attachments WHERE tell_since <= now() - $1 * interval '1 ms'
         ORDER BY tell_since LIMIT ${most} FOR UPDATE SKIP LOCKED)
       RETURNING ${presenceColumns('new')}, new.state, old.told_online AS "wasOnline",
         old.told_concentrator_id AS "formerConcentratorId", old.told_remote_address AS "formerRemoteAddress"`,
      [stableMs],
    )
    await appendEvents(
      tx,
      rows.flatMap((row) => {
        if (row.state !== 'attached') return row.wasOnline ? [offlineEvent(row)] : []
        return [row.wasOnline ? movedEvent(row) : onlineEvent(row)]
      }),
    )
    return rows.length === most
  })
}

/** @returns milliseconds until {@link tellPresence} or `tellTallies` has something to tell, as far as is known now; null: nothing */
export async function nextTellingMs(pool: Pool, stableMs: number): Promise<number | null> {
  const { rows } = await pool.query<{ ms: number | null }>(
    `SELECT (extract(epoch FROM least((SELECT min(tell_since) FROM attachments WHERE tell_since IS NOT NULL) + $1 * interval '1 ms',
       (SELECT min(window_ends_at) FROM event_tallies)) - now()) * 1000)::float8 AS ms`,
    [stableMs],
  )
  return rows[0]?.ms ?? null
}
