/** From a login at a real provider to what a token may do: the cases share the provider and its people, so it is one file. */
import { claimKey, newId } from '@culvert/db'
import { deriveKeys, openSigningKey } from '@culvert/identity'
import { createLogger } from '@culvert/observability'
import { createDecipheriv, hkdfSync } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { buildApi } from './index.ts'
import { KeyRing } from './key-ring.ts'
import type { LoginOptions } from './login.ts'
import { callsTo, newDevice, openHarness, type Answer, type Harness } from './testing/harness.ts'
import { clientId, clientSecret, startProvider, type TestProvider } from './testing/identity-provider.ts'

const publicUrl = 'https://api.test'
const authSecret = Buffer.alloc(32, 3).toString('base64url')
let provider: TestProvider
let harness: Harness

beforeAll(async () => {
  provider = await startProvider(`${publicUrl}/v1/auth/callback`)
  const login = { publicUrl, issuer: provider.issuer, clientId, clientSecret, authSecret }
  harness = await openHarness(inject('databaseUrl'), { login })
})
afterAll(async () => {
  await harness.close()
  await provider.close()
})

interface Tokens {
  readonly accessToken: string
  readonly refreshToken: string
  readonly organizationId: string
  readonly organizationIds: string[]
  readonly code: string
}

const cookieOf = (answer: Answer<unknown>): string => String(answer.headers['set-cookie']).split(';')[0] ?? ''

/** @param acceptUrl of an invitation */
async function begin(acceptUrl = '/v1/auth/login'): Promise<{ url: string; cookie: string; answer: Answer<unknown> }> {
  const answer = await harness.call('GET', acceptUrl.replace(publicUrl, ''), { key: null })
  return { url: String(answer.headers['location']), cookie: cookieOf(answer), answer }
}
async function logIn(name: string, acceptUrl?: string): Promise<Answer<Tokens>> {
  const { url, cookie } = await begin(acceptUrl)
  return harness.call<Tokens>('GET', await provider.logInAt(url, name), { key: null, headers: { cookie } })
}
const accepting = (memberId: string): string => `${publicUrl}/v1/auth/login?invitation=${memberId}`
async function invite(name: string, role: string, key = harness.organization.key): Promise<string> {
  const email = `${name}@acme.example`
  provider.people.set(name, { email, email_verified: true, name })
  const answer = await harness.call<{ id: string }>('POST', '/v1/members', { key, body: { email, role } })
  if (answer.status !== 201) throw new Error(answer.text)
  return answer.body.id
}
async function newPerson(
  role = 'operator',
  name = newId('evt').slice(4),
): Promise<{ name: string; memberId: string; tokens: Tokens }> {
  const memberId = await invite(name, role)
  const { status, body, text } = await logIn(name, accepting(memberId))
  if (status !== 200) throw new Error(text)
  return { name, memberId, tokens: body }
}
const statusWith = async (key: string, url = '/v1/devices'): Promise<number> =>
  (await harness.call('GET', url, { key })).status
const refresh = (refreshToken: string, organizationId?: string): Promise<Answer<Tokens>> =>
  harness.call('POST', '/v1/auth/token', {
    key: null,
    body: { refreshToken, ...(organizationId ? { organizationId } : {}) },
  })

