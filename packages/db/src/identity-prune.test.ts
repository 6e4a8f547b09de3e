import { createDatabase } from '@culvert/testkit'
import type pg from 'pg'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { createApiKey, ensureOrganization, newId, openPool, prune, sessionLifetimeSec, startSession } from './index.ts'

let pool: pg.Pool
let organizationId = ''
beforeAll(async () => {
  pool = openPool(await createDatabase(inject('databaseUrl')))
  organizationId = (await ensureOrganization(pool, { name: 'Acme', slug: 'acme' })).id
})
afterAll(() => pool.end())

const idsOf = async (table: string, column = 'id'): Promise<string[]> =>
  (await pool.query<{ id: string }>(`SELECT ${column} AS id FROM ${table} ORDER BY 1`)).rows.map(({ id }) => id)

async function newUser(daysAgo: number, disabled = false): Promise<string> {
  const id = newId('usr')
  await pool.query(
    `INSERT INTO users (id, issuer, subject, email, created_at, disabled_at)
     VALUES ($1, 'https://idp', $1, 'x@y.z', now() - $2::int * interval '1 day', CASE WHEN $3 THEN now() END)`,
    [id, daysAgo, disabled],
  )
  return id
}

it('what is over of sessions, keys, grants, invitations and people is forgotten, and nothing else', async () => {
  const [gone, known, lockedOut, fresh] = [
    await newUser(40),
    await newUser(40),
    await newUser(40, true),
    await newUser(1),
  ]
  const member = newId('mem')
  await pool.query(
    `INSERT INTO memberships (id, organization_id, user_id, email, role) VALUES ($1, $2, $3, 'k@y.z', 'viewer')`,
    [member, organizationId, known],
  )
  const [open, over] = [newId('mem'), newId('mem')]
  for (const [id, days] of [
    [open, 20],
    [over, 40],
  ] as const)
    await pool.query(
      `INSERT INTO memberships (id, organization_id, email, role, invitation_expires_at) VALUES ($1, $2, $1, 'viewer', now() - $3::int * interval '1 day')`,
      [id, organizationId, days],
    )
  const [live, ended] = [newId('ses'), newId('ses')]
  for (const id of [live, ended])
    await startSession(
      pool,
      { id, userId: known, organizationIds: [organizationId], refreshHash: Buffer.alloc(32) },
      { requestId: null, address: null },
    )
  await pool.query(`UPDATE sessions SET expires_at = now() - interval '2 days' WHERE id = $1`, [ended])
  const [good, revoked] = [
    await createApiKey(pool, { organizationId, name: 'a' }),
    await createApiKey(pool, { organizationId, name: 'b' }),
  ]
  await pool.query(`UPDATE api_keys SET revoked_at = now() - interval '31 days' WHERE id = $1`, [revoked.id])
  for (const [id, days] of [
    ['grt_over', -31],
    ['grt_good', 1],
  ] as const)
    await pool.query(
      `INSERT INTO grants (id, organization_id, name, member_id, any_tags, expires_at, created_by_kind, created_by_id)
       VALUES ($1, $2, 'g', $3, '{a}', now() + $4::int * interval '1 day', 'user', $5)`,
      [id, organizationId, member, days, known],
    )
  await pool.query(
    `INSERT INTO signing_keys SELECT v.kid, '{}', '', now(), now(), now(), now() + v.days * interval '1 day' FROM (VALUES ('old', -2), ('new', 1)) v(kid, days)`,
  )

  await prune(pool)

  expect(await idsOf('users')).toEqual([known, lockedOut, fresh].toSorted())
  expect(await idsOf('users')).not.toContain(gone)
  expect(await idsOf('memberships')).toEqual([member, open].toSorted())
  expect(await idsOf('sessions')).toEqual([live])
  expect(await idsOf('api_keys')).toEqual([good.id])
  expect(await idsOf('grants')).toEqual(['grt_good'])
  expect(await idsOf('signing_keys', 'kid')).toEqual(['new'])
})

it('a person has fifty sessions at most: the oldest go', async () => {
  const userId = await newUser(0)
  const ids: string[] = []
  for (let count = 0; count < 53; count++) {
    const id = newId('ses')
    ids.push(id)
    await startSession(
      pool,
      { id, userId, organizationIds: [organizationId], refreshHash: Buffer.alloc(32) },
      { requestId: null, address: null },
    )
    await pool.query(`UPDATE sessions SET created_at = now() - ($2::int * interval '1 second') WHERE id = $1`, [
      id,
      100 - count,
    ])
  }
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM sessions WHERE user_id = $1', [userId])
  expect(rows.map(({ id }) => id).toSorted()).toEqual(ids.slice(-50).toSorted())
  expect(sessionLifetimeSec).toBe(2_592_000)
})
