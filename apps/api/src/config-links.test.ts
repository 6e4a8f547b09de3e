/** One-time links: who has the link has the configuration once, and nobody else has anything. */
import { openSecret } from '@culvert/db'
import { createLogger } from '@culvert/observability'
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { buildApi } from './index.ts'
import { newToken, openConfig, readToken, sealConfig } from './config-link-token.ts'
import { callsTo, newConcentrator, newDevice, openHarness, type Harness } from './testing/harness.ts'

interface Link {
  readonly id: string
  readonly url: string
  readonly credentialIds: string[]
  readonly code?: string
}

let harness: Harness
let logged = ''

beforeAll(async () => {
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged += chunk.toString()
      done()
    },
  })
  harness = await openHarness(inject('databaseUrl'), { logger: createLogger('api', 'trace', sink) })
  await newConcentrator(harness.pool, 'con-1', 1)
})
afterAll(() => harness?.close())

const create = async (deviceId: string, body: object = { target: 'swanctl', issue: ['psk'] }, key?: string) =>
  harness.call<Link>('POST', `/v1/devices/${deviceId}/config-links`, { body, ...(key ? { key } : {}) })
const pathOf = ({ url }: Link): string => new URL(url).pathname
const open = (path: string) => harness.call('POST', path, { key: null })

async function newLink(body?: object): Promise<{ deviceId: string; link: Link; path: string }> {
  const deviceId = await newDevice(harness.call)
  const answer = await create(deviceId, body)
  expect(answer.status).toBe(201)
  return { deviceId, link: answer.body, path: pathOf(answer.body) }
}

async function storedSecret(deviceId: string, credentialId: string): Promise<string> {
  const { rows } = await harness.pool.query<{ sealed: Buffer }>(
    'SELECT sealed_secret AS sealed FROM credentials WHERE id = $1',
    [credentialId],
  )
  const binding = { organizationId: harness.organization.id, deviceId, credentialId }
  const secret = openSecret(harness.sealing.privateKey, rows[0]!.sealed, binding)
  return Buffer.from(secret!).toString()
}

