/**
 * IKE SA and Child SA rows of attached devices, and their counters.
 */
import type { Pool, PoolClient } from 'pg'
import type { AttachmentSnapshot, ChildSaSnapshot, IkeSaSnapshot } from './attachment-snapshot.ts'
import { moment } from './moment.ts'

/** Makes the SA rows of these devices equal to the snapshots; rows that stay keep their counters. */
export async function replaceSas(client: PoolClient, batch: readonly AttachmentSnapshot[]): Promise<void> {
  const ikeSas = batch.flatMap((snapshot) =>
    snapshot.ikeSas.map((ike) => ({ snapshot, ike, id: `${ike.spiI}-${ike.spiR}` })),
  )
  const ids = JSON.stringify(ikeSas.map(({ id }) => id))
  await client.query(
    `DELETE FROM ike_sas WHERE device_id = ANY(ARRAY(SELECT json_array_elements_text($1)))
       AND id <> ALL(ARRAY(SELECT json_array_elements_text($2)))`,
    [JSON.stringify(batch.map(({ deviceId }) => deviceId)), ids],
  )
  if (ikeSas.length === 0) return
  await client.query(
    `INSERT INTO ike_sas (id, organization_id, device_id, spi_i, spi_r, initiator, encryption, integrity, prf, key_exchange, established_at,
       tier, additional_key_exchanges)
     SELECT v.id, v.organization_id, v.device_id, v.spi_i, v.spi_r, v.initiator, v.encryption, v.integrity, v.prf, v.key_exchange,
       ${moment('v.established_at')}, v.tier, v.additional_key_exchanges
     FROM json_to_recordset($1) AS v(id text, organization_id text, device_id text, spi_i text, spi_r text, initiator bool,
       encryption text, integrity text, prf text, key_exchange text, established_at float8, tier text, additional_key_exchanges text[])
     ON CONFLICT (id) DO NOTHING`,
    [JSON.stringify(ikeSas.map(({ snapshot, ike, id }) => ikeSaRow(id, snapshot, ike)))],
  )
  const children = ikeSas.flatMap(({ snapshot, ike, id }) =>
    ike.childSas.map((child) => childSaRow(id, snapshot, child)),
  )
  const rows = JSON.stringify(children)
  await client.query(
    `DELETE FROM child_sas c USING json_array_elements_text($1) AS i(id) WHERE c.ike_sa_id = i.id
       AND NOT EXISTS (SELECT 1 FROM json_to_recordset($2) AS k(ike_sa_id text, spi_in bigint)
         WHERE k.ike_sa_id = c.ike_sa_id AND k.spi_in = c.spi_in)`,
    [ids, rows],
  )
  if (children.length === 0) return
  await client.query(
    `INSERT INTO child_sas (ike_sa_id, spi_in, spi_out, organization_id, device_id, encryption, integrity, esn, selectors_local,
       selectors_remote, installed_at)
     SELECT v.ike_sa_id, v.spi_in, v.spi_out, v.organization_id, v.device_id, v.encryption, v.integrity, v.esn, v.selectors_local,
       v.selectors_remote, ${moment('v.installed_at')}
     FROM json_to_recordset($1) AS v(ike_sa_id text, spi_in bigint, spi_out bigint, organization_id text, device_id text,
       encryption text, integrity text, esn bool, selectors_local text[], selectors_remote text[], installed_at float8)
     ON CONFLICT (ike_sa_id, spi_in) DO NOTHING`,
    [rows],
  )
}

function ikeSaRow(
  id: string,
  { organizationId, deviceId }: AttachmentSnapshot,
  ike: IkeSaSnapshot,
): Readonly<Record<string, unknown>> {
  return {
    id,
    organization_id: organizationId,
    device_id: deviceId,
    spi_i: ike.spiI,
    spi_r: ike.spiR,
    initiator: ike.initiator,
    encryption: ike.encryption,
    integrity: ike.integrity,
    prf: ike.prf,
    key_exchange: ike.keyExchange,
    established_at: ike.establishedAt.getTime(),
    tier: ike.tier,
    additional_key_exchanges: ike.additionalKeyExchanges,
  }
}

function childSaRow(
  ikeSaId: string,
  { organizationId, deviceId }: AttachmentSnapshot,
  child: ChildSaSnapshot,
): Readonly<Record<string, unknown>> {
  return {
    ike_sa_id: ikeSaId,
    spi_in: child.spiIn,
    spi_out: child.spiOut,
    organization_id: organizationId,
    device_id: deviceId,
    encryption: child.encryption,
    integrity: child.integrity,
    esn: child.esn,
    selectors_local: child.selectorsLocal,
    selectors_remote: child.selectorsRemote,
    installed_at: child.installedAt.getTime(),
  }
}

export interface ChildCounters {
  readonly deviceId: string
  readonly spiIn: number
  readonly packetsIn: number
  readonly bytesIn: number
  readonly packetsOut: number
  readonly bytesOut: number
}

/** Overwrites the counters of Child SAs that have a row. @returns the inbound SPIs of those that have one */
export async function writeChildCounters(pool: Pool, counters: readonly ChildCounters[]): Promise<ReadonlySet<number>> {
  if (counters.length === 0) return new Set()
  const { rows } = await pool.query<{ spi_in: string }>(
    `UPDATE child_sas c SET packets_in = v.packets_in, bytes_in = v.bytes_in, packets_out = v.packets_out, bytes_out = v.bytes_out, counted_at = now()
     FROM json_to_recordset($1) AS v(device_id text, spi_in bigint, packets_in bigint, bytes_in bigint, packets_out bigint, bytes_out bigint)
     WHERE c.device_id = v.device_id AND c.spi_in = v.spi_in RETURNING c.spi_in`,
    [JSON.stringify(counters.map(counterRow))],
  )
  return new Set(rows.map(({ spi_in: spiIn }) => Number(spiIn)))
}

function counterRow(counters: ChildCounters): Readonly<Record<string, unknown>> {
  return {
    device_id: counters.deviceId,
    spi_in: counters.spiIn,
    packets_in: counters.packetsIn,
    bytes_in: counters.bytesIn,
    packets_out: counters.packetsOut,
    bytes_out: counters.bytesOut,
  }
}
