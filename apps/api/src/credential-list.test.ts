/** GET /v1/credentials: what expires when, of which kind and state, in order, page by page, and of nobody else. */
import type { Credential, CredentialSummary } from '@culvert/contracts'
import { createApiKey, newId } from '@culvert/db'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { newDevice, openHarness, type Answer, type Harness } from './testing/harness.ts'

interface Listed {
  readonly data: CredentialSummary[]
  readonly nextCursor: string | null
}

const DAY_MS = 86_400_000
const inDays = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString()

let harness: Harness
let devices: string[] = []
/** In the order they were made in. */
const made: string[] = []

async function issue(deviceId: string, body: object): Promise<void> {
  const answer = await harness.call<{ id: string }>('POST', `/v1/devices/${deviceId}/credentials`, { body })
  if (answer.status !== 201) throw new Error(answer.text)
  made.push(answer.body.id)
}

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
  const { call, other } = harness
  devices = [await newDevice(call), await newDevice(call), await newDevice(call)]
  const [first = '', second = '', gone = ''] = devices
  await issue(first, { kind: 'psk', expiresAt: inDays(20) }) // 0
  await issue(second, { kind: 'psk' }) // 1
  await issue(second, { kind: 'eap', expiresAt: inDays(10) }) // 2
  await issue(first, { kind: 'ppk', expiresAt: inDays(90) }) // 3
  await issue(second, { kind: 'psk', expiresAt: inDays(15) }) // 4, revoked
  await issue(first, { kind: 'psk', expiresAt: inDays(5) }) // 5, expired
  await issue(gone, { kind: 'psk', expiresAt: inDays(3) }) // 6, of a device that is deleted
  await call('DELETE', `/v1/devices/${second}/credentials/${made[4]}`)
  await harness.pool.query(`UPDATE credentials SET expires_at = now() - interval '1 day' WHERE id = $1`, [made[5]])
  await call('DELETE', `/v1/devices/${gone}`)
  const theirs = await newDevice(call, other.key)
  await call('POST', `/v1/devices/${theirs}/credentials`, { key: other.key, body: { expiresAt: inDays(1) } })
})
afterAll(() => harness.close())

/** As if an authority of the organization had issued it. */
async function newCertificate(deviceId: string, chain: string): Promise<string> {
  const { pool, organization } = harness
  await pool.query(
    `INSERT INTO device_authorities (id, organization_id, name, certificate, fingerprint, subject, not_after)
     VALUES ('aut_1', $1, 'factory', '-----BEGIN CERTIFICATE-----', 'f', 'Factory', now() + interval '1 day')`,
    [organization.id],
  )
  const id = newId('crd')
  await pool.query(
    `INSERT INTO credentials (id, organization_id, device_id, kind, authority_id, certificates, fingerprint, path_serials, expires_at)
     VALUES ($1, $2, $3, 'certificate', 'aut_1', $4, 'ff', '{01}', now() + interval '1 day')`,
    [id, organization.id, deviceId, chain],
  )
  return id
}

async function listed(query: string): Promise<number[]> {
  const found: string[] = []
  let cursor: string | null = null
  do {
    const url: string = `/v1/credentials?limit=2&${query}${cursor === null ? '' : `&cursor=${cursor}`}`
    const { status, body, text }: Answer<Listed> = await harness.call<Listed>('GET', url)
    if (status !== 200) throw new Error(text)
    found.push(...body.data.map(({ id }) => id))
    cursor = body.nextCursor
  } while (cursor !== null)
  return found.map((id) => made.indexOf(id))
}

