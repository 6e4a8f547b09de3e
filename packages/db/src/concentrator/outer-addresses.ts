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
  const known = seen.filter(({ remoteAddress }) => isInet(remoteAddress))
  if (known.length === 0) return
  await tx.query(
    `INSERT INTO outer_addresses (address, organization_id, last_seen_at)
     SELECT v.address, v.organization_id, max(v.last_seen_at)
     FROM unnest($1::inet[], $2::text[], $3::timestamptz[]) AS v(address, organization_id, last_seen_at)
     GROUP BY v.address, v.organization_id ORDER BY v.address, v.organization_id
     ON CONFLICT (address, organization_id) DO UPDATE SET last_seen_at = excluded.last_seen_at
       WHERE outer_addresses.last_seen_at < excluded.last_seen_at - interval '1 hour'`,
    [
      known.map(({ remoteAddress }) => remoteAddress),
      known.map(({ organizationId }) => organizationId),
      known.map(({ lastSeenAt }) => lastSeenAt),
    ],
  )
}
