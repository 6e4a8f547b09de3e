/**
 * IKE SA and Child SA rows of attached devices, and their counters.
 */
import type { Pool, PoolClient } from 'pg'
import type { AttachmentSnapshot } from './attachment-snapshot.ts'

/** Makes the SA rows of these devices equal to the snapshots; rows that stay keep their counters. */
export async function replaceSas(client: PoolClient, batch: readonly AttachmentSnapshot[]): Promise<void> {
  const ikeSas = batch.flatMap((snapshot) =>
    snapshot.ikeSas.map((ike) => ({ snapshot, ike, id: `${ike.spiI}-${ike.spiR}` })),
  )
  await client.query(`DELETE FROM ike_sas WHERE device_id = ANY($1) AND id <> ALL($2)`, [
    batch.map((snapshot) => snapshot.deviceId),
    ikeSas.map(({ id }) => id),
  ])
  if (ikeSas.length === 0) return
  await client.query(
    `INSERT INTO ike_sas (id, organization_id, device_id, spi_i, spi_r, initiator, encryption, integrity, prf, key_exchange, established_at,
       tier, additional_key_exchanges)
     SELECT v.id, v.organization_id, v.device_id, v.spi_i, v.spi_r, v.initiator, v.encryption, v.integrity, v.prf, v.key_exchange,
       v.established_at, v.tier, ARRAY(SELECT jsonb_array_elements_text(v.additional))
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bool[], $7::text[], $8::text[], $9::text[],
       $10::text[], $11::timestamptz[], $12::text[], $13::jsonb[])
       AS v(id, organization_id, device_id, spi_i, spi_r, initiator, encryption, integrity, prf, key_exchange, established_at, tier, additional)
     ON CONFLICT (id) DO NOTHING`,
    [
      ikeSas.map(({ id }) => id),
      ikeSas.map(({ snapshot }) => snapshot.organizationId),
      ikeSas.map(({ snapshot }) => snapshot.deviceId),
      ikeSas.map(({ ike }) => ike.spiI),
      ikeSas.map(({ ike }) => ike.spiR),
      ikeSas.map(({ ike }) => ike.initiator),
      ikeSas.map(({ ike }) => ike.encryption),
      ikeSas.map(({ ike }) => ike.integrity),
      ikeSas.map(({ ike }) => ike.prf),
      ikeSas.map(({ ike }) => ike.keyExchange),
      ikeSas.map(({ ike }) => ike.establishedAt),
      ikeSas.map(({ ike }) => ike.tier),
      ikeSas.map(({ ike }) => JSON.stringify(ike.additionalKeyExchanges)),
    ],
  )
  const children = ikeSas.flatMap(({ snapshot, ike, id }) => ike.childSas.map((child) => ({ snapshot, child, id })))
  await client.query(
    `DELETE FROM child_sas c USING unnest($1::text[]) AS i(id) WHERE c.ike_sa_id = i.id
       AND NOT EXISTS (SELECT 1 FROM unnest($2::text[], $3::bigint[]) AS k(ike_sa_id, spi_in) WHERE k.ike_sa_id = c.ike_sa_id AND k.spi_in = c.spi_in)`,
    [ikeSas.map(({ id }) => id), children.map(({ id }) => id), children.map(({ child }) => child.spiIn)],
  )
  // Selectors are arrays, which unnest would flatten: they travel as JSON text.
  await client.query(
    `INSERT INTO child_sas (ike_sa_id, spi_in, spi_out, organization_id, device_id, encryption, integrity, esn, selectors_local,
       selectors_remote, installed_at)
     SELECT v.ike_sa_id, v.spi_in, v.spi_out, v.organization_id, v.device_id, v.encryption, v.integrity, v.esn,
       ARRAY(SELECT jsonb_array_elements_text(v.selectors_local)), ARRAY(SELECT jsonb_array_elements_text(v.selectors_remote)), v.installed_at
     FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bool[], $9::jsonb[],
       $10::jsonb[], $11::timestamptz[])
       AS v(ike_sa_id, spi_in, spi_out, organization_id, device_id, encryption, integrity, esn, selectors_local, selectors_remote, installed_at)
     ON CONFLICT (ike_sa_id, spi_in) DO NOTHING`,
    [
      children.map(({ id }) => id),
      children.map(({ child }) => child.spiIn),
      children.map(({ child }) => child.spiOut),
      children.map(({ snapshot }) => snapshot.organizationId),
      children.map(({ snapshot }) => snapshot.deviceId),
      children.map(({ child }) => child.encryption),
      children.map(({ child }) => child.integrity),
      children.map(({ child }) => child.esn),
      children.map(({ child }) => JSON.stringify(child.selectorsLocal)),
      children.map(({ child }) => JSON.stringify(child.selectorsRemote)),
      children.map(({ child }) => child.installedAt),
    ],
  )
}

export interface ChildCounters {
  readonly deviceId: string
  readonly spiIn: number
  readonly packetsIn: number
  readonly bytesIn: number
  readonly packetsOut: number
  readonly bytesOut: number
}

/** Overwrites the counters of Child SAs that still have a row. */
export async function writeChildCounters(pool: Pool, counters: readonly ChildCounters[]): Promise<void> {
  if (counters.length === 0) return
  await pool.query(
    `UPDATE child_sas c SET packets_in = v.packets_in, bytes_in = v.bytes_in, packets_out = v.packets_out, bytes_out = v.bytes_out, counted_at = now()
     FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
       AS v(device_id, spi_in, packets_in, bytes_in, packets_out, bytes_out)
     WHERE c.device_id = v.device_id AND c.spi_in = v.spi_in`,
    [
      counters.map((c) => c.deviceId),
      counters.map((c) => c.spiIn),
      counters.map((c) => c.packetsIn),
      counters.map((c) => c.bytesIn),
      counters.map((c) => c.packetsOut),
      counters.map((c) => c.bytesOut),
    ],
  )
}
