/** Real sockets on loopback; 127.0.0.1 is allowed and plays the public Internet, its neighbours are the inside. */
import net from 'node:net'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { waitFor } from '@culvert/testkit'
import { openEgress, type EgressOptions, type EgressRequest, type EgressResult, type Resolver } from './index.ts'
import { dnsResolver } from './resolver.ts'
import { selfSigned, type ServerCertificate } from './testing/certificate.ts'
import { startDnsServer } from './testing/dns-server.ts'
import { startHttp, startRaw, startTls } from './testing/receivers.ts'

const closings: { close(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(closings.splice(0).map((one) => one.close()))
  vi.unstubAllEnvs()
})

function kept<T extends { close(): Promise<void> }>(one: T): T {
  closings.push(one)
  return one
}

const names = (addresses: Readonly<Record<string, readonly string[]>>): Resolver => ({
  resolve: (name) => Promise.resolve(addresses[name] ?? []),
})

function open(options: EgressOptions = {}) {
  return openEgress({
    allowHttp: true,
    ports: [{ from: 1, to: 65_535 }],
    allowedPrefixes: ['127.0.0.1/32'],
    resolver: names({ 'hooks.example.com': ['127.0.0.1'] }),
    ...options,
  })
}

function request(url: string, more: Partial<EgressRequest> = {}): EgressRequest {
  return { url, headers: {}, body: '{}', timeoutMs: 5_000, maxResponseBytes: 1_000, ...more }
}

const failure = (result: EgressResult) => (result.ok ? null : result)

