import { createApiKey } from '@culvert/db'
import net from 'node:net'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { newDevice, newIccid, openHarness, type Harness } from './testing/harness.ts'

let harness: Harness
let deviceId = ''
const absentDevice = `dev_${'a'.repeat(20)}`
const absentTunnel = `tun_${'a'.repeat(20)}`

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
  deviceId = await newDevice(harness.call)
})
afterAll(() => harness.close())

interface ProblemBody {
  readonly code: string
  readonly errors?: { in: string; pointer: string; message: string }[]
}

describe('a wrong field', () => {
  const iccid = newIccid()
  const wrongDigit = iccid.slice(0, -1) + String((Number(iccid.at(-1)) + 1) % 10)
  const tunnel = { deviceId: absentDevice, port: 22 }

  it.each<[method: string, url: string, body: unknown, at: string, pointer: string]>([
    ['POST', '/v1/devices', {}, 'body', '/iccid'],
    ['POST', '/v1/devices', undefined, 'body', ''],
    ['POST', '/v1/devices', [], 'body', ''],
    ['POST', '/v1/devices', 'text', 'body', ''],
    ['POST', '/v1/devices', null, 'body', ''],
    ['POST', '/v1/devices', { iccid: 89014103 }, 'body', '/iccid'],
    ['POST', '/v1/devices', { iccid: wrongDigit }, 'body', '/iccid'],
    ['POST', '/v1/devices', { iccid, imsi: '26201' }, 'body', '/imsi'],
    ['POST', '/v1/devices', { iccid, imei: 'x' }, 'body', '/imei'],
    ['POST', '/v1/devices', { iccid, eid: '' }, 'body', '/eid'],
    ['POST', '/v1/devices', { iccid, name: '' }, 'body', '/name'],
    ['POST', '/v1/devices', { iccid, name: 'a\u0000b' }, 'body', '/name'],
    ['POST', '/v1/devices', { iccid, name: 'x'.repeat(101) }, 'body', '/name'],
    ['POST', '/v1/devices', { iccid, tags: 'a' }, 'body', '/tags'],
    ['POST', '/v1/devices', { iccid, tags: ['ok', 'no spaces'] }, 'body', '/tags/1'],
    ['POST', '/v1/devices', { iccid, tunnelable: 'yes' }, 'body', '/tunnelable'],
    ['POST', '/v1/devices', { iccid, 'a/b~c': 1 }, 'body', '/a~1b~0c'],
    ['POST', '/v1/devices', { iccid, address: '10.128.0.9' }, 'body', '/address'],
    ['GET', '/v1/devices?limit=0', undefined, 'query', '/limit'],
    ['GET', '/v1/devices?limit=201', undefined, 'query', '/limit'],
    ['GET', '/v1/devices?limit=5.5', undefined, 'query', '/limit'],
    ['GET', '/v1/devices?limit=true', undefined, 'query', '/limit'],
    ['GET', '/v1/devices?limit=', undefined, 'query', '/limit'],
    ['GET', '/v1/devices?limit=5&limit=6', undefined, 'query', '/limit'],
    ['GET', '/v1/devices?unknown=1', undefined, 'query', '/unknown'],
    ['GET', '/v1/devices?cursor=abc', undefined, 'query', '/cursor'],
    ['GET', '/v1/devices?cursor=%00', undefined, 'query', '/cursor'],
    ['GET', '/v1/devices/42', undefined, 'path', '/deviceId'],
    ['GET', '/v1/devices/DEV_AAAAAAAAAAAAAAAAAAAA', undefined, 'path', '/deviceId'],
    ['GET', `/v1/devices/${absentDevice}%00`, undefined, 'path', '/deviceId'],
    ['GET', `/v1/devices/${absentDevice}%0A`, undefined, 'path', '/deviceId'],
    ['GET', `/v1/devices/${absentTunnel}`, undefined, 'path', '/deviceId'],
    ['PATCH', `/v1/devices/${absentDevice}`, {}, 'body', ''],
    ['PATCH', `/v1/devices/${absentDevice}`, { iccid }, 'body', '/iccid'],
    ['PATCH', `/v1/devices/${absentDevice}`, { id: absentDevice }, 'body', '/id'],
    ['GET', `/v1/devices/${absentDevice}/config`, undefined, 'query', '/target'],
    ['GET', `/v1/devices/${absentDevice}/config?target=racoon`, undefined, 'query', '/target'],
    ['POST', `/v1/devices/${absentDevice}/credentials`, { kind: 'rsa' }, 'body', '/kind'],
    ['POST', `/v1/devices/${absentDevice}/credentials`, { kind: 'eap', psk: 'x' }, 'body', '/psk'],
    ['POST', `/v1/devices/${absentDevice}/credentials`, { kind: 'eap', method: 'md5' }, 'body', '/method'],
    ['POST', `/v1/devices/${absentDevice}/credentials`, { kind: 'certificate' }, 'body', '/csr'],
    ['POST', `/v1/devices/${absentDevice}/credentials`, { csr: 'x' }, 'body', '/csr'],
    ['POST', `/v1/devices/${absentDevice}/credentials`, { required: true }, 'body', '/required'],
    ['POST', `/v1/devices/${absentDevice}/credentials`, { psk: 'ä'.repeat(40) }, 'body', '/psk'],
    ['POST', `/v1/devices/${absentDevice}/credentials`, { psk: 5 }, 'body', '/psk'],
    ['POST', `/v1/devices/${absentDevice}/credentials`, { psk: 'x'.repeat(129) }, 'body', '/psk'],
    ['POST', `/v1/devices/${absentDevice}/credentials`, { expiresAt: 'tomorrow' }, 'body', '/expiresAt'],
    ['DELETE', `/v1/devices/${absentDevice}/credentials/7`, undefined, 'path', '/credentialId'],
    ['POST', '/v1/tunnels', { port: 22 }, 'body', '/deviceId'],
    ['POST', '/v1/tunnels', { ...tunnel, port: '22' }, 'body', '/port'],
    ['POST', '/v1/tunnels', { ...tunnel, port: 0 }, 'body', '/port'],
    ['POST', '/v1/tunnels', { ...tunnel, port: 65_536 }, 'body', '/port'],
    ['POST', '/v1/tunnels', { ...tunnel, port: 1e300 }, 'body', '/port'],
    ['POST', '/v1/tunnels', { ...tunnel, ttlSec: 0 }, 'body', '/ttlSec'],
    ['POST', '/v1/tunnels', { ...tunnel, ttlSec: 86_401 }, 'body', '/ttlSec'],
    ['POST', '/v1/tunnels', { ...tunnel, allowFrom: [] }, 'body', '/allowFrom'],
    ['POST', '/v1/tunnels', { ...tunnel, allowFrom: ['203.0.113.7', '10.0.0.1/8'] }, 'body', '/allowFrom/1'],
    ['POST', '/v1/tunnels', { ...tunnel, allowFrom: ['example.com'] }, 'body', '/allowFrom/0'],
    ['POST', '/v1/tunnels', { ...tunnel, waitForDevice: 1 }, 'body', '/waitForDevice'],
    ['POST', '/v1/tunnels?wait=31', tunnel, 'query', '/wait'],
    ['POST', '/v1/tunnels?wait=-1', tunnel, 'query', '/wait'],
    ['GET', '/v1/tunnels?state=ajar', undefined, 'query', '/state'],
    ['GET', '/v1/tunnels?deviceId=x', undefined, 'query', '/deviceId'],
    ['GET', '/v1/tunnels/x', undefined, 'path', '/tunnelId'],
    ['PATCH', `/v1/tunnels/${absentTunnel}`, { port: 23 }, 'body', '/port'],
    ['DELETE', `/v1/tunnels/${absentTunnel}?wait=x`, undefined, 'query', '/wait'],
  ])('%s %s %j names it: %s %s', async (method, url, body, at, pointer) => {
    const answer = await harness.call<ProblemBody>(method, url, { body })
    expect(answer.status).toBe(400)
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(answer.body.errors?.map((error) => [error.in, error.pointer])).toContainEqual([at, pointer])
    for (const error of answer.body.errors ?? []) expect(error.message.length).toBeGreaterThan(5)
  })

  it('is named with all the others', async () => {
    const answer = await harness.call<ProblemBody>('POST', '/v1/tunnels', { body: { port: 0, ttlSec: 'x', more: 1 } })
    expect(answer.body.errors?.map((error) => error.pointer).toSorted()).toEqual([
      '/deviceId',
      '/more',
      '/port',
      '/ttlSec',
    ])
  })

  it('is told in words that help, without its value', async () => {
    const answer = await harness.call<ProblemBody>('POST', '/v1/devices', { body: { iccid: wrongDigit } })
    expect(answer.body.errors).toEqual([
      { in: 'body', pointer: '/iccid', message: expect.stringContaining('check digit') },
    ])
    expect(answer.text).not.toContain(wrongDigit)
  })

  it('is a cursor of another list or of other filters', async () => {
    await newDevice(harness.call)
    const page = await harness.call<{ nextCursor: string }>('GET', '/v1/devices?limit=1')
    expect(page.body.nextCursor).toEqual(expect.any(String))
    for (const url of ['/v1/tunnels', '/v1/devices?tag=x']) {
      const answer = await harness.call('GET', `${url}${url.includes('?') ? '&' : '?'}cursor=${page.body.nextCursor}`)
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_cursor' } })
    }
    const stolen = await harness.call('GET', `/v1/devices?cursor=${page.body.nextCursor}`, { key: harness.other.key })
    expect(stolen.status).toBe(400)
  })
})

