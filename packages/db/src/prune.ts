/** Forgets what nobody needs any more, a bounded number of rows at a time. Events are removed by `events/retention.ts`. */
import type { Pool } from 'pg'

export interface Retention {
  readonly connectionDays: number
  readonly attemptDays: number
  /** The log of webhooks; shorter than events, of which it shows the bodies. */
  readonly deliveryDays: number
  /** Tunnels that have ended, and deleted devices; a device's inner address is free again with it. */
  readonly endedDays: number
  readonly operationDays: number
  readonly usageDays: number
}

export const defaultRetention: Retention = {
  connectionDays: 90,
  attemptDays: 30,
  deliveryDays: 30,
  endedDays: 30,
  operationDays: 30,
  /** Thirteen months, so that a month can be compared with the one a year before. */
  usageDays: 400,
}

/** Most rows that one call removes of each kind. */
export const pruneBatch = 5_000
const batch = pruneBatch
/** How long before an attempt another organization's device at its source counts (attempts.ts). */
const daysSeenBefore = 30

/** Sessions, keys, grants and people that are over. A person who is locked out stays known. */
function ofIdentity({ endedDays }: Retention): [sql: string, days: number][] {
  return [
    [`DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < ? LIMIT ${batch})`, 1],
    [`DELETE FROM signing_keys WHERE kid IN (SELECT kid FROM signing_keys WHERE verifies_until < ? LIMIT ${batch})`, 1],
    [
      `DELETE FROM grants WHERE id IN (SELECT id FROM grants WHERE least(revoked_at, expires_at) < ? LIMIT ${batch})`,
      endedDays,
    ],
    [`DELETE FROM api_keys WHERE id IN (SELECT id FROM api_keys WHERE revoked_at < ? LIMIT ${batch})`, endedDays],
    [
      `DELETE FROM memberships WHERE id IN (SELECT id FROM memberships WHERE user_id IS NULL AND invitation_expires_at < ? LIMIT ${batch})`,
      endedDays,
    ],
    [
      `DELETE FROM users WHERE id IN (SELECT id FROM users u WHERE disabled_at IS NULL AND coalesce(last_login_at, created_at) < ?
         AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = u.id)
         AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = u.id) LIMIT ${batch})`,
      endedDays,
    ],
  ]
}