describe('logging in', () => {
  it('goes by authorization code with PKCE, state and nonce, in a cookie that no script and no other site reads', async () => {
    const { url, answer } = await begin()
    expect(answer.status).toBe(302)
    const asked = new URL(url).searchParams
    expect(Object.fromEntries(asked)).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      client_id: clientId,
      redirect_uri: `${publicUrl}/v1/auth/callback`,
    })
    for (const name of ['state', 'nonce', 'code_challenge']) expect(asked.get(name)?.length).toBeGreaterThan(40)
    const cookie = String(answer.headers['set-cookie'])
    expect(cookie).toMatch(/^__Host-culvert_login=[^;]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600; Secure$/)
    for (const name of ['state', 'nonce']) expect(cookie).not.toContain(String(asked.get(name)))
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  it('makes who was invited a member, and gives tokens that work', async () => {
    const memberId = await invite('ada', 'operator')
    const invited = await harness.call<{ acceptUrl: string }>('GET', `/v1/members/${memberId}`)
    expect(invited.body.acceptUrl).toBe(accepting(memberId))
    const answer = await logIn('ada', invited.body.acceptUrl)
    expect([answer.status, answer.headers['cache-control']], answer.text).toEqual([200, 'no-store'])
    expect(String(answer.headers['set-cookie'])).toContain('Max-Age=0')
    expect(answer.body).toMatchObject({
      tokenType: 'Bearer',
      expiresInSec: 600,
      organizationId: harness.organization.id,
    })
    const me = await harness.call<{ id: string; permissions: string[] }>('GET', '/v1/me', {
      key: answer.body.accessToken,
    })
    expect(me.body).toMatchObject({ kind: 'user', role: 'operator', organizationId: harness.organization.id })
    expect(await statusWith(answer.body.accessToken)).toBe(200)
    expect(await statusWith(answer.body.accessToken, '/v1/api-keys')).toBe(403)
    const member = await harness.call('GET', `/v1/members/${memberId}`)
    expect(member.body).toMatchObject({ state: 'active', userId: me.body.id, name: 'ada', email: 'ada@acme.example' })
    const audited = await harness.pool.query(`SELECT action FROM audit_log WHERE actor_id = $1 ORDER BY sequence`, [
      me.body.id,
    ])
    expect(audited.rows.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['member.joined', 'session.started']),
    )
    const again = await logIn('ada')
    expect(decodeJwt(again.body.accessToken).sub).toBe(me.body.id)
  })

  it('is by issuer and subject: another subject with the same address is another person, and gets in by no used invitation', async () => {
    await newPerson('viewer', 'grace')
    provider.people.set('impostor', { email: 'grace@acme.example', email_verified: true })
    const answer = await logIn('impostor')
    expect([answer.status, answer.body.code]).toEqual([403, 'no_membership'])
  })

  it.each<[string, object]>([
    ['the address is not verified', { email_verified: false }],
    ['nobody says whether it is', { email_verified: undefined }],
    ['it is "true" as text', { email_verified: 'true' }],
    ['there is none', { email: undefined }],
  ])('opens no invitation when %s', async (_, claims) => {
    const name = newId('evt').slice(4)
    const memberId = await invite(name, 'owner')
    provider.people.set(name, { ...provider.people.get(name), ...claims })
    expect((await logIn(name, accepting(memberId))).body.code).toBe('no_membership')
    expect((await harness.call('GET', `/v1/members/${memberId}`)).body).toMatchObject({ state: 'invited' })
  })

  it('accepts the invitation whose link was followed, and no other one', async () => {
    const { name } = await newPerson('viewer')
    const body = { email: `${name}@acme.example`, role: 'owner' }
    const other = await harness.call<{ id: string }>('POST', '/v1/members', { key: harness.other.key, body })
    const stateOf = async (): Promise<unknown> =>
      (await harness.call('GET', `/v1/members/${other.body.id}`, { key: harness.other.key })).body
    const someoneElse = await invite('eve', 'viewer')
    for (const link of [undefined, accepting(newId('mem')), accepting(someoneElse)]) {
      const { body: tokens } = await logIn(name, link)
      expect(tokens.organizationIds).toEqual([harness.organization.id])
      expect(await stateOf()).toMatchObject({ state: 'invited' })
    }
    expect((await logIn(name, accepting(other.body.id))).body.organizationIds).toHaveLength(2)
    expect(await stateOf()).toMatchObject({ state: 'active', acceptUrl: null })
    expect((await begin('/v1/auth/login?invitation=x')).answer.status).toBe(400)
  })

  it('opens no invitation that is over, and leaves no row of somebody whom nobody invited', async () => {
    const count = async (): Promise<number> =>
      (await harness.pool.query('SELECT count(*)::int AS n FROM users')).rows[0].n as number
    const memberId = await invite('late', 'viewer')
    await harness.pool.query(`UPDATE memberships SET invitation_expires_at = now() - interval '1 ms' WHERE id = $1`, [
      memberId,
    ])
    provider.people.set('stranger', { email: 'stranger@elsewhere.example', email_verified: true })
    const before = await count()
    for (const name of ['late', 'stranger'])
      expect((await logIn(name, accepting(memberId))).body.code).toBe('no_membership')
    expect(await count()).toBe(before)
  })

  it('A04 opens no invitation that is locked, until it is let in again', async () => {
    const memberId = await invite('lockedout', 'viewer')
    const lock = (locked: boolean): Promise<Answer<unknown>> =>
      harness.call('PATCH', `/v1/members/${memberId}`, { body: { locked } })
    await lock(true)
    provider.people.set('lockedout', { email: 'lockedout@acme.example', email_verified: true })
    expect((await logIn('lockedout', accepting(memberId))).body.code).toBe('no_membership')
    const { rows } = await harness.pool.query(`SELECT 1 FROM users WHERE subject = 'lockedout'`)
    expect(rows).toEqual([])
    await lock(false)
    expect((await logIn('lockedout', accepting(memberId))).status).toBe(200)
  })

  it('finds an invitation whatever the case of the address', async () => {
    const memberId = await invite('mixed', 'viewer')
    provider.people.set('mixed', { email: 'MiXeD@ACME.example', email_verified: true })
    expect((await logIn('mixed', accepting(memberId))).status).toBe(200)
  })
})

