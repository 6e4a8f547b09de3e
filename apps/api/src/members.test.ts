import { rolePermissions, type Permission, type Role } from '@culvert/contracts'
import { createApiKey, newId } from '@culvert/db'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { openHarness, type Answer, type Harness } from './testing/harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
})
afterAll(() => harness.close())

interface Member {
  readonly id: string
  readonly email: string
  readonly role: string
  readonly state: string
  readonly userId: string | null
}
type Body = Member & { code: string; detail: string }

let count = 0
const invite = (role: Role, email = `person${count++}@acme.example`, key?: string): Promise<Answer<Body>> =>
  harness.call('POST', '/v1/members', { body: { email, role }, ...(key ? { key } : {}) })
const patch = (id: string, role: Role, key?: string): Promise<Answer<Body>> =>
  harness.call('PATCH', `/v1/members/${id}`, { body: { role }, ...(key ? { key } : {}) })
const lock = (id: string, locked: boolean, key?: string): Promise<Answer<Body & { version: number }>> =>
  harness.call('PATCH', `/v1/members/${id}`, { body: { locked }, ...(key ? { key } : {}) })
const remove = (id: string, key?: string): Promise<Answer<Body>> =>
  harness.call('DELETE', `/v1/members/${id}`, key ? { key } : {})

/** What a login does to an invitation. */
async function accept(id: string): Promise<void> {
  const user = newId('usr')
  await harness.pool.query(`INSERT INTO users (id, issuer, subject, email) VALUES ($1, 'https://idp', $1, 'x@y.z')`, [
    user,
  ])
  await harness.pool.query('UPDATE memberships SET user_id = $2, invitation_expires_at = NULL WHERE id = $1', [
    id,
    user,
  ])
}
async function newMember(role: Role): Promise<string> {
  const { id } = (await invite(role)).body
  await accept(id)
  return id
}
async function keyWith(scopes: readonly Permission[]): Promise<string> {
  return (await createApiKey(harness.pool, { organizationId: harness.organization.id, name: 'k', scopes })).key
}

describe('an invitation', () => {
  it('waits for a login, in lower case, and is listed', async () => {
    const invited = await invite('operator', 'Ada.Lovelace@ACME.example')
    expect(invited.status).toBe(201)
    expect(invited.body).toMatchObject({
      email: 'ada.lovelace@acme.example',
      role: 'operator',
      state: 'invited',
      userId: null,
    })
    const list = await harness.call<{ data: Member[] }>('GET', '/v1/members')
    expect(list.body.data[0]?.id).toBe(invited.body.id)
    await harness.pool.query(`UPDATE memberships SET invitation_expires_at = now() - interval '1 ms' WHERE id = $1`, [
      invited.body.id,
    ])
    const over = await harness.call<Member>('GET', `/v1/members/${invited.body.id}`)
    expect(over.body.state).toBe('invitation_expired')
  })

  it('is made once for an address', async () => {
    await invite('viewer', 'twice@acme.example')
    const again = await invite('viewer', 'TWICE@acme.example')
    expect([again.status, again.body.code]).toEqual([409, 'member_exists'])
  })

  it.each([
    '',
    'ada',
    'ada@',
    '@acme.example',
    'ada@acme',
    'a da@acme.example',
    'ada@acme.example\n',
    'ада@acme.example',
  ])('is not made for %j', async (email) => {
    expect((await invite('viewer', email)).status).toBe(400)
  })
})

describe('nobody gives or touches a role that may do more', () => {
  let admin = ''
  beforeAll(async () => {
    admin = await keyWith(rolePermissions.admin)
  })

  it('so an admin makes admins and no owners', async () => {
    expect((await invite('admin', undefined, admin)).status).toBe(201)
    const refused = await invite('owner', undefined, admin)
    expect([refused.status, refused.body.code]).toEqual([403, 'forbidden'])
    expect(refused.body.detail).toContain('`owners:write`')
  })

  it('nor raises somebody to one, nor lowers or removes one', async () => {
    const [owner, viewer] = [await newMember('owner'), await newMember('viewer')]
    await newMember('owner')
    for (const answer of [
      await patch(viewer, 'owner', admin),
      await patch(owner, 'viewer', admin),
      await remove(owner, admin),
    ])
      expect([answer.status, answer.body.code]).toEqual([403, 'forbidden'])
    expect((await patch(viewer, 'operator', admin)).body.role).toBe('operator')
    expect((await remove(viewer, admin)).status).toBe(204)
  })

  it('and a key that may only write members gives no role at all', async () => {
    const weak = await keyWith(['members:write'])
    expect((await invite('viewer', undefined, weak)).status).toBe(403)
    expect((await remove(await newMember('viewer'), weak)).status).toBe(403)
  })
})

