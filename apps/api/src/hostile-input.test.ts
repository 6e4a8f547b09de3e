import { waitFor } from '@culvert/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import {
  newConcentrator,
  newDevice,
  newGateway,
  openHarness,
  setAttached,
  type FakeGateway,
  type Harness,
} from './testing/harness.ts'

let harness: Harness
let gateway: FakeGateway
let deviceId = ''
let tunnelId = ''

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
  await newConcentrator(harness.pool, 'con-1', 1)
  gateway = await newGateway(harness, 'gw-1')
  deviceId = await newDevice(harness.call)
  await setAttached(harness.pool, 'con-1', deviceId, 'attached')
  tunnelId = (await harness.call<{ id: string }>('POST', '/v1/tunnels', { body: { deviceId, port: 22 } })).body.id
})
afterAll(async () => {
  await gateway.close()
  await harness.close()
})

const json = 'application/json'
/** A body no route can take, with its content type. */
const malformed: [name: string, type: string | null, raw: string | Buffer][] = [
  ['no content type', null, '{"a":1}'],
  ['cut off', json, '{"name":"a"'],
  ['two values', json, '{}{}'],
  ['a comment', json, '{/* a */}'],
  ['not a number', json, '{"ttlSec":NaN}'],
  ['bytes that are no UTF-8', json, Buffer.from('{"name":"\xff\xfe"}', 'latin1')],
  ['UTF-16', `${json}; charset=utf-16`, Buffer.from('{"name":"a"}', 'utf16le')],
  ['only a byte order mark', json, Buffer.from([0xef, 0xbb, 0xbf])],
  ['a prototype', json, '{"__proto__":{"name":"a"}}'],
  ['an array of arrays', json, '['.repeat(30_000) + ']'.repeat(30_000)],
  ['a deep field', json, `{"name":${'['.repeat(30_000)}${']'.repeat(30_000)}}`],
  ['many wrong items', json, `{"tags":[${'1,'.repeat(30_000)}1],"allowFrom":[${'2,'.repeat(10)}2]}`],
  ['a number beyond all bounds', json, '{"ttlSec":1e999,"port":1e999,"name":1e999}'],
  ['half a surrogate pair', json, '{"name\\ud800":"a"}'],
  ['a form', 'application/x-www-form-urlencoded', 'name=a'],
  ['another JSON', 'application/merge-patch+json', '{"name":"a"}'],
  ['two content types', `${json}, text/plain`, '{"name":"a"}'],
]

describe.each([
  ['POST', (): string => '/v1/devices'],
  ['PATCH', (): string => `/v1/devices/${deviceId}`],
  ['POST', (): string => `/v1/devices/${deviceId}/credentials`],
  ['POST', (): string => '/v1/tunnels'],
  ['PATCH', (): string => `/v1/tunnels/${tunnelId}`],
] as const)('%s %s', (method, url) => {
  it.each(malformed)('refuses %s and does nothing', async (_name, type, raw) => {
    const answer = await harness.call(method, url(), { raw, headers: { 'content-type': type ?? '' } })
    expect([400, 413, 415]).toContain(answer.status)
    expect(answer.headers['content-type']).toBe('application/problem+json')
  })
})

describe('text that PostgreSQL cannot hold', () => {
  it.each([
    '/v1/devices?tag=%00',
    '/v1/devices?tag=a%00b',
    '/v1/devices?tag=%ED%A0%80',
    '/v1/devices?iccid=%00',
    '/v1/devices?__proto__=1',
    '/v1/devices?__proto__[limit]=1',
    '/v1/devices?constructor=1',
    '/v1/devices?limit=1e1',
    '/v1/devices?limit=%D9%A1',
    '/v1/tunnels?deviceId=%00',
    '/errors/%00',
  ])('is refused, never a fault of ours: %s', async (url) => {
    expect((await harness.call('GET', url)).status).toBeLessThan(500)
  })

  it.each([
    ['a half surrogate', '\ud800'],
    ['a line separator', 'a\u2028b'],
    ['an order that runs backwards', 'a\u202eb'],
  ])('a name with %s is refused', async (_what, name) => {
    const answer = await harness.call('PATCH', `/v1/devices/${deviceId}`, { body: { name } })
    expect(answer.status).toBe(400)
  })
})