describe('send', () => {
  it('posts the bytes, and answers status, headers, body, address and durations', async () => {
    const seen: unknown[] = []
    const server = kept(
      await startHttp((incoming, answer) => {
        const { method, url, headers } = incoming
        incoming.setEncoding('utf8').on('data', (body) => seen.push({ method, url, headers, body }))
        incoming.on('end', () => answer.writeHead(202, { 'X-Twice': ['a', 'b'] }).end('thanks'))
      }),
    )
    const url = `http://hooks.example.com.:${server.port}/in?x=1#part`
    const result = await open().send(request(url, { headers: { 'Webhook-Id': 'evt_1' }, body: '{"é":1}' }))
    expect(result).toMatchObject({ ok: true, status: 202, truncated: false, address: '127.0.0.1' })
    if (!result.ok) return
    expect(result.body.toString()).toBe('thanks')
    expect(result.headers).toMatchObject({ 'x-twice': 'a, b' })
    expect(result.durations).toMatchObject({
      tlsMs: null,
      resolveMs: expect.any(Number),
      firstByteMs: expect.any(Number),
    })
    expect(seen).toMatchObject([{ method: 'POST', url: '/in?x=1', body: '{"é":1}' }])
    const { headers } = seen[0] as { headers: Record<string, string> }
    expect(headers).toMatchObject({
      host: `hooks.example.com:${server.port}`,
      'webhook-id': 'evt_1',
      connection: 'close',
    })
  })

  it('gives each exchange a connection of its own and closes it', async () => {
    const server = kept(await startHttp((_, answer) => answer.setHeader('Connection', 'keep-alive').end()))
    const egress = open()
    for (const path of ['a', 'b']) await egress.send(request(`http://hooks.example.com:${server.port}/${path}`))
    expect(server.connections).toBe(2)
    await waitFor(() => server.open === 0)
    expect(egress.open).toBe(0)
  })

  it('tries the next address when one does not take the connection', async () => {
    const server = kept(await startHttp((_, answer) => answer.end()))
    const resolver = names({ 'hooks.example.com': ['127.0.0.3', '127.0.0.1'] })
    const egress = open({ resolver, allowedPrefixes: ['127.0.0.0/8'] })
    expect(await egress.send(request(`http://hooks.example.com:${server.port}/`))).toMatchObject({
      address: '127.0.0.1',
    })
  })

  it.each(['Host', 'content-length', 'Transfer-Encoding', 'connection', 'bad name', ''])(
    'refuses the header "%s", which would change the framing',
    async (name) => {
      const result = await open().send(request('http://hooks.example.com:1/', { headers: { [name]: '1' } }))
      expect(result).toMatchObject({ ok: false, code: 'header_refused', stage: 'check' })
    },
  )

  it('refuses a line break in the value of a header', async () => {
    const headers = { 'X-Note': 'a\r\nX-Other: b' }
    const result = await open().send(request('http://hooks.example.com:1/', { headers }))
    expect(result).toMatchObject({ ok: false, code: 'header_refused' })
  })

  it('is busy at once when all its sockets are taken, and free again after', async () => {
    const hanging = kept(await startRaw(() => undefined))
    const egress = open({ maxSockets: 1 })
    const url = `http://hooks.example.com:${hanging.port}/`
    const giveUp = new AbortController()
    const first = egress.send(request(url, { signal: giveUp.signal }))
    expect(await egress.send(request(url))).toMatchObject({ ok: false, code: 'busy' })
    giveUp.abort()
    expect(await first).toMatchObject({ ok: false, code: 'aborted' })
    expect(await egress.send(request(url, { timeoutMs: 20 }))).toMatchObject({ code: 'timeout' })
    expect(egress.open).toBe(0)
  })

  it('names what went wrong, without an address that was not in the URL', async () => {
    const closing = kept(await startRaw((socket) => socket.once('data', () => socket.end())))
    const resetting = kept(await startRaw((socket) => socket.once('data', () => socket.resetAndDestroy())))
    const middle = kept(await startRaw((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')))
    const ssh = kept(await startRaw((socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n')))
    const gone = await startRaw(() => undefined)
    await gone.close()
    const cases: [number, string][] = [
      [closing.port, 'connection_closed'],
      [resetting.port, 'connection_closed'],
      [middle.port, 'connection_closed'],
      [ssh.port, 'invalid_response'],
      [gone.port, 'connect_failed'],
    ]
    for (const [port, code] of cases) {
      const result = failure(await open().send(request(`http://hooks.example.com:${port}/`)))
      expect(result).toMatchObject({ code })
      expect(result?.message).not.toContain('127.0.0')
    }
  })
})

describe('where it connects to', () => {
  it('A01 connects to the address that was checked, when DNS changes between check and connect', async () => {
    const outside = kept(await startHttp((_, answer) => answer.end('outside')))
    const inside = kept(await startHttp((_, answer) => answer.end('inside'), '127.0.0.2', outside.port))
    const answers = [['127.0.0.1'], ['127.0.0.2']]
    let asked = 0
    const dns = kept(await startDnsServer((name) => answers[Math.min(asked, 1)] ?? [name]))
    const egress = open({
      resolver: {
        // Both questions of one resolution get the same answer; whoever asks again gets the next one.
        resolve: (name, signal) =>
          dnsResolver({ servers: [dns.server] })
            .resolve(name, signal)
            .finally(() => asked++),
      },
    })
    const url = `http://rebind.example.com:${outside.port}/`
    const first = await egress.send(request(url))
    expect(first).toMatchObject({ ok: true, address: '127.0.0.1' })
    expect(dns.questions).toEqual(['rebind.example.com'])
    expect(await egress.send(request(url))).toMatchObject({ ok: false, code: 'address_refused', stage: 'resolve' })
    expect([outside.connections, inside.connections]).toEqual([1, 0])
  })

  it('A01 refuses a name with one public and one inner address', async () => {
    const outside = kept(await startHttp((_, answer) => answer.end()))
    const inside = kept(await startHttp((_, answer) => answer.end(), '127.0.0.2', outside.port))
    for (const addresses of [
      ['127.0.0.1', '127.0.0.2'],
      ['127.0.0.2', '127.0.0.1'],
      ['127.0.0.1', '::ffff:7f00:2'],
    ]) {
      const egress = open({ resolver: names({ 'mixed.example.com': addresses }) })
      const result = failure(await egress.send(request(`http://mixed.example.com:${outside.port}/`)))
      expect(result).toMatchObject({ code: 'address_refused', address: null })
      expect(result?.message).not.toContain('127')
    }
    expect(outside.connections + inside.connections).toBe(0)
  })

  it('A01 reaches no device of another organization, by name or address, also when its network is allowed', async () => {
    const device = kept(await startHttp((_, answer) => answer.end('device'), '127.9.0.7'))
    const egress = open({
      allowedPrefixes: ['127.0.0.0/8'],
      refusedPrefixes: ['127.9.0.0/16', 'fd43:756c:7665::/48'],
      resolver: names({ 'four.example.com': ['127.9.0.7'], 'six.example.com': ['fd43:756c:7665:8000::7'] }),
    })
    const hosts = ['127.9.0.7', '0x7f.9.7', 'four.example.com', 'six.example.com', '[fd43:756c:7665:8000::7]']
    for (const host of hosts) {
      const result = await egress.send(request(`http://${host}:${device.port}/`))
      expect(result, host).toMatchObject({ ok: false, code: 'address_refused' })
    }
    expect(device.connections).toBe(0)
  })

  it('A01 sends nothing to the port of Redis or PostgreSQL, to user@host or to a name without DNS', async () => {
    const resolver = { resolve: vi.fn<Resolver['resolve']>().mockResolvedValue(['127.0.0.1']) }
    const egress = openEgress({ allowHttp: true, allowedPrefixes: ['127.0.0.1'], resolver })
    const cases = [
      ['http://hooks.example.com:6379/', 'port_refused'],
      ['http://hooks.example.com:5432/', 'port_refused'],
      ['http://user@hooks.example.com/', 'credentials_refused'],
      ['http://localhost/', 'host_refused'],
      ['http://2130706434/', 'address_refused'],
    ]
    for (const [url = '', code] of cases) expect(await egress.send(request(url))).toMatchObject({ ok: false, code })
    expect(resolver.resolve).not.toHaveBeenCalled()
  })

  it('A01 takes a redirect as the answer and goes nowhere', async () => {
    const inside = kept(await startHttp((_, answer) => answer.end('inside')))
    const location = `http://hooks.example.com:${inside.port}/`
    for (const status of [301, 302, 303, 307, 308]) {
      const server = kept(await startHttp((_, answer) => answer.writeHead(status, { location }).end()))
      const result = await open().send(request(`http://hooks.example.com:${server.port}/`))
      expect(result).toMatchObject({ ok: true, status, headers: { location } })
    }
    expect(inside.connections).toBe(0)
  })

  it('A01 asks no proxy that the environment names', async () => {
    const proxy = kept(await startRaw((socket) => socket.end()))
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY']) {
      vi.stubEnv(name, `http://127.0.0.1:${proxy.port}`)
    }
    vi.stubEnv('NODE_USE_ENV_PROXY', '1')
    const server = kept(await startHttp((_, answer) => answer.end()))
    expect(await open().send(request(`http://hooks.example.com:${server.port}/`))).toMatchObject({ ok: true })
    expect(proxy.connections).toBe(0)
  })

  it('says that a name has no address, and that no name server answers', async () => {
    const dns = kept(await startDnsServer((name) => (name === 'none.example.com' ? null : undefined)))
    const egress = open({ resolver: dnsResolver({ servers: [dns.server] }) })
    expect(await egress.send(request('http://none.example.com/'))).toMatchObject({ code: 'name_unresolved' })
    const silent = await egress.send(request('http://silent.example.com/', { timeoutMs: 100 }))
    expect(silent).toMatchObject({ ok: false, code: 'timeout', stage: 'resolve' })
    const closed = kept(await startDnsServer(() => []))
    await closings.pop()?.close()
    const refused = open({ resolver: dnsResolver({ servers: [closed.server] }) })
    expect(await refused.send(request('http://hooks.example.com/'))).toMatchObject({ code: 'name_unresolved' })
  })

  it('resolves IPv6 too', async () => {
    const dns = kept(await startDnsServer(() => ['127.0.0.1', '2606:4700::1']))
    const found = await dnsResolver({ servers: [dns.server] }).resolve(
      'hooks.example.com',
      new AbortController().signal,
    )
    expect(found).toEqual(['127.0.0.1', '2606:4700::1'])
  })
})

describe('what it reads', () => {
  it('A01 stops reading a long answer and closes', async () => {
    const endless = kept(
      await startRaw((socket) => {
        const fill = (): void => {
          while (socket.writable && socket.write('x'.repeat(65_536)));
        }
        socket.on('drain', fill)
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        fill()
      }),
    )
    const result = await open().send(request(`http://hooks.example.com:${endless.port}/`))
    expect(result).toMatchObject({ ok: true, status: 200, truncated: true })
    expect(result.ok && result.body.toString()).toBe('x'.repeat(1_000))
    await waitFor(() => endless.open === 0)
  })

  it('reads an answer that is exactly as long as allowed as a whole, compressed or not', async () => {
    const server = kept(
      await startHttp((_, answer) => answer.setHeader('Content-Encoding', 'gzip').end('x'.repeat(1_000))),
    )
    const result = await open().send(request(`http://hooks.example.com:${server.port}/`))
    expect(result).toMatchObject({ ok: true, truncated: false, body: { length: 1_000 } })
  })

  const drips: [string, string, string, string][] = [
    ['a body', 'body', 'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n', 'x'],
    ['chunks', 'body', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '1\r\nx\r\n'],
    ['headers', 'headers', 'HTTP/1.1 200 OK\r\n', 'X-Drip: 1\r\n'],
    ['a status line', 'headers', 'HTTP/1.1 200 ', 'O'],
    ['interim answers', 'headers', '', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
  ]
  it.each(drips)('A01 limits the whole exchange in time: %s that drips', async (_what, stage, begin, drop) => {
    const dripping = kept(
      await startRaw((socket) => {
        socket.write(begin)
        const timer = setInterval(() => socket.write(drop), 20)
        socket.on('close', () => clearInterval(timer))
      }),
    )
    const result = await open().send(request(`http://hooks.example.com:${dripping.port}/`, { timeoutMs: 200 }))
    expect(result).toMatchObject({ ok: false, code: 'timeout', stage, address: '127.0.0.1' })
    expect(failure(result)?.status).toBe(stage === 'body' ? 200 : null)
    await waitFor(() => dripping.open === 0)
  })

  it('A01 limits the headers in bytes', async () => {
    const server = kept(
      await startRaw((socket) => {
        const fill = (): void => {
          while (socket.writable && socket.write(`X-Long: ${'x'.repeat(1_000)}\r\n`));
        }
        socket.on('drain', fill)
        socket.write('HTTP/1.1 200 OK\r\n')
        fill()
      }),
    )
    const result = await open().send(request(`http://hooks.example.com:${server.port}/`))
    expect(result).toMatchObject({ ok: false, code: 'response_headers_too_large' })
    await waitFor(() => server.open === 0)
  })

  it('limits the time of a host that says nothing at all', async () => {
    const silent = kept(await startRaw(() => undefined))
    for (const [scheme, stage] of [
      ['http', 'headers'],
      ['https', 'tls'],
    ]) {
      const url = `${scheme}://hooks.example.com:${silent.port}/`
      expect(await open().send(request(url, { timeoutMs: 100 }))).toMatchObject({ code: 'timeout', stage })
    }
    await waitFor(() => silent.open === 0)
  })
})

describe('TLS', () => {
  let certificate: ServerCertificate
  beforeAll(async () => {
    certificate = await selfSigned('hooks.example.com')
  })

  const answer = 'HTTP/1.1 204 No Content\r\n\r\n'

  it('verifies by the name of the URL, sends it as SNI, and resumes no session', async () => {
    const seen: [unknown, boolean][] = []
    const server = kept(
      await startTls(certificate, (socket) => {
        seen.push([socket.servername, socket.isSessionReused()])
        socket.end(answer)
      }),
    )
    const egress = open({ trust: { ca: certificate.cert } })
    for (let count = 0; count < 2; count++) {
      const result = await egress.send(request(`https://hooks.example.com.:${server.port}/`))
      expect(result).toMatchObject({ ok: true, status: 204, durations: { tlsMs: expect.any(Number) } })
    }
    expect(seen).toEqual([
      ['hooks.example.com', false],
      ['hooks.example.com', false],
    ])
  })

  it('refuses a certificate for another name, and one that nobody vouches for, whatever the environment says', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    const server = kept(await startTls(certificate, (socket) => socket.end(answer)))
    const resolver = names({ 'hooks.example.com': ['127.0.0.1'], 'other.example.com': ['127.0.0.1'] })
    const trusting = open({ resolver, trust: { ca: certificate.cert } })
    expect(await trusting.send(request(`https://other.example.com:${server.port}/`))).toMatchObject({
      code: 'tls_failed',
      message: 'No TLS with this host: its certificate is for another name.',
    })
    expect(await trusting.send(request(`https://127.0.0.1:${server.port}/`))).toMatchObject({ code: 'tls_failed' })
    expect(await open().send(request(`https://hooks.example.com:${server.port}/`))).toMatchObject({
      code: 'tls_failed',
      message: 'No TLS with this host: its certificate is self-signed.',
    })
  })

  it('says that a host without TLS has none', async () => {
    const server = kept(await startHttp((_, response) => response.end()))
    const result = await open().send(request(`https://hooks.example.com:${server.port}/`))
    expect(result).toMatchObject({ code: 'tls_failed', stage: 'tls' })
  })
})

describe('the egress proxy', () => {
  /** Answers CONNECT with `status` and, for 200, joins the two ends. */
  async function startProxy(status: number, asked: string[]) {
    return kept(
      await startRaw((socket) => {
        socket.once('data', (head) => {
          asked.push(head.toString('latin1'))
          const [, host = '', port] = /^CONNECT ([\d.]+):(\d+) /.exec(asked.at(-1) ?? '') ?? []
          socket.write(`HTTP/1.1 ${status} Some Reason\r\n\r\n`)
          if (status !== 200) return socket.end()
          const far = net.connect(Number(port), host)
          far.on('error', () => socket.destroy())
          socket.on('close', () => far.destroy())
          return socket.pipe(far).pipe(socket)
        })
      }),
    )
  }

  it('is told the checked address, and TLS goes through it to the name', async () => {
    const certificate = await selfSigned('hooks.example.com')
    const names: unknown[] = []
    const server = kept(
      await startTls(certificate, (socket) => {
        names.push(socket.servername)
        socket.end('HTTP/1.1 204 No Content\r\n\r\n')
      }),
    )
    const asked: string[] = []
    const proxy = await startProxy(200, asked)
    const egress = open({
      trust: { ca: certificate.cert },
      proxy: { url: `http://culvert:se%63ret@127.0.0.1:${proxy.port}` },
    })
    const result = await egress.send(request(`https://hooks.example.com:${server.port}/`))
    expect(result).toMatchObject({ ok: true, status: 204, address: '127.0.0.1' })
    expect(names).toEqual(['hooks.example.com'])
    expect(asked[0]).toContain(`CONNECT 127.0.0.1:${server.port} HTTP/1.1\r\n`)
    expect(asked[0]?.toLowerCase()).toContain(`proxy-authorization: basic ${btoa('culvert:secret').toLowerCase()}`)
    await waitFor(() => proxy.open === 0)
  })

  it('A01 is not asked for what the rules refuse', async () => {
    const asked: string[] = []
    const proxy = await startProxy(200, asked)
    const resolver = names({ 'inner.example.com': ['10.0.0.1'] })
    const egress = open({ resolver, proxy: { url: `http://127.0.0.1:${proxy.port}` } })
    for (const host of ['inner.example.com', '10.0.0.1']) {
      expect(await egress.send(request(`http://${host}/`))).toMatchObject({ code: 'address_refused' })
    }
    expect(asked).toEqual([])
  })

  it('is the fault, when it refuses or is not there, and its login is in no message', async () => {
    const proxy = await startProxy(407, [])
    const url = `http://culvert:hunter2@127.0.0.1:${proxy.port}`
    const refused = failure(await open({ proxy: { url } }).send(request('http://hooks.example.com/')))
    expect(refused).toMatchObject({
      code: 'proxy_failed',
      stage: 'connect',
      message: 'The egress proxy refused the connection with status 407.',
    })
    await closings.pop()?.close()
    const gone = failure(await open({ proxy: { url } }).send(request('http://hooks.example.com/')))
    expect(gone).toMatchObject({ code: 'proxy_failed', message: 'The egress proxy could not be used.' })
  })

  it('has no more time than the exchange', async () => {
    const proxy = kept(await startRaw(() => undefined))
    const egress = open({ proxy: { url: `http://127.0.0.1:${proxy.port}` } })
    const result = await egress.send(request('http://hooks.example.com/', { timeoutMs: 100 }))
    expect(result).toMatchObject({ code: 'timeout', stage: 'connect' })
    await waitFor(() => proxy.open === 0)
  })
})
