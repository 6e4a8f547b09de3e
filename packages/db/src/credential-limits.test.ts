import { createDatabase } from '@culvert/testkit'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import {
  addCredential,
  createDevice,
  decideCertificate,
  ensureOrganization,
  listCredentials,
  maxCertificatesInForce,
  maxEndedCredentials,
  newId,
  openPool,
  revokeCredential,
  type Pool,
  systemAuthor,
} from './index.ts'

const by = systemAuthor('test')

const DAY_MS = 86_400_000
let pool: Pool
let organizationId: string
let count = 0

beforeAll(async () => {
  pool = openPool(await createDatabase(inject('databaseUrl')))
  organizationId = (await ensureOrganization(pool, { name: 'Acme', slug: 'acme' })).id
})
afterAll(() => pool.end())

it('a device has a bounded number of certificates in force, revoked ones included, and another device its own', async () => {
  const deviceId = await addDevice()
  for (let made = 0; made < maxCertificatesInForce; made++) {
    const id = await certificate(deviceId)
    await issue(deviceId, id)
    await revoke(deviceId, id)
  }
  expect(await certificate(deviceId)).toBe('certificate_limit')
  expect(await certificate(await addDevice())).toMatch(/^crd_/)
  // What is over stands on no list any more.
  await pool.query(`UPDATE credentials SET expires_at = now() - interval '1 s' WHERE device_id = $1`, [deviceId])
  expect(await certificate(deviceId)).toMatch(/^crd_/)
})

it('of the credentials that ended the latest are kept, and those that are good', async () => {
  const deviceId = await addDevice()
  const stays = await psk(deviceId)
  const ids: string[] = []
  for (let made = 0; made < maxEndedCredentials + 5; made++) {
    const id = await psk(deviceId)
    await revoke(deviceId, id)
    ids.push(id)
  }
  const last = await psk(deviceId)
  const kept = (await listCredentials(pool, organizationId, deviceId))?.map(({ id }) => id) ?? []
  expect(kept).toHaveLength(maxEndedCredentials + 2)
  expect(kept).toEqual(expect.arrayContaining([stays, last, ids.at(-1)]))
  expect(kept).not.toContain(ids[0])
})

it('a certificate that was revoked or decided meanwhile is not decided again', async () => {
  const deviceId = await addDevice()
  const revoked = await certificate(deviceId)
  await revoke(deviceId, revoked)
  expect(await issue(deviceId, revoked)).toBeNull()
  const issued = await certificate(deviceId)
  expect(await issue(deviceId, issued)).toEqual([])
  expect(
    await decideCertificate(pool, { id: issued, organizationId, deviceId }, { kind: 'refused', refusal: 'x' }),
  ).toBeNull()
  expect(await issue(deviceId, newId('crd'))).toBeNull()
})

it('an expired credential can be revoked, once', async () => {
  const deviceId = await addDevice()
  const id = await psk(deviceId)
  await pool.query(`UPDATE credentials SET expires_at = now() - interval '1 s' WHERE id = $1`, [id])
  expect(await revoke(deviceId, id)).toMatchObject({ gateways: [] })
  expect(await revoke(deviceId, id)).toBe('credential_revoked')
  expect(await revoke(await addDevice(), id)).toBe('not_found')
})

async function addDevice(): Promise<string> {
  const device = await createDevice(
    pool,
    {
      organizationId,
      zone: 'test',
      iccid: `8944000000000000${String(++count).padStart(3, '0')}`,
      imsi: null,
      imei: null,
      eid: null,
      name: newId('dev'),
      tags: [],
      tunnelable: true,
      lanPrefixes: [],
      proposalTiers: null,
    },
    { by },
  )
  if (typeof device === 'string') throw new Error(device)
  return device.id
}

/** @returns its id, or why there is none. */
async function certificate(deviceId: string): Promise<string> {
  const [kind, expiresAt] = ['certificate' as const, new Date(Date.now() + DAY_MS)]
  const id = newId('crd')
  const added = await addCredential(
    pool,
    { id, organizationId, deviceId, kind, csr: Uint8Array.of(1), expiresAt },
    { by },
  )
  return typeof added === 'string' ? added : id
}

async function psk(deviceId: string): Promise<string> {
  const id = newId('crd')
  const sealed = { sealedSecret: Uint8Array.of(1), sealingKeyId: 'key' }
  await addCredential(pool, { id, organizationId, deviceId, kind: 'psk', ...sealed, expiresAt: null }, { by })
  return id
}

function issue(deviceId: string, id: string): Promise<string[] | null> {
  const made = { certificates: 'PEM', serial: id, fingerprint: id, notAfter: new Date(Date.now() + DAY_MS) }
  return decideCertificate(pool, { id, organizationId, deviceId }, { kind: 'issued', ...made })
}

function revoke(deviceId: string, id: string): ReturnType<typeof revokeCredential> {
  return revokeCredential(pool, { organizationId, deviceId, id }, { by })
}
