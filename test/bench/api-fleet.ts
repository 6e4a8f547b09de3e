/**
 * A large installation, written straight into the tables: as many organizations and devices as asked for, half of the devices
 * in one organization. Rows are as the API writes them but for the check digit of the ICCID; events are left out.
 */
import type { Pool } from '@culvert/db'

export interface FleetSize {
  readonly devices: number
  readonly organizations: number
}

/** Devices of the large organization. */
export function largeShare({ devices }: FleetSize): number {
  return devices / 2
}

export const largeOrganization = 'org_wwwwwwwwwwwwwwwwwwww'
const chunk = 50_000

/** @returns when every index is there and the planner knows the tables */
export async function loadFleet(pool: Pool, size: FleetSize): Promise<void> {
  const client = await pool.connect()
  try {
    // Triggers and foreign keys would look at each row; what they would write is written here.
    await client.query(
      `SET session_replication_role = replica; SET synchronous_commit = off; SET maintenance_work_mem = '256MB'`,
    )
    await client.query(
      `INSERT INTO organizations (id, name, slug, updated_at)
       SELECT ${idOf('org', 'o')}, 'Organization ' || o, 'bench-' || o, now() FROM generate_series(0, $1::int - 1) AS o`,
      [size.organizations],
    )
    await client.query(
      `INSERT INTO networks (id, organization_id, name, pool4, updated_at)
       SELECT ${idOf('net', 'o')}, ${idOf('org', 'o')}, 'default',
         CASE o WHEN 0 THEN '10.192.0.0/12'::inet ELSE set_masklen('10.128.0.0'::inet + o * 4096, 20) END, now()
       FROM generate_series(0, $1::int - 1) AS o`,
      [size.organizations],
    )
    await client.query(
      `INSERT INTO network_pools (pool4, organization_id, network_id, next_host)
       SELECT pool4, organization_id, id, CASE WHEN organization_id = $1 THEN 4096 * 200 ELSE 2 END FROM networks`,
      [largeOrganization],
    )
    for (let from = 0; from < size.devices; from += chunk) await loadDevices(client, size, from)
    await client.query(
      `INSERT INTO device_tags SELECT organization_id, tag, created_at, id FROM devices, unnest(tags) AS t(tag)`,
    )
    await client.query(
      `INSERT INTO concentrators (id, slot, addresses, ike_identity, tun_namespace, dial_address, state, heartbeat_at)
       VALUES ('con-1', 1, '{192.0.2.1}', 'concentrator.bench', 'tun', '10.127.0.1', 'ready', now())`,
    )
    await client.query(
      `INSERT INTO attachments (device_id, organization_id, concentrator_id, epoch, state, address4, remote_address, remote_port, behind_nat,
         attached_at, last_seen_at)
       SELECT id, organization_id, 'con-1', 1, CASE WHEN right(iccid, 1) < '8' THEN 'attached' ELSE 'detached' END, address4, '192.0.2.9', 4500, true,
         now(), created_at + interval '100 days' FROM devices WHERE right(iccid, 2) <> '00'`,
    )
    await client.query('RESET session_replication_role')
    await client.query('VACUUM (ANALYZE)')
  } finally {
    client.release(true)
  }
}

/** An id as the application makes them, of a number. */
function idOf(prefix: string, number: string): string {
  return `'${prefix}_' || translate(lpad(to_hex(${number}), 20, '0'), '0189', 'wxyz')`
}

async function loadDevices(
  client: { query(text: string, values: unknown[]): Promise<unknown> },
  size: FleetSize,
  from: number,
): Promise<void> {
  const large = largeShare(size)
  await client.query(
    `INSERT INTO devices (id, organization_id, network_id, name, name_key, iccid, imsi, imei, tags, ike_identity, address4, tunnelable, created_at, updated_at)
     SELECT ${idOf('dev', 'v.shuffled')}, ${idOf('org', 'v.o')}, ${idOf('net', 'v.o')}, v.name, lower(v.name), '8944' || lpad(i::text, 16, '0'),
       '26201' || lpad(i::text, 10, '0'), CASE WHEN i % 2 = 0 THEN '3569' || lpad(i::text, 11, '0') END,
       array_remove(ARRAY['fleet', 'site:' || i % 1000, CASE WHEN i % 2 = 0 THEN 'even' END, CASE WHEN i % 50000 = 7 THEN 'rare' END], NULL),
       to_hex(i) || '.bench', CASE v.o WHEN 0 THEN '10.192.0.0'::inet ELSE '10.128.0.0'::inet + v.o * 4096 END + v.nth / 254 * 256 + v.nth % 254 + 257,
       i % 10 <> 0, '2025-01-01'::timestamptz + i * interval '20 seconds', now()
     FROM (SELECT i, o, (i::bigint * 7919 + 13) % 16777213 AS shuffled, CASE WHEN o = 0 THEN i ELSE (i - $4) / ($3 - 1) END AS nth,
         (ARRAY['Truck', 'meter', 'Pump', 'gate', 'Camera'])[1 + i % 5] || ' ' || md5(i::text) AS name
       FROM (SELECT i, CASE WHEN i < $4 THEN 0 ELSE 1 + (i - $4) % ($3 - 1) END AS o
         FROM generate_series($1::int, $2::int - 1) AS i) AS n) AS v`,
    [from, Math.min(from + chunk, size.devices), size.organizations, large],
  )
}
