/** Remembers at which outer addresses the devices of an organization were seen, at most an hour behind. */
import { isIP } from 'node:net'
import type { PoolClient } from 'pg'
import type { AttachmentSnapshot } from './attachment-snapshot.ts'

/** @returns whether the text is an address that PostgreSQL takes: one with a zone (`fe80::1%eth0`) is not */
export function isInet(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%')
}

/** In the order of the key, so that two writers cannot block each other crosswise. */
export async function noteOuterAddresses(tx: PoolClient, seen: readonly AttachmentSnapshot[]): Promise<void> {
  const latest = latestOfEach(seen.filter(({ remoteAddress }) => isInet(remoteAddress)))
  if (latest.length === 0) return
  await tx.query(
    `INSERT INTO outer_addresses (address, organization_id, last_seen_at)
     SELECT v.address, v.organization_id, max(v.last_seen_at)
     FROM json_to_recordset($1) AS v(address inet, organization_id text, last_seen_at timestamptz)
     GROUP BY v.address, v.organization_id ORDER BY v.address, v.organization_id
     ON CONFLICT (address, organization_id) DO UPDATE SET last_seen_at = excluded.last_seen_at
       WHERE outer_addresses.last_seen_at < excluded.last_seen_at - interval '1 hour'`,
    [
      JSON.stringify(
        latest.map(({ remoteAddress, organizationId, lastSeenAt }) => ({
          address: remoteAddress,
          organization_id: organizationId,
          last_seen_at: lastSeenAt,
        })),
      ),
    ],
  )
}

/** Carrier NAT puts many devices behind one address: one of them stands for all. */
function latestOfEach(seen: readonly AttachmentSnapshot[]): readonly AttachmentSnapshot[] {
  const latest = new Map<string, AttachmentSnapshot>()
  for (const snapshot of seen) {
    const key = `${snapshot.organizationId} ${snapshot.remoteAddress}`
    const known = latest.get(key)
    if (known === undefined || known.lastSeenAt < snapshot.lastSeenAt) latest.set(key, snapshot)
  }
  return [...latest.values()]
}