describe('an answer of the provider', () => {
  const finish = (path: string, cookie: string): Promise<Answer<Tokens>> =>
    harness.call('GET', path, { key: null, headers: { cookie } })
  let path = ''
  let cookie = ''
  beforeAll(async () => {
    const started = await begin(accepting(await invite('carol', 'viewer')))
    cookie = started.cookie
    path = await provider.logInAt(started.url, 'carol')
  })

  it('is refused in another browser: without the cookie, with that of another login, with one that is changed', async () => {
    const other = await begin()
    for (const wrong of ['', other.cookie, `${cookie.slice(0, -3)}AAA`, '__Host-culvert_login=', 'culvert_login=x'])
      expect((await finish(path, wrong)).body.code).toBe('login_refused')
  })

  it('is refused with another state, no state, another issuer, no code, or an error', async () => {
    const changed = (name: string, value: string | null): string => {
      const url = new URL(path, publicUrl)
      if (value === null) url.searchParams.delete(name)
      else url.searchParams.set(name, value)
      return `${url.pathname}${url.search}`
    }
    for (const wrong of [
      changed('state', 'x'.repeat(43)),
      changed('state', null),
      changed('iss', 'https://evil.test'),
      changed('code', null),
      changed('error', 'access_denied'),
      `${path}&state=again`,
      '/v1/auth/callback',
    ])
      expect([wrong, (await finish(wrong, cookie)).body.code]).toEqual([wrong, 'login_refused'])
  })

  it('is good once', async () => {
    expect((await finish(path, cookie)).status).toBe(200)
    expect((await finish(path, cookie)).body.code).toBe('login_refused')
  })

  it('that does not come is 503, and the sessions that are there go on', async () => {
    const { tokens } = await newPerson()
    const started = await begin()
    const back = await provider.logInAt(started.url, 'carol')
    provider.isAway = true
    try {
      expect((await finish(back, started.cookie)).body.code).toBe('identity_provider_unavailable')
      expect(await statusWith(tokens.accessToken)).toBe(200)
      expect((await refresh(tokens.refreshToken)).status).toBe(200)
    } finally {
      provider.isAway = false
    }
  })
})

