/**
 * Many registered devices at once: rows as the API would write them, without ten thousand REST calls.
 */
import { randomBytes } from 'node:crypto'
import { createSecretSealer, newId, sealingKeyId, type SecretSealer } from '@culvert/db'
import type { Api, Installation } from '../support/installation.ts'
import { provision } from '../support/provision.ts'

export interface FleetMember {
  readonly identity: string
  readonly proof:
    | { readonly kind: 'psk'; readonly secret: string }
    /** PEM; the chain begins with the device's own. */
    | { readonly kind: 'certificate'; readonly chain: string; readonly key: string; readonly authority: string }
}

const POOL = '10.144.0.0/16'
const BATCH = 500
const CALLS_AT_ONCE = 8

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
  const seal = createSecretSealer(sealingPublicKey)
  const fleet: FleetMember[] = []
  for (let from = 0; from < count; from += BATCH) {
    const rows = await Promise.all(
      Array.from({ length: Math.min(BATCH, count - from) }, (_, index) =>
        newDevice(organizationIds.acme, seal, from + index),
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
    for (const { identity, psk } of rows) fleet.push({ identity, proof: { kind: 'psk', secret: psk } })
  }
  return fleet
}

/** Registers devices with ECDSA P-256 certificates of the installation's authority, as a customer does it. */
export async function registerCertifiedFleet({ acme }: Installation, count: number): Promise<FleetMember[]> {
  const fleet: FleetMember[] = []
  for (let from = 0; from < count; from += CALLS_AT_ONCE) {
    const names = Array.from(
      { length: Math.min(CALLS_AT_ONCE, count - from) },
      (_, index) => `certified-${from + index}`,
    )
    fleet.push(...(await Promise.all(names.map((name) => newCertifiedDevice(acme, name)))))
  }
  return fleet
}

async function newCertifiedDevice(acme: Api, name: string): Promise<FleetMember> {
  const { ikeIdentity, files } = await provision(acme, name, { kind: 'certificate' })
  const pem = (file: string): string => files[file] ?? ''
  const chain = pem('x509/culvert-device.pem')
  const key = pem('private/culvert-device.key')
  return {
    identity: ikeIdentity,
    proof: { kind: 'certificate', chain, key, authority: pem('x509ca/culvert-ca.pem') },
  }
}

async function newDevice(organizationId: string, seal: SecretSealer, index: number) {
  const id = newId('dev')
  const credentialId = newId('crd')
  const psk = randomBytes(32).toString('base64url')
  const sealed = await seal(new TextEncoder().encode(psk), {
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