it('a link leads where the installation says, whatever Host the call names', async () => {
  const api = await buildApi({
    databaseUrl: harness.databaseUrl,
    sealingPublicKey: harness.sealing.publicKey,
    publicUrl: 'https://api.example.com/',
  })
  const { body } = await callsTo(api, harness.organization.key)<Link>(
    'POST',
    `/v1/devices/${await newDevice(harness.call)}/config-links`,
    { body: { target: 'swanctl', issue: ['psk'] }, headers: { host: 'evil.example' } },
  )
  await api.close()
  expect(body.url).toMatch(/^https:\/\/api\.example\.com\/v1\/config-links\//)
})

it('a link leads to where the call came in while the installation says nothing, whatever the call says', async () => {
  const url = await harness.api.listen({ host: '127.0.0.1', port: 0 })
  for (const lie of [{ host: 'evil.example' }, { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'gopher' }]) {
    const deviceId = await newDevice(harness.call)
    const authorization = `Bearer ${harness.organization.key}`
    const headers = { authorization, 'content-type': 'application/json', ...lie }
    const sent = request(`${url}/v1/devices/${deviceId}/config-links`, { method: 'POST', headers })
    sent.end(JSON.stringify({ target: 'swanctl', issue: ['psk'] }))
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    const link = JSON.parse(await text(answer)) as Link
    expect(link.url.startsWith(`${url}/v1/config-links/`)).toBe(true)
    expect((await fetch(link.url, { method: 'POST' })).status).toBe(200)
  }
})

describe('a one-time link', () => {
  it('gives the whole configuration with the issued secret, once', async () => {
    const { deviceId, link, path } = await newLink()
    const given = await open(path)
    expect(given.status).toBe(200)
    expect(given.headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'content-disposition': `attachment; filename="culvert-${deviceId}.conf"`,
      'content-type': 'text/plain; charset=utf-8',
    })
    const secret = await storedSecret(deviceId, link.credentialIds[0]!)
    expect(given.text).toContain(`secret = 0x${Buffer.from(secret).toString('hex')}`)
    expect(given.text).not.toContain('@CULVERT-')
    for (const again of [await open(path), await open(path)])
      expect(again).toMatchObject({ status: 410, body: { code: 'config_link_gone' } })
  })

  it('given to many at once is given to one', async () => {
    const { path } = await newLink()
    const answers = await Promise.all(Array.from({ length: 12 }, () => open(path)))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200,
      ...Array.from({ length: 11 }, () => 410),
    ])
  })

  it('is not spent by who reads it: browsers, scanners and previews get a page that is the same for every link', async () => {
    const { path } = await newLink()
    const spent = await newLink()
    await open(spent.path)
    const pages = await Promise.all(
      [path, path, spent.path, '/v1/config-links/nothing', `${path}x`].map((url) =>
        harness.call('GET', url, { key: null }),
      ),
    )
    expect(new Set(pages.map(({ text }) => text)).size).toBe(1)
    expect(pages[0]).toMatchObject({
      status: 200,
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'content-security-policy': expect.stringContaining("default-src 'none'") as string,
      },
    })
    expect(pages[0]?.text).toContain('<form method="post">')
    expect((await harness.call('HEAD', path, { key: null })).status).toBe(200)
    const form = await harness.call('POST', path, {
      key: null,
      raw: '',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect(form.status).toBe(200)
  })

  it('leaves the type that a form sends to no other route', async () => {
    const deviceId = await newDevice(harness.call)
    const answer = await harness.call('POST', `/v1/devices/${deviceId}/config-links`, {
      raw: 'target=swanctl&issue=psk',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect(answer).toMatchObject({ status: 415, body: { code: 'unsupported_media_type' } })
  })

  it('gives nothing once it has expired, was withdrawn, or its device is deleted', async () => {
    const expired = await newLink()
    await harness.pool.query(`UPDATE config_links SET expires_at = now() - interval '1 ms' WHERE id = $1`, [
      expired.link.id,
    ])
    const withdrawn = await newLink()
    const url = `/v1/devices/${withdrawn.deviceId}/config-links/${withdrawn.link.id}`
    expect((await harness.call('DELETE', url, { key: harness.other.key })).status).toBe(404)
    expect((await harness.call('DELETE', url)).status).toBe(204)
    expect((await harness.call('DELETE', url)).status).toBe(404)
    const deleted = await newLink()
    expect((await harness.call('DELETE', `/v1/devices/${deleted.deviceId}`)).status).toBe(204)
    for (const { path } of [expired, withdrawn, deleted]) expect((await open(path)).status).toBe(410)
  })

  it('opens nothing under the name of another organization, nor with a changed bit', async () => {
    const { path } = await newLink()
    const [organization = '', secret = ''] = path.split('/').at(-1)!.split('.')
    const other = harness.other.id.replace('org_', '')
    expect(organization).not.toBe(other)
    const changed = Buffer.from(secret, 'base64url')
    changed[0]! ^= 1
    for (const token of [
      `${other}.${secret}`,
      `${organization}.${changed.toString('base64url')}`,
      secret,
      `.${secret}`,
    ])
      expect((await open(`/v1/config-links/${token}`)).status).toBe(410)
    expect((await open(path)).status).toBe(200)
  })

  it('is known to nobody but who made it: not to the database, the logs, the audit log', async () => {
    const { deviceId, link, path } = await newLink()
    const secret = await storedSecret(deviceId, link.credentialIds[0]!)
    const token = path.split('/').at(-1)!
    const needles = [token, token.split('.')[1]!, secret, Buffer.from(secret).toString('hex')]
    const dump = async (): Promise<string> => {
      const { rows } = await harness.pool.query<{ text: string }>(
        `SELECT (SELECT string_agg(c::text || encode(c.ciphertext, 'escape'), ' ') FROM config_links c) ||
           (SELECT string_agg(entry, ' ') FROM audit_log) || (SELECT string_agg(data::text, ' ') FROM events) AS text`,
      )
      return rows[0]!.text
    }
    const before = await dump()
    await open(path)
    await open(path)
    await harness.call('POST', `${path}%ff`, { key: null })
    await harness.call('PUT', path, { key: null })
    for (const needle of needles) {
      expect(before).not.toContain(needle)
      expect((await dump()) ?? '').not.toContain(needle)
      expect(logged).not.toContain(needle)
    }
    expect(before).toContain('config_link.created')
    expect(logged).toContain('request refused')
  })

  it('has its place in the audit log: made by whom, used from where', async () => {
    const { link, path } = await newLink()
    await open(path)
    const { rows } = await harness.pool.query<{ entry: string }>(
      'SELECT entry FROM audit_log WHERE target_id = $1 ORDER BY sequence',
      [link.id],
    )
    expect(rows.map(({ entry }) => JSON.parse(entry) as unknown)).toMatchObject([
      { action: 'config_link.created', actor: { kind: 'api_key' }, after: { credentialIds: link.credentialIds } },
      { action: 'config_link.used', actor: { kind: 'system', id: 'config-link', address: '127.0.0.1' } },
    ])
  })
})

describe('making a link', () => {
  it('issues what is asked for, EAP and post-quantum keys too', async () => {
    const eap = await newLink({ target: 'mobileconfig', issue: ['eap', 'ppk'] })
    expect(eap.link.credentialIds).toHaveLength(2)
    const { text, headers } = await open(eap.path)
    expect(headers['content-type']).toBe('application/x-apple-aspen-config')
    expect(text).toContain(`<string>${await storedSecret(eap.deviceId, eap.link.credentialIds[0]!)}</string>`)
    const ppk = await storedSecret(eap.deviceId, eap.link.credentialIds[1]!)
    expect(text).toContain(`<data>${Buffer.from(ppk).toString('base64')}</data>`)
    const swanctl = await newLink({ target: 'swanctl', issue: ['psk', 'ppk'] })
    expect((await open(swanctl.path)).text).not.toContain('@CULVERT-')
  })

  it('issues nothing when the configuration is not possible, or a limit is reached', async () => {
    const deviceId = await newDevice(harness.call)
    const count = async (): Promise<number> =>
      (await harness.call<{ data: unknown[] }>('GET', `/v1/devices/${deviceId}/credentials`)).body.data.length
    expect(await create(deviceId, { target: 'sswan', issue: ['psk'] })).toMatchObject({
      status: 422,
      body: { code: 'config_not_possible' },
    })
    expect(await count()).toBe(0)
    for (const _ of [1, 2]) expect((await create(deviceId)).status).toBe(201)
    // The second of both credentials is one too many: the first is not issued either.
    expect(await create(deviceId, { target: 'swanctl', issue: ['ppk', 'psk'] })).toMatchObject({
      status: 409,
      body: { code: 'credential_limit' },
    })
    expect(await count()).toBe(2)
    const { rows } = await harness.pool.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM config_links WHERE device_id = $1',
      [deviceId],
    )
    expect(rows[0]?.n).toBe(2)
  })

  it('reads no secret back: an existing credential may be a certificate alone', async () => {
    const deviceId = await newDevice(harness.call)
    const issued = await harness.call<{ id: string }>('POST', `/v1/devices/${deviceId}/credentials`, { body: {} })
    const answer = await create(deviceId, { target: 'swanctl', credentialId: issued.body.id })
    expect(answer).toMatchObject({ status: 409, body: { code: 'secret_not_readable' } })
    const foreign = await newLink()
    const other = await create(deviceId, { target: 'swanctl', credentialId: foreign.link.credentialIds[0] })
    expect(other).toMatchObject({ status: 400, body: { errors: [{ pointer: '/credentialId' }] } })
  })

  it('of a certificate is bounded too', async () => {
    const deviceId = await newDevice(harness.call)
    await harness.pool.query(
      `INSERT INTO credentials (id, organization_id, device_id, kind, issuance, csr) VALUES ($1, $2, $3, 'certificate', 'pending', '\\x30')`,
      ['crd_aaaaaaaaaaaaaaaaaaaa', harness.organization.id, deviceId],
    )
    const body = { target: 'swanctl', credentialId: 'crd_aaaaaaaaaaaaaaaaaaaa' }
    for (const _ of [1, 2, 3, 4, 5]) expect((await create(deviceId, body)).status).toBe(201)
    expect(await create(deviceId, body)).toMatchObject({ status: 409, body: { code: 'config_link_limit' } })
  })

  it.each([
    [{ target: 'swanctl' }, '/issue'],
    [{ target: 'swanctl', issue: ['ppk'] }, '/issue'],
    [{ target: 'swanctl', issue: ['psk', 'eap'] }, '/issue'],
    [{ target: 'swanctl', issue: ['psk'], credentialId: 'crd_aaaaaaaaaaaaaaaaaaaa' }, '/issue'],
    [{ target: 'swanctl', issue: ['psk'], expiresInSec: 5 }, '/expiresInSec'],
    [{ target: 'racoon', issue: ['psk'] }, '/target'],
  ])('with %j is refused at %s', async (body, pointer) => {
    const answer = await create(await newDevice(harness.call), body)
    expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed', errors: [{ pointer }] } })
  })

  it('for a device of another organization is 404', async () => {
    const deviceId = await newDevice(harness.call)
    expect((await create(deviceId, undefined, harness.other.key)).status).toBe(404)
  })
})

describe('what is stored', () => {
  it('opens with its own token and row alone', () => {
    const token = newToken('org_aaaaaaaaaaaaaaaaaaaa')
    const row = { id: 'cfl_a', deviceId: 'dev_a' }
    const config = { text: 'secret', mediaType: 'text/plain', fileName: 'a.conf' }
    const sealed = sealConfig(token, row, config)
    expect(sealed.includes('secret')).toBe(false)
    expect(openConfig(readToken(token.text)!, row, sealed)).toEqual(config)
    expect(() => openConfig(newToken(token.organizationId), row, sealed)).toThrow('authenticate')
    expect(() => openConfig(token, { ...row, deviceId: 'dev_b' }, sealed)).toThrow('authenticate')
    expect(token.hash.equals(token.key)).toBe(false)
  })
})