describe('a refresh token', () => {
  it('is good once; when it comes again the whole session ends, for the thief as for the person', async () => {
    const { tokens } = await newPerson()
    const second = (await refresh(tokens.refreshToken)).body
    const third = (await refresh(second.refreshToken)).body
    expect(await statusWith(third.accessToken)).toBe(200)
    const stolen = await refresh(tokens.refreshToken)
    expect([stolen.status, stolen.body.code]).toEqual([400, 'session_ended'])
    expect((await refresh(third.refreshToken)).body.code).toBe('session_ended')
    for (const { accessToken } of [tokens, second, third]) expect(await statusWith(accessToken)).toBe(401)
    const { rows } = await harness.pool.query(
      `SELECT 1 FROM audit_log WHERE action = 'session.token_reused' AND target_id = $1`,
      [decodeJwt(tokens.accessToken)['sid']],
    )
    expect(rows).toHaveLength(1)
  })

  it('gives one of two callers at once new tokens, and ends the session', async () => {
    const { tokens } = await newPerson()
    const answers = await Promise.all([refresh(tokens.refreshToken), refresh(tokens.refreshToken)])
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 400])
    const winner = answers.find(({ status }) => status === 200)
    expect(await statusWith(winner?.body.accessToken ?? '')).toBe(401)
  })

  it('is stored as a hash, and neither it nor an access token is in the database', async () => {
    const { tokens } = await newPerson()
    const tables = ['sessions', 'audit_log', 'events', 'users']
    for (const table of tables) {
      const { rows } = await harness.pool.query(`SELECT string_agg(t::text, '|') AS text FROM ${table} t`)
      for (const secret of [tokens.refreshToken.slice(-60, -20), tokens.accessToken])
        expect(rows[0].text).not.toContain(secret)
    }
  })

  it('ends with the session, after 30 days, and by logging out', async () => {
    const [late, gone] = [await newPerson(), await newPerson()]
    await harness.pool.query(`UPDATE sessions SET expires_at = now() - interval '1 ms' WHERE id = $1`, [
      decodeJwt(late.tokens.accessToken)['sid'],
    ])
    const out = await harness.call('POST', '/v1/auth/logout', {
      key: null,
      body: { refreshToken: gone.tokens.refreshToken },
    })
    expect(out.status).toBe(204)
    for (const { tokens } of [late, gone]) {
      expect((await refresh(tokens.refreshToken)).body.code).toBe('session_ended')
      expect(await statusWith(tokens.accessToken)).toBe(401)
    }
  })

  it('that nobody made is refused, and ends nothing', async () => {
    const { tokens } = await newPerson()
    const session = tokens.refreshToken.slice('culvert_rt_'.length).slice(0, 20)
    for (const wrong of [
      `culvert_rt_${session}_1_${'A'.repeat(86)}`,
      `culvert_rt_${session}_2_${'A'.repeat(86)}`,
      'culvert_rt_x',
    ])
      expect((await refresh(wrong)).body.code).toBe('session_ended')
    expect((await refresh(tokens.refreshToken)).status).toBe(200)
  })
})

describe('an answer kept for a person', () => {
  it('opens with nothing that the database has, not even for who knows the Idempotency-Key', async () => {
    const { tokens } = await newPerson('operator')
    const { sub } = decodeJwt(tokens.accessToken)
    const deviceId = await newDevice(harness.call)
    const send = (key: string) =>
      harness.call<{ psk: string }>('POST', `/v1/devices/${deviceId}/credentials`, {
        key,
        body: {},
        headers: { 'idempotency-key': '"1"' },
      })
    const first = await send(tokens.accessToken)
    expect(first.status, first.text).toBe(201)
    const later = (await refresh(tokens.refreshToken)).body
    expect((await send(later.accessToken)).body.psk).toBe(first.body.psk)
    const holder = { organizationId: harness.organization.id, actor: `user:${sub}`, key: '1', proof: '' }
    expect(await claimKey(harness.pool, holder, 'whatever')).toEqual({ kind: 'reused' })
    const { rows } = await harness.pool.query<{ salt: Buffer; answer: Buffer }>(
      'SELECT salt, answer FROM idempotency_keys WHERE actor = $1',
      [holder.actor],
    )
    const row = rows[0] as { salt: Buffer; answer: Buffer }
    const secret = '1:1,0:'
    const sealing = Buffer.from(hkdfSync('sha256', secret, row.salt, 'culvert idempotency seal v1', 32))
    const opening = createDecipheriv('aes-256-gcm', sealing, row.answer.subarray(0, 12), { authTagLength: 16 })
    const binding = `${holder.organizationId.length}:${holder.organizationId},${holder.actor.length}:${holder.actor}`
    opening.setAAD(Buffer.from(`${binding.length}:${binding},6:answer`))
    opening.setAuthTag(row.answer.subarray(-16))
    opening.update(row.answer.subarray(12, -16))
    expect(() => opening.final()).toThrow('unable to authenticate')
  })
})