describe('a request that cannot be read', () => {
  it.each([
    ['{"iccid":', 'malformed_request', 400],
    ['{"iccid":"1","__proto__":{"a":1}}', 'malformed_request', 400],
    ['{"constructor":{"prototype":{"a":1}}}', 'malformed_request', 400],
    [Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 'malformed_request', 400],
    [`{"name":"${'x'.repeat(70_000)}"}`, 'payload_too_large', 413],
  ])('answers %s', async (raw, code, status) => {
    expect(await harness.call('POST', '/v1/devices', { raw })).toMatchObject({ status, body: { code } })
  })

  it.each([
    'text/plain',
    'application/xml',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    'nonsense',
  ])('answers 415 to %s', async (type) => {
    const answer = await harness.call('POST', '/v1/devices', { raw: '{}', headers: { 'content-type': type } })
    expect(answer).toMatchObject({ status: 415, body: { code: 'unsupported_media_type' } })
  })

  it('may have a JSON content type without a body where none is needed', async () => {
    const id = await newDevice(harness.call)
    expect(
      (await harness.call('DELETE', `/v1/devices/${id}`, { headers: { 'content-type': 'application/json' } })).status,
    ).toBe(204)
  })

  it('has an If-Match that is no version', async () => {
    const answer = await harness.call('PATCH', `/v1/devices/${deviceId}`, {
      body: { name: 'x' },
      headers: { 'if-match': 'W/"x"' },
    })
    expect(answer).toMatchObject({ status: 412, body: { code: 'precondition_failed', errors: [{ in: 'header' }] } })
  })
})

