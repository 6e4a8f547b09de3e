/**
 * Many registered devices at once: rows as the API would write them, without ten thousand REST calls.
 */
import { randomBytes } from 'node:crypto'
import { newId, sealingKeyId, sealSecret } from '@culvert/db'
import type { Installation } from '../support/installation.ts'

export interface FleetMember {
  readonly identity: string
  readonly psk: string
}

const POOL = '10.144.0.0/16'
const BATCH = 500

/** Registers `count` (at most 60 000) devices of one organization, each with a secret of its own. */
export async function registerFleet(culvert: Installation, count: number): Promise<FleetMember[]> {
  const { pool, organizationIds, sealingPublicKey } = culvert
  const networkId = newId('net')
  await pool.query('INSERT INTO networks (id, organization_id, name, pool4) VALUES ($1, $2, $3, $4)', [
    networkId,
    organizationIds.acme,
    'fleet',
    POOL,
  ])
  const fleet: FleetMember[] = []
  for (let from = 0; from < count; from += BATCH) {
    const rows = await Promise.all(
      Array.from({ length: Math.min(BATCH, count - from) }, (_, index) =>
        newDevice(organizationIds.acme, sealingPublicKey, from + index),
      ),
    )
    await pool.query(
      `INSERT INTO devices (id, organization_id, network_id, name, iccid, ike_identity, address4)
       SELECT v.id, $1, $2, v.identity, v.iccid, v.identity, v.address4::inet
       FROM unnest($3::text[], $4::text[], $5::text[], $6::text[]) AS v(id, identity, iccid, address4)`,
      [
        organizationIds.acme,
        networkId,
        rows.map(({ id }) => id),
        rows.map(({ identity }) => identity),
        rows.map(({ iccid }) => iccid),
        rows.map(({ address4 }) => address4),
      ],
    )
    await pool.query(
      `INSERT INTO credentials (id, organization_id, device_id, kind, sealed_secret, sealing_key_id)
       SELECT v.id, $1, v.device_id, 'psk', v.sealed, $2
       FROM unnest($3::text[], $4::text[], $5::bytea[]) AS v(id, device_id, sealed)`,
      [
        organizationIds.acme,
        sealingKeyId(sealingPublicKey),
        rows.map(({ credentialId }) => credentialId),
        rows.map(({ id }) => id),
        rows.map(({ sealed }) => Buffer.from(sealed)),
      ],
    )
    for (const { identity, psk } of rows) fleet.push({ identity, psk })
  }
  return fleet
}

async function newDevice(organizationId: string, sealingPublicKey: string, index: number) {
  const id = newId('dev')
  const credentialId = newId('crd')
  const psk = randomBytes(32).toString('base64url')
  const sealed = await sealSecret(sealingPublicKey, new TextEncoder().encode(psk), {
    organizationId,
    deviceId: id,
    credentialId,
  })
  const host = index + 256 // neither the network's address nor its first hosts
  return {
    id,
    credentialId,
    psk,
    sealed,
    identity: `device-${index}.devices.example`,
    iccid: `8988${String(index).padStart(15, '0')}`,
    address4: `10.144.${host >>> 8}.${host & 255}`,
  }
}