/** @returns how many rows were removed, or lost what is long; as many as {@link pruneBatch} tell that there are more */
export async function prune(pool: Pool, retention: Retention = defaultRetention): Promise<number> {
  const steps: [sql: string, days: number][] = [
    [
      `DELETE FROM connections WHERE id IN (SELECT id FROM connections WHERE state <> 'open' AND opened_at < ? LIMIT ${batch})`,
      retention.connectionDays,
    ],
    [
      `DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries WHERE created_at < ? AND state <> 'pending' LIMIT ${batch})`,
      retention.deliveryDays,
    ],
    // What was begun again late has its whole retry schedule; what waits at a disabled endpoint is forgotten, too.
    [
      `DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries WHERE created_at < ? LIMIT ${batch})`,
      retention.deliveryDays * 2,
    ],
    [
      `DELETE FROM webhook_deliveries WHERE id IN (SELECT d.id FROM webhook_endpoints w JOIN webhook_deliveries d ON d.organization_id = w.organization_id
         AND d.endpoint_id = w.id WHERE w.deleted_at < ? LIMIT ${batch})`,
      0,
    ],
    [
      `DELETE FROM webhook_endpoints WHERE id IN (SELECT w.id FROM webhook_endpoints w WHERE w.deleted_at < ?
         AND NOT EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.endpoint_id = w.id) LIMIT ${batch})`,
      1,
    ],
    [`DELETE FROM webhook_keys WHERE id IN (SELECT id FROM webhook_keys WHERE expires_at < ? LIMIT ${batch})`, 1],
    [
      `DELETE FROM attach_attempts WHERE id IN (SELECT id FROM attach_attempts WHERE at < ? LIMIT ${batch})`,
      retention.attemptDays,
    ],
    [
      `DELETE FROM operations WHERE id IN (SELECT id FROM operations WHERE finished_at < ? LIMIT ${batch})`,
      retention.operationDays,
    ],
    [
      `DELETE FROM usage_hourly WHERE ctid = ANY(ARRAY(SELECT ctid FROM usage_hourly WHERE hour < ? LIMIT ${batch}))`,
      retention.usageDays,
    ],
    [
      `DELETE FROM usage_daily WHERE ctid = ANY(ARRAY(SELECT ctid FROM usage_daily WHERE day < ? LIMIT ${batch}))`,
      retention.usageDays,
    ],
    [
      `DELETE FROM rule_runs WHERE id IN (SELECT id FROM rule_runs WHERE finished_at < ? LIMIT ${batch})`,
      retention.operationDays,
    ],
    [
      `DELETE FROM rule_runs WHERE id IN (SELECT u.id FROM automation_rules r JOIN rule_runs u ON u.organization_id = r.organization_id
         AND u.rule_id = r.id WHERE r.deleted_at < ? LIMIT ${batch})`,
      0,
    ],
    [
      `DELETE FROM automation_rules WHERE id IN (SELECT r.id FROM automation_rules r WHERE r.deleted_at < ?
         AND NOT EXISTS (SELECT 1 FROM rule_runs u WHERE u.organization_id = r.organization_id AND u.rule_id = r.id) LIMIT ${batch})`,
      1,
    ],
    [
      `DELETE FROM rule_effects WHERE (resource_id, at) IN (SELECT resource_id, at FROM rule_effects WHERE at < ? LIMIT ${batch})`,
      retention.endedDays + 1,
    ],
    [`DELETE FROM config_links WHERE id IN (SELECT id FROM config_links WHERE expires_at < ? LIMIT ${batch})`, 1],
    [
      `DELETE FROM outer_addresses WHERE (address, organization_id) IN
         (SELECT address, organization_id FROM outer_addresses WHERE last_seen_at < ? LIMIT ${batch})`,
      retention.attemptDays + daysSeenBefore,
    ],
    [
      `DELETE FROM revoked_certificates WHERE serial IN (SELECT serial FROM revoked_certificates WHERE not_after < ? LIMIT ${batch})`,
      1,
    ],
    [
      `DELETE FROM idempotency_keys WHERE (organization_id, actor, key_hash) IN
         (SELECT organization_id, actor, key_hash FROM idempotency_keys WHERE expires_at < ? LIMIT ${batch})`,
      0,
    ],
    // Their chains are up to 32 KiB each, and nothing reads them any more. Who holds one is not waited for: others take several at once.
    [
      `UPDATE credentials SET certificates = NULL WHERE id IN (SELECT id FROM credentials WHERE path_serials IS NOT NULL
         AND certificates IS NOT NULL AND least(revoked_at, expires_at) < ? LIMIT ${batch} FOR UPDATE SKIP LOCKED)`,
      1,
    ],
    ...ofIdentity(retention),
    [
      `DELETE FROM tunnels WHERE id IN (SELECT id FROM tunnels WHERE state IN ('closed', 'expired', 'failed') AND closed_at < ?
         AND NOT EXISTS (SELECT 1 FROM tunnel_ports p WHERE p.tunnel_id = tunnels.id AND p.quarantine_until > now()) LIMIT ${batch})`,
      retention.endedDays,
    ],
    [
      `DELETE FROM devices WHERE id IN (SELECT id FROM devices d WHERE deleted_at < ?
         AND NOT EXISTS (SELECT 1 FROM tunnels t WHERE t.organization_id = d.organization_id AND t.device_id = d.id)
         AND NOT EXISTS (SELECT 1 FROM attachments a WHERE a.device_id = d.id AND a.state = 'attached') LIMIT ${batch})`,
      retention.endedDays,
    ],
  ]
  let removed = 0
  for (const [sql, days] of steps) {
    const { rowCount } = await pool.query(sql.replace('?', `now() - $1::int * interval '1 day'`), [days])
    removed += rowCount ?? 0
  }
  return removed
}