describe('an address without a route', () => {
  it.each(['/v1', '/v1/device', '/v2/devices', `/v1/devices/${absentDevice}/other`, '/../etc/passwd'])(
    'answers 404: %s',
    async (url) => {
      expect(await harness.call('GET', url)).toMatchObject({ status: 404, body: { code: 'not_found' } })
    },
  )

  it.each([
    ['PUT', '/v1/devices', 'GET, HEAD, POST'],
    ['DELETE', '/v1/devices', 'GET, HEAD, POST'],
    ['POST', `/v1/devices/${absentDevice}`, 'DELETE, GET, HEAD, PATCH'],
    ['PATCH', '/v1/concentrators', 'GET, HEAD'],
    ['POST', '/health/live', 'GET, HEAD'],
  ])('answers 405 to %s %s and says what is allowed', async (method, url, allow) => {
    expect(await harness.call(method, url)).toMatchObject({
      status: 405,
      body: { code: 'method_not_allowed' },
      headers: { allow },
    })
  })

  it.each(['/v1/devices/%zz', '/v1/devices/%ff', '/%'])(
    'answers 400 to a URL that cannot be decoded: %s',
    async (url) => {
      const answer = await harness.call('GET', url)
      expect(answer).toMatchObject({ status: 400, headers: { 'content-type': 'application/problem+json' } })
    },
  )

  it('answers with a page about the code it names', async () => {
    const { body } = await harness.call<{ type: string; code: string }>('GET', '/v1/nothing')
    expect((await harness.call('GET', body.type, { key: null })).body).toMatchObject({
      code: body.code,
      advice: expect.any(String),
    })
    expect((await harness.call('GET', '/errors/constructor', { key: null })).status).toBe(404)
  })
})

