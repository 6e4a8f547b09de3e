import { createDatabase } from '@culvert/testkit'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import {
  deleteDeviceAuthority,
  ensureOrganization,
  findCredential,
  listCredentials,
  newId,
  openPool,
  prune,
  systemAuthor,
  type Pool,
} from './index.ts'

const by = systemAuthor('test')
const DEVICE = 'dev_a'
let pool: Pool
let organizationId: string

beforeAll(async () => {
  pool = openPool(await createDatabase(inject('databaseUrl')))
  organizationId = (await ensureOrganization(pool, { name: 'Acme', slug: 'acme' })).id
  await pool.query(
    `INSERT INTO networks (id, organization_id, name, pool4) VALUES ('net_a', $1, 'default', '10.128.0.0/20')`,
    [organizationId],
  )
  await pool.query(
    `INSERT INTO devices (id, organization_id, network_id, name, iccid, ike_identity, address4)
     VALUES ($2, $1, 'net_a', 'a', '8900000000000000100', 'a.acme.example', '10.128.0.9')`,
    [organizationId, DEVICE],
  )
})
afterAll(() => pool.end())

it('the chain of a certificate of another authority is forgotten a day after its credential is over, and nothing else of it', async () => {
  const authorityId = await addAuthority()
  const good = await addCredential(authorityId, '1 day', null)
  const justOver = await addCredential(authorityId, '-1 hour', null)
  const justRevoked = await addCredential(authorityId, '1 day', '-1 hour')
  const expired = await addCredential(authorityId, '-25 hours', null)
  const revoked = await addCredential(authorityId, '1 day', '-25 hours')
  const before = await listCredentials(pool, organizationId, DEVICE)

  expect(await prune(pool)).toBe(2)

  expect(await Promise.all([good, justOver, justRevoked, expired, revoked].map(chainOf))).toEqual([
    'PEM',
    'PEM',
    'PEM',
    null,
    null,
  ])
  expect(await listCredentials(pool, organizationId, DEVICE)).toEqual(before)
  expect(await prune(pool), 'once').toBe(0)
  const at = { organizationId, id: authorityId, ifVersion: null }
  expect(await deleteDeviceAuthority(pool, at, { by }), 'goes with its authority as before').toMatchObject({})
  expect(await listCredentials(pool, organizationId, DEVICE)).toMatchObject(
    before?.map(({ id }) => ({ id, authorityId })) ?? [],
  )
})

it('one that somebody is at work with is forgotten later, and nobody waits for it', async () => {
  const id = await addCredential(await addAuthority(), '-25 hours', null)
  const busy = await pool.connect()
  try {
    await busy.query('BEGIN')
    await busy.query('SELECT 1 FROM credentials WHERE id = $1 FOR UPDATE', [id])
    expect(await prune(pool)).toBe(0)
    await busy.query('ROLLBACK')
  } finally {
    busy.release()
  }
  expect([await prune(pool), await chainOf(id)]).toEqual([1, null])
})

async function addAuthority(): Promise<string> {
  const id = newId('aut')
  await pool.query(
    `INSERT INTO device_authorities (id, organization_id, name, certificate, fingerprint, subject, not_after)
     VALUES ($1, $2, 'factory', '-----BEGIN CERTIFICATE-----', $1, 'Factory', now() + interval '300 days')`,
    [id, organizationId],
  )
  return id
}

/** Both from now. */
async function addCredential(authorityId: string, expires: string, revoked: string | null): Promise<string> {
  const id = newId('crd')
  await pool.query(
    `INSERT INTO credentials (id, organization_id, device_id, kind, authority_id, certificates, fingerprint, path_serials, expires_at, revoked_at)
     VALUES ($1, $2, $3, 'certificate', $4, 'PEM', $1, '{01}', now() + $5::interval, now() + $6::interval)`,
    [id, organizationId, DEVICE, authorityId, expires, revoked],
  )
  return id
}

async function chainOf(id: string): Promise<string | null | undefined> {
  return (await findCredential(pool, { organizationId, deviceId: DEVICE, id }))?.certificates
}