describe('headers', () => {
  it.each([
    ['if-match', '"0"'],
    ['if-match', '"99999999999999999999"'],
    ['if-match', '"1", "2"'],
    ['prefer', `wait=${'9'.repeat(400)}`],
    ['prefer', 'wait=-1, respond-async'.repeat(300)],
    ['content-length', '-1'],
  ])('%s: %.30s is no fault of ours', async (name, value) => {
    const answer = await harness.call('PATCH', `/v1/devices/${deviceId}`, {
      body: { name: 'x' },
      headers: { [name]: value },
    })
    expect(answer.status).toBeLessThan(500)
  })
})

describe('the address of a caller', () => {
  // The gateway of these tests has no pulse of its own.
  beforeEach(() => harness.pool.query('UPDATE gateways SET heartbeat_at = now()'))

  it.each([{}, { 'x-forwarded-for': '198.51.100.7' }, { forwarded: 'for=198.51.100.7', 'x-real-ip': '198.51.100.7' }])(
    'is the one of its connection, whatever it says: %j',
    async (headers) => {
      const answer = await harness.call('POST', '/v1/tunnels', { body: { deviceId, port: 22 }, headers })
      expect(answer).toMatchObject({ status: 201, body: { allowFrom: ['127.0.0.1/32'] } })
    },
  )

  it('is what a trusted proxy says, when that is an address', async () => {
    const behind = await openHarness(inject('databaseUrl'), { trustProxy: '127.0.0.1' })
    await newConcentrator(behind.pool, 'con-1', 1)
    const { close } = await newGateway(behind, 'gw-1')
    const id = await newDevice(behind.call)
    await setAttached(behind.pool, 'con-1', id, 'attached')
    const open = (said: string): ReturnType<typeof behind.call> =>
      behind.call('POST', '/v1/tunnels', { body: { deviceId: id, port: 22 }, headers: { 'x-forwarded-for': said } })
    // The entry next to the proxy counts; those before it are the caller's own words.
    expect(await open('192.0.2.1, 198.51.100.7')).toMatchObject({
      status: 201,
      body: { allowFrom: ['198.51.100.7/32'] },
    })
    for (const said of ['nonsense', '0.0.0.0/0', '198.51.100.7:80', '$(reboot)']) {
      const answer = await open(said)
      expect([answer.status, answer.text.includes('0.0.0.0/0')]).toEqual([400, false])
    }
    await close()
    await behind.close()
  })
})

it('an API key that many calls use at once is noted once', async () => {
  await harness.pool.query('UPDATE api_keys SET last_used_at = NULL')
  await harness.pool.query('CREATE TABLE noted (id text)')
  await harness.pool.query(
    `CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN INSERT INTO noted VALUES (NEW.id); RETURN NEW; END $$`,
  )
  await harness.pool.query('CREATE TRIGGER note AFTER UPDATE ON api_keys FOR EACH ROW EXECUTE FUNCTION note()')
  const answers = await Promise.all(Array.from({ length: 50 }, () => harness.call('GET', '/v1/organization')))
  expect(answers.every(({ status }) => status === 200)).toBe(true)
  await waitFor(async () => (await harness.pool.query('SELECT 1 FROM noted')).rowCount)
  expect((await harness.pool.query('SELECT id FROM noted')).rowCount).toBe(1)
})

it('names in every script, with marks and pictures, are kept as they are', async () => {
  for (const name of ['Pumpe 7, Öland', 'مضخة ٧', 'ポンプ 7', 'pump 👩🏽‍🔧 7']) {
    const answer = await harness.call('PATCH', `/v1/devices/${deviceId}`, { body: { name } })
    expect(answer).toMatchObject({ status: 200, body: { name } })
  }
})
