import { createCredentialCache, type CredentialCache } from '@culvert/concentrator-core'
import {
  createKeyRing,
  ensureOrganization,
  generateSealingKeyPair,
  newId,
  openPool,
  sealSecret,
  type Pool,
} from '@culvert/db'
import { createLogger } from '@culvert/observability'
import { createDatabase } from '@culvert/testkit'
import type { QueryConfig } from 'pg'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { createCredentialDesk, type CredentialDesk } from './credential-desk.ts'

const SECRET = new TextEncoder().encode('a secret of this test, long enough')
let pool: Pool
let organizationId: string
let keys: Awaited<ReturnType<typeof generateSealingKeyPair>>
let devices = 0

beforeAll(async () => {
  pool = openPool(await createDatabase(inject('databaseUrl')))
  organizationId = (await ensureOrganization(pool, { name: 'Acme', slug: 'acme' })).id
  keys = await generateSealingKeyPair()
  await pool.query(
    `INSERT INTO networks (id, organization_id, name, pool4) VALUES ('net_a', $1, 'default', '10.128.0.0/20')`,
    [organizationId],
  )
})
afterAll(() => pool.end())

async function addDevice(): Promise<{ deviceId: string; credentialId: string; identity: string }> {
  const [deviceId, credentialId] = [newId('dev'), newId('crd')]
  devices++
  const identity = `d${devices}.acme.example`
  await pool.query(
    `INSERT INTO devices (id, organization_id, network_id, name, iccid, ike_identity, address4) VALUES ($1, $2, 'net_a', $1, $3, $4, $5)`,
    [deviceId, organizationId, `89000000000000000${devices}`, identity, `10.128.0.${9 + devices}`],
  )
  const sealed = await sealSecret(keys.publicKey, SECRET, { organizationId, deviceId, credentialId })
  await pool.query(
    `INSERT INTO credentials (id, organization_id, device_id, kind, sealed_secret, sealing_key_id) VALUES ($1, $2, $3, 'psk', $4, $5)`,
    [credentialId, organizationId, deviceId, Buffer.from(sealed), keys.keyId],
  )
  return { deviceId, credentialId, identity }
}

/** @param afterRead runs once, when the first query has read and before the desk sees what */
function openDesk(afterRead: () => Promise<void> = async () => {}): { desk: CredentialDesk; cache: CredentialCache } {
  const cache = createCredentialCache({ entries: 100, freshMs: 60_000, staleMs: 60_000, unknownMs: 60_000 })
  let reads = 0
  const slow = {
    query: async (query: QueryConfig, values?: unknown[]) => {
      const result = await pool.query(query, values)
      if (++reads === 1) await afterRead()
      return result
    },
  } as unknown as Pool
  const desk = createCredentialDesk({
    pool: slow,
    cache,
    secrets: createKeyRing([keys.privateKey]),
    log: createLogger('test', 'silent'),
  })
  return { desk, cache }
}

const fqdn = (name: string): { type: number; data: Uint8Array } => ({ type: 2, data: new TextEncoder().encode(name) })

it('opens the secret of a device, whatever the case of its name, and gives out copies', async () => {
  const { identity, deviceId, credentialId } = await addDevice()
  const { desk, cache } = openDesk()
  const [first, second] = await Promise.all([desk.find(fqdn(identity)), desk.find(fqdn(identity.toUpperCase()))])
  expect(first).toMatchObject({ deviceId, credentials: [{ kind: 'psk', id: credentialId, secret: SECRET }] })
  cache.forgetDevice(deviceId)
  expect(second).toMatchObject({ identity, credentials: [{ secret: SECRET }] })
})

it('does not use or keep what it read before a revocation that it was told of meanwhile', async () => {
  const { identity, deviceId, credentialId } = await addDevice()
  const { desk, cache } = openDesk(async () => {
    await pool.query(`UPDATE credentials SET revoked_at = now() WHERE id = $1`, [credentialId])
    cache.forgetDevice(deviceId)
  })
  expect(await desk.find(fqdn(identity))).toMatchObject({ deviceId, credentials: [] })
  expect(cache.get(identity, performance.now())).toMatchObject({ kind: 'fresh', device: { credentials: [] } })
})

it('does not remember as unknown who was registered while it looked', async () => {
  const { identity, deviceId } = await addDevice()
  await pool.query(`UPDATE devices SET ike_identity = 'hidden.acme.example' WHERE id = $1`, [deviceId])
  const { desk, cache } = openDesk(async () => {
    await pool.query(`UPDATE devices SET ike_identity = $2 WHERE id = $1`, [deviceId, identity])
    cache.forgetDevice(deviceId)
  })
  expect(await desk.find(fqdn(identity))).toBeNull()
  expect(await desk.find(fqdn(identity))).toMatchObject({ deviceId })
})

it.each([
  ['a name with a blank', fqdn('a b.acme.example')],
  ['a name with a letter beyond ASCII', fqdn('\u0430.acme.example')],
  ['an empty name', fqdn('')],
  ['a name of 256 octets', fqdn('a'.repeat(256))],
  ['an address', { type: 1, data: Uint8Array.of(192, 0, 2, 1) }],
])('nobody is %s', async (_what, id) => {
  const { desk, cache } = openDesk()
  expect(await desk.find(id)).toBeNull()
  expect(cache.size).toBe(0)
})