describe('the last owner', () => {
  it('neither goes nor changes, also when two are taken away at once', async () => {
    await harness.pool.query('DELETE FROM memberships')
    const [first, second] = [await newMember('owner'), await newMember('owner')]
    await invite('owner')
    const answers = await Promise.all([remove(first), patch(second, 'viewer')])
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([expect.any(Number), 409])
    expect(answers.filter(({ status }) => status < 300)).toHaveLength(1)
    const { rows } = await harness.pool.query(`SELECT id FROM memberships WHERE role = 'owner' AND user_id IS NOT NULL`)
    expect(rows).toHaveLength(1)
    const last = rows[0].id as string
    for (const answer of [await remove(last), await patch(last, 'admin')])
      expect([answer.status, answer.body.code]).toEqual([409, 'last_owner'])
    expect((await patch(last, 'owner')).status).toBe(200)
    expect((await lock(last, true)).body.code).toBe('last_owner')
    const another = await newMember('owner')
    expect((await lock(another, true)).body).toMatchObject({ state: 'locked', version: 2 })
    expect((await remove(last)).body.code).toBe('last_owner') // who is kept out owns nothing
    expect((await lock(another, false)).body.state).toBe('active')
    expect((await remove(last)).status).toBe(204)
  })

  it('is not whom the operator has locked out of the installation', async () => {
    await harness.pool.query('DELETE FROM memberships')
    const [last, disabled] = [await newMember('owner'), await newMember('owner')]
    const setDisabled = async (at: string): Promise<unknown> =>
      harness.pool.query(
        `UPDATE users SET disabled_at = ${at} WHERE id = (SELECT user_id FROM memberships WHERE id = $1)`,
        [disabled],
      )
    await setDisabled('now()')
    for (const answer of [await remove(last), await patch(last, 'admin'), await lock(last, true)])
      expect([answer.status, answer.body.code]).toEqual([409, 'last_owner'])
    await setDisabled('NULL')
    expect((await lock(last, true)).status).toBe(200)
    expect((await remove(disabled)).body.code).toBe('last_owner')
    await setDisabled('now()')
    expect((await remove(disabled)).status).toBe(204)
  })
})

it('an invitation that is locked is no invitation: not in its state, nor for its link, nor in the list', async () => {
  const { id } = (await invite('viewer')).body
  const over = (await invite('viewer')).body.id
  await harness.pool.query(`UPDATE memberships SET invitation_expires_at = now() - interval '1 ms' WHERE id = $1`, [
    over,
  ])
  const idsIn = async (state: string): Promise<string[]> =>
    (await harness.call<{ data: Member[] }>('GET', `/v1/members?limit=200&state=${state}`)).body.data.map(
      (one) => one.id,
    )
  for (const one of [id, over]) {
    expect((await lock(one, true)).body).toMatchObject({ state: 'locked', acceptUrl: null })
    expect(await idsIn('locked')).toContain(one)
  }
  expect([...(await idsIn('invited')), ...(await idsIn('invitation_expired'))]).not.toEqual(
    expect.arrayContaining([expect.stringMatching(new RegExp(`${id}|${over}`))]),
  )
  expect((await lock(id, false)).body.state).toBe('invited')
  expect((await lock(over, false)).body.state).toBe('invitation_expired')
  expect(await idsIn('invited')).toContain(id)
})

it('a member is kept out or signed out by nobody who may do less, and what is done is in the audit log', async () => {
  const [owner, viewer] = [await newMember('owner'), await newMember('viewer')]
  await newMember('owner')
  const admin = await keyWith(rolePermissions.admin)
  const signOut = (id: string, key?: string): Promise<Answer<Body>> =>
    harness.call('POST', `/v1/members/${id}/sign-out`, key ? { key } : {})
  for (const answer of [await lock(owner, true, admin), await signOut(owner, admin)])
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden'])
  expect([(await signOut(viewer, admin)).status, (await lock(viewer, true, admin)).status]).toEqual([204, 200])
  expect((await harness.call('PATCH', `/v1/members/${viewer}`, { body: {} })).status).toBe(400)
  const { rows } = await harness.pool.query(
    'SELECT action, entry::json AS entry FROM audit_log WHERE target_id = $1 ORDER BY sequence DESC LIMIT 2',
    [viewer],
  )
  expect(rows.map(({ action }) => action)).toEqual(['member.updated', 'member.signed_out'])
  expect([rows[0].entry.before, rows[0].entry.after]).toEqual([{ locked: false }, { locked: true }])
})

it('what happens to a member is in the audit log', async () => {
  const id = await newMember('viewer')
  await patch(id, 'operator')
  await remove(id)
  const { rows } = await harness.pool.query(
    'SELECT action, entry::json AS entry FROM audit_log WHERE target_id = $1 ORDER BY sequence',
    [id],
  )
  expect(rows.map(({ action }) => action)).toEqual(['member.invited', 'member.updated', 'member.removed'])
  expect([rows[1].entry.before, rows[1].entry.after]).toEqual([{ role: 'viewer' }, { role: 'operator' }])
})

it('a caller learns who it is and what it may do', async () => {
  const key = await keyWith(['devices:read'])
  const { body } = await harness.call('GET', '/v1/me', { key })
  expect(body).toMatchObject({
    kind: 'api_key',
    organizationId: harness.organization.id,
    role: null,
    permissions: ['devices:read'],
  })
})