describe('request ids', () => {
  it('are made, kept when harmless, and told in problems', async () => {
    const own = await harness.call<{ requestId: string; instance: string }>('GET', '/v1/nothing')
    expect(own.headers['x-request-id']).toBe(own.body.requestId)
    expect(own.body.instance).toBe(`urn:request:${own.body.requestId}`)
    const given = await harness.call('GET', '/v1/nothing', { headers: { 'x-request-id': 'trace-1' } })
    expect(given.body).toMatchObject({ requestId: 'trace-1' })
    const harmful = await harness.call('GET', '/v1/nothing', { headers: { 'x-request-id': 'a b"<script>' } })
    expect(harmful.headers['x-request-id']).toMatch(/^req_/)
  })
})

describe('API keys', () => {
  it.each([
    '',
    'Bearer',
    'Bearer x',
    'Basic dXNlcjpwYXNz',
    'Bearer culvert_aaaaaaaaaaaaaaaa_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbcccccc',
  ])('are required: %s', async (authorization) => {
    const answer = await harness.call('GET', '/v1/devices', { key: null, headers: { authorization } })
    expect(answer).toMatchObject({
      status: 401,
      body: { code: 'unauthenticated' },
      headers: { 'www-authenticate': 'Bearer realm="culvert"' },
    })
  })

  it('stop working when revoked or expired, and the answer is the same as for an unknown one', async () => {
    const make = () => createApiKey(harness.pool, { organizationId: harness.organization.id, name: 'short' })
    const [revoked, expired] = [await make(), await make()]
    for (const { key } of [revoked, expired])
      expect((await harness.call('GET', '/v1/devices', { key })).status).toBe(200)
    await harness.pool.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [revoked.id])
    await harness.pool.query(`UPDATE api_keys SET expires_at = now() - interval '1 ms' WHERE id = $1`, [expired.id])
    const answers = await Promise.all(
      [revoked.key, expired.key, 'nonsense'].map((key) =>
        harness.call<{ detail: string }>('GET', '/v1/devices', { key }),
      ),
    )
    expect(answers.map((answer) => answer.status)).toEqual([401, 401, 401])
    expect(new Set(answers.map((answer) => answer.body.detail)).size).toBe(1)
  })

  it('of another organization with the right id and a wrong secret are refused', async () => {
    const [mine, theirs] = [harness.organization.key, harness.other.key]
    const mixed = mine.slice(0, 25) + theirs.slice(25)
    expect((await harness.call('GET', '/v1/devices', { key: mixed })).status).toBe(401)
  })

  it('are asked for before the body is read', async () => {
    expect((await harness.call('POST', '/v1/devices', { key: null, raw: '{' })).status).toBe(401)
  })
})

describe('bytes that are no HTTP', () => {
  it.each([
    ['GARBAGE\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
    ['POST /v1/devices HTTP/1.1\r\nHost: a\r\nContent-Length: abc\r\n\r\n', 400],
    ['POST /v1/devices HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
  ])('get one problem and a closed connection: %.20s', async (bytes, status) => {
    await harness.api.listen({ host: '127.0.0.1', port: 0 }).catch(() => {})
    const { port } = harness.api.server.address() as net.AddressInfo
    const answer = await new Promise<string>((resolve, reject) => {
      let text = ''
      const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes))
      socket.on('data', (chunk) => (text += chunk.toString())).on('error', reject)
      socket.on('close', () => resolve(text))
    })
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))).toMatchObject({ status, code: expect.any(String) })
  })
})
