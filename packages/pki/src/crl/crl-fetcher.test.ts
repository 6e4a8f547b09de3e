import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createCrlFetcher, type CrlFetcherOptions } from './crl-fetcher.ts'
import { isPublicAddress } from './public-address.ts'

const server = http.createServer((request, response) => {
  asked.push(`${request.headers.host} ${request.url}`)
  if (request.url === '/moved') response.writeHead(302, { location: '/crl' }).end()
  else if (request.url === '/missing') response.writeHead(404).end()
  else if (request.url === '/silent') response.flushHeaders()
  else if (request.url === '/large') response.end(Buffer.alloc(5_000))
  else if (request.url === '/endless') drip(response)
  else response.end('list')
})
let asked: string[] = []
let host = ''

beforeAll(async () => {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  host = `crl.example:${(server.address() as AddressInfo).port}`
})
beforeEach(() => void (asked = []))
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

describe('C31 N14 a fetcher of lists', () => {
  it('fetches from hosts of the allow list, at the address that was checked', async () => {
    expect(await text('/crl')).toBe('list')
    expect(asked).toEqual([`${host} /crl`])
  })

  it.each([
    ['https://HOST/crl'],
    ['ftp://HOST/crl'],
    ['file:///etc/passwd'],
    ['http://other.example/crl'],
    ['http://HOST.evil.example/crl'],
    ['http://crl.example/crl'],
    ['http://user@HOST/crl'],
    ['http://HOST@evil.example/crl'],
    ['ldap://HOST/crl'],
    ['no url'],
    [`http://HOST/${'a'.repeat(1_024)}`],
  ])('asks nobody for %s', async (url) => {
    const result = await fetcher().fetch(url.replace('HOST', host), 0)
    expect(result).toMatchObject({ fault: { code: 'notAllowed' } })
    expect(asked).toEqual([])
  })

  it('connects to no address that is not public, by name, in any spelling, and when only one of several is', async () => {
    const port = host.split(':')[1]
    const closed = { alsoAddresses: [] }
    expect(await text('/crl', closed)).toBe('notAllowed')
    expect(await text('/crl', { ...closed, resolve: async () => ['192.0.43.8', '10.0.0.1'] })).toBe('notAllowed')
    for (const spelling of [
      '127.0.0.1',
      '2130706433',
      '0x7f.1',
      '0177.0.0.1',
      '[::1]',
      '[::ffff:127.0.0.1]',
      'localhost',
    ]) {
      const allow = [new URL(`http://${spelling}:${port}`).host]
      const own = createCrlFetcher({ allow })
      expect(await own.fetch(`http://${spelling}:${port}/crl`, 0)).toMatchObject({ fault: { code: 'notAllowed' } })
    }
    expect(asked).toEqual([])
  })

  it.each([
    ['/moved', 'a redirect'],
    ['/missing', 'an error'],
    ['/large', 'a body that is too large'],
    ['/endless', 'a body without end'],
    ['/silent', 'no body'],
  ])('%s: takes no %s', async (path) => {
    expect(await text(path, { maxBytes: 4_999, timeoutMs: 300 })).toBe('fetchFailed')
    expect(asked).toHaveLength(1)
  })

  it('waits no longer for a name than for anything else', async () => {
    const never = async (): Promise<string[]> => new Promise(() => undefined)
    expect(await text('/crl', { resolve: never, timeoutMs: 50 })).toBe('fetchFailed')
    expect(await text('/crl', { resolve: async () => [] })).toBe('fetchFailed')
    expect(await text('/crl', { resolve: async () => Promise.reject(new Error('no such host')) })).toBe('fetchFailed')
  })

  it('asks once at a time, and not again too soon, also after a failure', async () => {
    const own = fetcher({ minIntervalMs: 1_000 })
    const url = `http://${host}/missing`
    await Promise.all([own.fetch(url, 0), own.fetch(url, 0), own.fetch(url, 999)])
    expect(asked).toHaveLength(1)
    await own.fetch(url, 1_000)
    expect(asked).toHaveLength(2)
  })
})

it.each([
  ['8.8.8.8', true],
  ['2606:4700::1111', true],
  ['0.0.0.0', false],
  ['10.1.2.3', false],
  ['100.64.0.1', false],
  ['127.0.0.53', false],
  ['169.254.169.254', false],
  ['172.31.255.255', false],
  ['172.32.0.0', true],
  ['192.168.0.1', false],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['::', false],
  ['::1', false],
  ['::ffff:8.8.8.8', false],
  ['64:ff9b::a00:1', false],
  ['fc00::1', false],
  ['fe80::1', false],
  ['2001:db8::1', false],
  ['2001::1', false],
  ['2002:a00:1::', false],
  ['ff02::1', false],
  ['fe80::1%eth0', false],
  ['nonsense', false],
])('N14 %s is public: %s', (address, isPublic) => {
  expect(isPublicAddress(address)).toBe(isPublic)
})

function fetcher(options: Partial<CrlFetcherOptions> = {}) {
  return createCrlFetcher({
    allow: [host],
    alsoAddresses: ['127.0.0.0/8'],
    resolve: async () => ['127.0.0.1'],
    ...options,
  })
}

async function text(path: string, options: Partial<CrlFetcherOptions> = {}): Promise<string> {
  const result = await fetcher(options).fetch(`http://${host}${path}`, 0)
  return result.ok ? new TextDecoder().decode(result.value) : result.fault.code
}

function drip(response: http.ServerResponse): void {
  const push = (): void => void (response.destroyed || response.write(Buffer.alloc(100), () => setImmediate(push)))
  push()
}