describe('several organizations', () => {
  it('A04 a token is for one of them; another one is asked for, by members only', async () => {
    const { name, tokens } = await newPerson('viewer')
    const email = `${name}@acme.example`
    const invited = await harness.call<{ id: string }>('POST', '/v1/members', {
      key: harness.other.key,
      body: { email, role: 'owner' },
    })
    expect(invited.status).toBe(201)
    const notYet = await refresh(tokens.refreshToken, harness.other.id)
    expect([notYet.status, notYet.body.code]).toEqual([404, 'not_found'])
    const both = (await logIn(name, accepting(invited.body.id))).body
    expect(both.organizationId).toBe(harness.organization.id)
    expect(both.organizationIds).toEqual([harness.organization.id, harness.other.id])
    const there = (await refresh(both.refreshToken, harness.other.id)).body
    const me = async (key: string) => (await harness.call('GET', '/v1/me', { key })).body
    expect(await me(there.accessToken)).toMatchObject({ organizationId: harness.other.id, role: 'owner' })
    expect(await me(both.accessToken)).toMatchObject({ organizationId: harness.organization.id, role: 'viewer' })
    expect((await harness.call('GET', `/v1/members`, { key: there.accessToken })).text).not.toContain('ada@')
    const absent = await refresh(there.refreshToken, newId('org'))
    expect(absent.body).toMatchObject({ code: 'not_found' })
    expect((await logIn(name)).body.organizationId).toBe(harness.other.id)
  })
})

describe('A04 what a token rests on ends at once', () => {
  it('A04 a membership that is removed, or has another role', async () => {
    const { memberId, tokens } = await newPerson('operator')
    await harness.call('PATCH', `/v1/members/${memberId}`, { body: { role: 'viewer' } })
    const refused = await harness.call('POST', '/v1/devices', { key: tokens.accessToken, body: {} })
    expect(refused.status).toBe(403)
    await harness.call('DELETE', `/v1/members/${memberId}`)
    expect(await statusWith(tokens.accessToken)).toBe(401)
    expect((await refresh(tokens.refreshToken)).body.code).toBe('session_ended')
  })

  it('A04 a person who is locked out', async () => {
    const { name, tokens } = await newPerson()
    await harness.pool.query('UPDATE users SET disabled_at = now() WHERE subject = $1', [name])
    expect(await statusWith(tokens.accessToken)).toBe(401)
    expect((await refresh(tokens.refreshToken)).body.code).toBe('session_ended')
    expect((await logIn(name)).body.code).toBe('no_membership')
  })

  it('A04 a signing key that is revoked; the next token is signed with another one', async () => {
    const { tokens } = await newPerson()
    const kid = decodeProtectedHeader(tokens.accessToken).kid as string
    const revoke = (key: string): Promise<Answer<unknown>> => harness.call('DELETE', `/v1/signing-keys/${kid}`, { key })
    expect((await revoke(harness.organization.key)).status).toBe(403)
    expect((await revoke(harness.operatorKey)).status).toBe(204)
    expect((await revoke(harness.operatorKey)).status).toBe(404)
    expect(await statusWith(tokens.accessToken)).toBe(401)
    const next = (await refresh(tokens.refreshToken)).body.accessToken
    expect(decodeProtectedHeader(next).kid).not.toBe(kid)
    expect(await statusWith(next)).toBe(200)
    const published = await harness.call<{ keys: { kid: string }[] }>('GET', '/.well-known/jwks.json', { key: null })
    expect(published.body.keys.map((key) => key.kid)).not.toContain(kid)
  })

  it('A04 what all keys have signed, when they are rotated and revoked; without that the tokens stay good', async () => {
    const { tokens } = await newPerson()
    const kidOf = (token: string): unknown => decodeProtectedHeader(token).kid
    const rotate = (revoke: boolean): Promise<Answer<{ data: { kid: string; signs: boolean }[] }>> =>
      harness.call('POST', '/v1/signing-keys/rotate', { key: harness.operatorKey, body: { revoke } })
    const gently = await rotate(false)
    expect([gently.status, gently.body.data.filter(({ signs }) => signs).length]).toEqual([200, 1])
    expect(await statusWith(tokens.accessToken)).toBe(200)
    const second = (await refresh(tokens.refreshToken)).body
    expect(kidOf(second.accessToken)).toBe(gently.body.data.find(({ signs }) => signs)?.kid)
    const atOnce = await rotate(true)
    expect(atOnce.body.data).toHaveLength(1)
    for (const token of [tokens.accessToken, second.accessToken]) expect(await statusWith(token)).toBe(401)
    const third = (await refresh(second.refreshToken)).body.accessToken
    expect([kidOf(third), await statusWith(third)]).toEqual([atOnce.body.data[0]?.kid, 200])
  })

  it('A04 a session that the member is signed out of, on every device; a new login is good', async () => {
    const { name, memberId, tokens } = await newPerson()
    const elsewhere = (await logIn(name)).body
    const signOut = (key?: string): Promise<Answer<unknown>> =>
      harness.call('POST', `/v1/members/${memberId}/sign-out`, key ? { key } : {})
    expect((await signOut(harness.other.key)).status).toBe(404)
    expect((await signOut(tokens.accessToken)).status).toBe(403)
    expect((await signOut()).status).toBe(204)
    for (const { accessToken, refreshToken } of [tokens, elsewhere]) {
      expect(await statusWith(accessToken)).toBe(401)
      expect((await refresh(refreshToken)).body.code).toBe('session_ended')
    }
    expect(await statusWith((await logIn(name)).body.accessToken)).toBe(200)
  })

  it('A04 a member that is locked, here alone, until it is let in again', async () => {
    const { name, memberId, tokens } = await newPerson()
    const there = await invite(name, 'viewer', harness.other.key)
    const both = (await logIn(name, accepting(there))).body
    const lock = (locked: boolean): Promise<Answer<{ state: string }>> =>
      harness.call('PATCH', `/v1/members/${memberId}`, { body: { locked } })
    expect((await lock(true)).body.state).toBe('locked')
    expect(await statusWith(tokens.accessToken)).toBe(401)
    const elsewhere = (await refresh(both.refreshToken, harness.other.id)).body
    expect(await statusWith(elsewhere.accessToken)).toBe(200)
    expect(elsewhere.organizationIds).toEqual([harness.other.id])
    expect((await refresh(elsewhere.refreshToken, harness.organization.id)).status).toBe(404)
    expect((await lock(false)).body.state).toBe('active')
    expect(await statusWith(tokens.accessToken)).toBe(200)
  })
})