describe('the credentials of all devices', () => {
  it.each<[string, () => string, number[]]>([
    ['newest first', () => '', [5, 4, 3, 2, 1, 0]],
    ['oldest first', () => 'sort=createdAt', [0, 1, 2, 3, 4, 5]],
    ['that expire, next first', () => 'sort=expiresAt', [5, 2, 4, 0, 3]],
    ['that expire, last first', () => 'sort=-expiresAt', [3, 0, 4, 2, 5]],
    [
      'that expire within the month and are good',
      () => `state=active&expiresBefore=${inDays(30)}&sort=expiresAt`,
      [2, 0],
    ],
    ['that expire within the month, newest first', () => `expiresBefore=${inDays(30)}`, [5, 4, 2, 0]],
    ['that expire in a span', () => `expiresFrom=${inDays(12)}&expiresBefore=${inDays(30)}&sort=expiresAt`, [4, 0]],
    ['of a kind', () => 'kind=psk', [5, 4, 1, 0]],
    ['of a state', () => 'state=revoked', [4]],
    ['that have expired', () => 'state=expired', [5]],
    ['that are good', () => 'state=active', [3, 2, 1, 0]],
    ['that wait for the signer', () => 'state=pending', []],
    ['of a device', () => `deviceId=${devices[1]}`, [4, 2, 1]],
    ['of a device, as they expire', () => `deviceId=${devices[1]}&sort=expiresAt`, [2, 4]],
  ])('%s', async (_name, query, expected) => {
    expect(await listed(query())).toEqual(expected)
  })

  it('are shown as at their device, with no secret of any kind', async () => {
    const { body, text } = await harness.call<Listed>('GET', '/v1/credentials?sort=createdAt')
    const { body: ofDevice } = await harness.call<Listed>('GET', `/v1/devices/${devices[0]}/credentials`)
    expect(body.data.filter(({ deviceId }) => deviceId === devices[0])).toEqual(ofDevice.data.toReversed())
    expect(text).not.toMatch(/"(psk|password|ppk|secret|sealed\w*)":/)
  })

  it('are shown without chains of certificates, which are read one by one', async () => {
    const of = await newDevice(harness.call)
    const id = await newCertificate(of, 'PEM '.repeat(12_000))
    const { body: one } = await harness.call<Credential>('GET', `/v1/devices/${of}/credentials/${id}`)
    expect(one.certificate?.chain).toHaveLength(48_000)
    const { chain: _chain, ...certificate } = one.certificate ?? {}
    for (const url of [`/v1/credentials?deviceId=${of}`, `/v1/devices/${of}/credentials`]) {
      const { body } = await harness.call<Listed>('GET', url)
      expect(body.data).toEqual([{ ...one, certificate }])
    }
  })

  it('have every state that a credential can have, and each is in one', async () => {
    const { rows: checks } = await harness.pool.query<{ name: string }>(
      `SELECT conname AS name FROM pg_constraint WHERE contype = 'c' AND conrelid = 'credentials'::regclass`,
    )
    for (const { name } of checks) await harness.pool.query(`ALTER TABLE credentials DROP CONSTRAINT ${name}`)
    for (const [issuance, revoked, expired] of [
      ['pending', false, false],
      ['pending', true, false],
      ['pending', false, true],
      ['refused', true, true],
      ['issued', false, false],
      ['issued', true, true],
    ] as const) {
      await harness.pool.query(
        `UPDATE credentials SET issuance = $2, revoked_at = CASE WHEN $3 THEN now() END,
           expires_at = CASE WHEN $4 THEN now() - interval '1 day' END WHERE id = $1`,
        [made[1], issuance, revoked, expired],
      )
      const { body } = await harness.call<Credential>('GET', `/v1/devices/${devices[1]}/credentials/${made[1]}`)
      for (const state of ['pending', 'active', 'refused', 'expired', 'revoked'])
        expect([state, (await listed(`state=${state}`)).includes(1)]).toEqual([state, state === body.state])
    }
  })

  it('are those of the own organization, for who may read credentials', async () => {
    const { body } = await harness.call<Listed>('GET', '/v1/credentials', { key: harness.other.key })
    expect(body.data).toHaveLength(1)
    expect(made).not.toContain(body.data[0]?.id)
    const theirs = `/v1/credentials?deviceId=${devices[0]}`
    expect((await harness.call<Listed>('GET', theirs, { key: harness.other.key })).body.data).toEqual([])
    const { organization, pool } = harness
    const { key } = await createApiKey(pool, { organizationId: organization.id, name: 'x', scopes: ['devices:read'] })
    expect((await harness.call('GET', '/v1/credentials', { key })).status).toBe(403)
  })

  it('have cursors that are good for the same question of the same organization alone', async () => {
    const { body } = await harness.call<Listed>('GET', '/v1/credentials?limit=1')
    for (const [query, key] of [
      ['&kind=psk', undefined],
      ['&sort=expiresAt', undefined],
      ['', harness.other.key],
    ] as const) {
      const url = `/v1/credentials?limit=1&cursor=${body.nextCursor}${query}`
      expect((await harness.call('GET', url, key ? { key } : {})).body).toMatchObject({ code: 'invalid_cursor' })
    }
  })
})