describe('A04 a token that we signed', () => {
  const signed = async (change: object, header: object = {}): Promise<string> => {
    const { tokens } = await newPerson()
    const { rows } = await harness.pool.query(
      'SELECT kid, sealed_private_key AS "sealedPrivateKey" FROM signing_keys WHERE revoked_at IS NULL ORDER BY signs_from DESC LIMIT 1',
    )
    const { kid, privateKey } = await openSigningKey(rows[0], deriveKeys(authSecret).signingKeys)
    const payload = { ...decodeJwt(tokens.accessToken), ...change }
    return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid, ...header }).sign(privateKey)
  }

  it('A04 is taken as it is, else the next ones prove nothing', async () => {
    expect(await statusWith(await signed({}))).toBe(200)
  })

  it('A04 is refused for an organization where the person is no member, with the session of another person, or changed', async () => {
    const another = decodeJwt((await newPerson()).tokens.accessToken)
    for (const change of [
      { org: harness.other.id },
      { org: newId('org') },
      { sid: another['sid'] },
      { sub: another.sub },
      { sid: newId('ses') },
      { aud: 'https://other.test' },
      { iss: provider.issuer },
      { exp: String(Date.now()) },
    ])
      expect([change, await statusWith(await signed(change))]).toEqual([change, 401])
    expect(await statusWith(await signed({}, { typ: 'JWT' }))).toBe(401)
  })

  it('A04 gets the same answer as a wrong API key', async () => {
    const wrong = await harness.call<{ detail: string }>('GET', '/v1/devices', {
      key: await signed({ org: newId('org') }),
    })
    const key = await harness.call<{ detail: string }>('GET', '/v1/devices', { key: 'culvert_x' })
    expect([wrong.status, wrong.body.detail]).toEqual([key.status, key.body.detail])
  })

  it("A04 the provider's own tokens are none of ours", async () => {
    const { keys } = (await (await fetch(`${provider.issuer}/jwks`)).json()) as { keys: object[] }
    expect(keys.length).toBeGreaterThan(0)
    const token = `${Buffer.from(JSON.stringify({ alg: 'RS256', kid: 'x' })).toString('base64url')}.e30.AAAA`
    expect(await statusWith(token)).toBe(401)
  })
})

describe('signing keys', () => {
  const published = async (): Promise<{ kid: string; d?: string }[]> =>
    (await harness.call<{ keys: { kid: string }[] }>('GET', '/.well-known/jwks.json', { key: null })).body.keys

  it('are published with their public half alone', async () => {
    await newPerson()
    const keys = await published()
    for (const key of keys) expect(Object.keys(key).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
  })

  it('follow one another: the next is published a day before it signs, the last verifies for an hour after', async () => {
    const { tokens } = await newPerson()
    const kid = decodeProtectedHeader(tokens.accessToken).kid as string
    await harness.pool.query(
      `UPDATE signing_keys SET signs_until = now() + interval '23 hours', verifies_until = now() + interval '24 hours' WHERE kid = $1`,
      [kid],
    )
    const again = await refresh(tokens.refreshToken)
    expect(decodeProtectedHeader(again.body.accessToken).kid).toBe(kid)
    const next = (await published()).map((key) => key.kid).filter((one) => one !== kid)
    expect(next).toHaveLength(1)
    await harness.pool.query(
      `UPDATE signing_keys SET signs_from = now() - interval '1 second', signs_until = now() + interval '30 days' WHERE kid = $1`,
      next,
    )
    await harness.pool.query(`UPDATE signing_keys SET signs_until = now() - interval '1 second' WHERE kid = $1`, [kid])
    const later = await refresh(again.body.refreshToken)
    expect(decodeProtectedHeader(later.body.accessToken).kid).toBe(next[0])
    const both = await Promise.all([again, later].map(({ body }) => statusWith(body.accessToken)))
    expect(both).toEqual([200, 200])
    await harness.pool.query(`UPDATE signing_keys SET verifies_until = now() - interval '1 ms' WHERE kid = $1`, [kid])
    expect(await statusWith(again.body.accessToken)).toBe(401)
  })

  it('are made once, however many processes ask at the same time', async () => {
    await harness.pool.query('UPDATE signing_keys SET revoked_at = now()')
    const rings = Array.from({ length: 6 }, () => ringOf(authSecret))
    const signers = await Promise.all(rings.map((ring) => ring.signer()))
    expect(new Set(signers.map(({ kid }) => kid)).size).toBe(1)
    expect(await published()).toHaveLength(1)
  })

  it('sealed with another secret sign no more, and another one takes over', async () => {
    const { tokens } = await newPerson()
    const signer = await ringOf(Buffer.alloc(32, 9).toString('base64url')).signer()
    expect(signer.kid).not.toBe(decodeProtectedHeader(tokens.accessToken).kid)
    expect(await statusWith(tokens.accessToken)).toBe(200)
  })
})

function ringOf(secret: string): KeyRing {
  return new KeyRing(harness.pool, deriveKeys(secret).signingKeys, createLogger('api', 'silent'))
}

describe('without an identity provider', () => {
  it('nobody logs in, tokens are refused, and there are no keys', async () => {
    const { tokens } = await newPerson()
    const plain = await openSibling(harness, undefined)
    for (const [method, url, body] of [
      ['GET', '/v1/auth/login'],
      ['GET', '/v1/auth/callback?code=x&state=y'],
      ['POST', '/v1/auth/token', { refreshToken: tokens.refreshToken }],
    ] as const)
      expect((await plain.call(method, url, { key: null, body })).body).toMatchObject({
        code: 'login_off',
        status: 404,
      })
    expect((await plain.call('GET', '/v1/me', { key: tokens.accessToken })).status).toBe(401)
    expect((await plain.call('GET', '/.well-known/jwks.json', { key: null })).body).toEqual({ keys: [] })
    await plain.api.close()
  })
})

/** Another process of the API on the same database. */
async function openSibling(
  { databaseUrl, sealing, organization }: Harness,
  login: LoginOptions | undefined,
): Promise<Pick<Harness, 'api' | 'call'>> {
  const api = await buildApi({ databaseUrl, sealingPublicKey: sealing.publicKey, zone: 'fleet.test', login })
  return { api, call: callsTo(api, organization.key) }
}
