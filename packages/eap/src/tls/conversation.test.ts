/** EAP-TLS between two real ends, and what a hostile peer may do to the authenticator. Certificates are those of the captures. */
import { X509Certificate, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Duplex } from 'node:stream'
import { connect, type ConnectionOptions } from 'node:tls'
import { concatBytes, toHex } from '@culvert/bytes'
import { describe, expect, it, vi } from 'vitest'
import { createEapAuthenticator, type EapAuthenticator, type EapStep } from '../authenticator.ts'
import { decodeEap, EAP_TYPE, encodeEap, type EapMessage } from '../packet.ts'
import { createEapPeer, type EapPeer, type EapPeerAnswer } from '../peer.ts'
import { createTlsMethod, type TlsMethodOptions } from './authenticator.ts'
import type { TlsCertificate, TlsVersion } from './context.ts'
import { FRAGMENT_BYTES } from './flight.ts'
import { decodeTlsFragment, encodeTlsFragment } from './packet.ts'
import { createTlsPeerMethod } from './peer.ts'

const CERTIFICATES = new URL('../../../../test/vectors/captures/08-eap-tls13/certs/', import.meta.url)
const pem = (name: string): string => readFileSync(new URL(name, CERTIFICATES), 'utf8')
const gateway: TlsCertificate = { chain: pem('gw.pem'), key: pem('gw.key') }
const deviceOne: TlsCertificate = { chain: pem('d1.pem'), key: pem('d1.key') }
const authority = new X509Certificate(pem('ca.pem'))
const deviceDer = toHex(new X509Certificate(deviceOne.chain).raw)
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const

const rng = (length: number): Uint8Array => new Uint8Array(randomBytes(length))

/** What a caller would do, in small. */
async function verifyChain(chain: readonly Uint8Array[]): Promise<{ subject: string } | null> {
  const leaf = new X509Certificate(chain[0]!)
  return leaf.verify(authority.publicKey) ? { subject: leaf.subject } : null
}

function authenticator(options: Partial<TlsMethodOptions> = {}): EapAuthenticator {
  const method = createTlsMethod({ certificate: gateway, authorities: [pem('ca.pem')], verifyChain, ...options })
  return createEapAuthenticator({ methods: [method], askIdentity: false, claimedIdentity: 'd1', rng })
}

interface DeviceOptions {
  readonly version?: TlsVersion
  readonly certificate?: TlsCertificate | null
  readonly trusts?: boolean
}

function device({ version = 'TLSv1.3', certificate = deviceOne, trusts = true }: DeviceOptions = {}): EapPeer {
  const versions = { least: version, most: version }
  const method = createTlsPeerMethod({ certificate, versions, verifyChain: async () => trusts })
  return createEapPeer({ identity: 'd1', methods: [method], rng })
}

interface Ending {
  readonly steps: readonly EapStep[]
  readonly responses: readonly Uint8Array[]
  readonly answer: EapPeerAnswer
}

type Meddle = (response: Uint8Array, round: number) => Uint8Array

async function converse(server: EapAuthenticator, peer: EapPeer, meddle: Meddle = (same) => same): Promise<Ending> {
  const steps: EapStep[] = []
  const responses: Uint8Array[] = []
  let packet: Uint8Array | null = null
  while (true) {
    const step: EapStep = await server.next(packet)
    steps.push(step)
    const answer: EapPeerAnswer = await peer.next(step.packet)
    if (answer.outcome !== 'continue') return { steps, responses, answer }
    packet = meddle(answer.packet, responses.length)
    responses.push(packet)
  }
}

describe.each(VERSIONS)('EAP-TLS with %s', (version) => {
  it('RFC 5216 2.3, RFC 9190 2.3 lets a device in, and both have the same MSK', async () => {
    const { steps, answer } = await converse(authenticator(), device({ version }))
    const last = steps.at(-1)!
    expect(last).toMatchObject({ outcome: 'success', method: 'tls', identity: 'O=lab\nCN=d1@dev.example' })
    if (last.outcome !== 'success') return
    expect(last.certificates.map(toHex)).toEqual([deviceDer])
    expect(last.msk).toHaveLength(64)
    expect(answer).toEqual({ outcome: 'success', method: 'tls', msk: last.msk })
  })

  it('RFC 5216 2.1.5 sends and takes flights in pieces', async () => {
    // the same certificate again and again makes the flights long
    const long = (certificate: TlsCertificate, times: number): TlsCertificate => ({
      ...certificate,
      chain: certificate.chain + pem('ca.pem').repeat(times),
    })
    const server = authenticator({ certificate: long(gateway, 9) })
    const { steps, responses, answer } = await converse(server, device({ version, certificate: long(deviceOne, 4) }))
    expect(answer.outcome).toBe('success')
    const last = steps.at(-1)!
    expect(last.outcome === 'success' && last.certificates.length).toBe(5)
    const sizes = [...steps.map(({ packet }) => packet), ...responses].map((packet) => packet.length)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(FRAGMENT_BYTES + 10)
    expect(flagsOf(steps)).toContain(0xc0)
    expect(responses.map((packet) => packet[5])).toContain(0xc0)
  })

  it('hands the whole chain and the claimed identity out, and refuses what is refused', async () => {
    const verify = vi.fn<TlsMethodOptions['verifyChain']>(async () => null)
    const { steps, answer } = await converse(authenticator({ verifyChain: verify }), device({ version }))
    expect(steps.at(-1)).toMatchObject({ outcome: 'failure', reason: 'certificateRefused' })
    expect(answer.outcome).toBe('failure')
    expect(verify.mock.calls.map(([chain, claimed]) => [chain.map(toHex), claimed])).toEqual([[[deviceDer], 'd1']])
  })

  it('N25 nobody comes in without a certificate', async () => {
    const verify = vi.fn<TlsMethodOptions['verifyChain']>(async () => ({ subject: 'anybody' }))
    const { steps } = await converse(authenticator({ verifyChain: verify }), device({ version, certificate: null }))
    expect(steps.at(-1)).toMatchObject({ outcome: 'failure', reason: 'noCertificate' })
    expect(verify).not.toHaveBeenCalled()
  })

  it('a look-up that rejects lets nobody in', async () => {
    const server = authenticator({ verifyChain: () => Promise.reject(new Error('database away')) })
    const { steps } = await converse(server, device({ version }))
    expect(steps.at(-1)).toMatchObject({ outcome: 'failure', reason: 'lookup' })
  })

  it('N25 a device that does not trust the authenticator has no MSK', async () => {
    const { answer } = await converse(authenticator(), device({ version, trusts: false }))
    expect(answer).toEqual({ outcome: 'failure' })
  })

  it('N25, RFC 9190 2.1.1 an early success is not believed, with TLS 1.3 none before the commitment', async () => {
    const rounds = (await converse(authenticator(), device({ version }))).steps.length
    for (let early = 1; early < rounds - 1; early++) {
      const [server, peer] = [authenticator(), device({ version })]
      let packet: Uint8Array | null = null
      for (let round = 0; round < early; round++) {
        const answer: EapPeerAnswer = await peer.next((await server.next(packet)).packet)
        packet = answer.outcome === 'continue' ? answer.packet : null
      }
      const answer = await peer.next(encodeEap({ kind: 'success', identifier: packet?.[1] ?? 0 }))
      // with TLS 1.2 the round before the last one has all there is
      expect(answer.outcome, `after ${early} of ${rounds}`).toBe('failure')
    }
  })

  it('N25 another packet in place of the last acknowledgement is no success', async () => {
    const rounds = (await converse(authenticator(), device({ version }))).responses.length
    const { steps } = await converse(authenticator(), device({ version }), (response, round) =>
      round === rounds - 1 ? withData(response, Uint8Array.of(0, 21, 3, 3, 0, 2, 2, 48)) : response,
    )
    expect(steps.at(-1)).toMatchObject({ outcome: 'failure', reason: 'refusedByPeer' })
  })

  it('N25 an acknowledgement in place of any piece of a flight is no success', async () => {
    const { responses } = await converse(authenticator(), device({ version }))
    for (const [skipped, honest] of responses.entries()) {
      if (isAcknowledgement(honest)) continue
      const { steps } = await converse(authenticator(), device({ version }), (response, round) =>
        round === skipped ? withData(response, Uint8Array.of(0)) : response,
      )
      expect(steps.at(-1)).toMatchObject({ outcome: 'failure', reason: 'unexpected' })
    }
  })

  it('N25 a flipped bit anywhere in what the device says lets nobody in', async () => {
    const { responses } = await converse(authenticator(), device({ version }))
    for (const [changed, honest] of responses.entries()) {
      for (let at = 5; at < honest.length; at += 61) {
        const { steps, answer } = await converse(authenticator(), device({ version }), (response, round) => {
          const copy = response.slice()
          if (round === changed) copy[Math.min(at, copy.length - 1)]! ^= 0x80
          return copy
        })
        expect([steps.at(-1)?.outcome, answer.outcome], `octet ${at}`).not.toContain('success')
      }
    }
  })
})

it.each(['TLSv1', 'TLSv1.1'] as const)('refuses %s with an alert, then EAP-Failure', async (version) => {
  const server = authenticator()
  const { identifier } = messageOf(await server.next(null))
  const hello = await clientHello({ minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0' })
  const step = await server.next(flight(identifier, hello))
  const alert = messageOf(step)
  expect([...alert.data.subarray(0, 2)]).toEqual([0, 21])
  const end = await server.next(flight(alert.identifier, new Uint8Array(0)))
  expect(end).toMatchObject({ outcome: 'failure', reason: 'tls' })
})

describe.each(VERSIONS)('a session of %s', (version) => {
  it('is not resumed', async () => {
    const method = createTlsMethod({ certificate: gateway, verifyChain })
    const make = (): EapAuthenticator =>
      createEapAuthenticator({ methods: [method], askIdentity: false, claimedIdentity: null, rng })
    const first = await handshake(make(), { minVersion: version, maxVersion: version })
    expect(first.session).toBeInstanceOf(Buffer)
    const again = await handshake(make(), { minVersion: version, maxVersion: version, session: first.session })
    expect([first.isReused, again.isReused]).toEqual([false, false])
    expect(again.step.outcome).toBe('success')
  })
})

describe('N25 fragments', () => {
  async function begun(): Promise<{ server: EapAuthenticator; identifier: number; hello: Uint8Array }> {
    const server = authenticator()
    const { identifier } = messageOf(await server.next(null))
    return { server, identifier, hello: await clientHello({}) }
  }

  it.each<[string, (hello: Uint8Array) => Uint8Array]>([
    ['a start', (data) => encodeTlsFragment({ messageBytes: null, hasMore: false, isStart: true, data })],
    ['a length above', (data) => encodeTlsFragment({ messageBytes: 9999, hasMore: false, isStart: false, data })],
    [
      'a length of 4 GB',
      (data) => encodeTlsFragment({ messageBytes: 2 ** 32 - 1, hasMore: true, isStart: false, data }),
    ],
    ['no length and more', (data) => encodeTlsFragment({ messageBytes: null, hasMore: true, isStart: false, data })],
    ['no flags', () => new Uint8Array(0)],
    [
      'half a record',
      (data) => encodeTlsFragment({ messageBytes: null, hasMore: false, isStart: false, data: data.subarray(0, 40) }),
    ],
  ])('%s in the first flight ends it', async (_, make) => {
    const { server, identifier, hello } = await begun()
    const step = await server.next(encodeEap({ kind: 'response', identifier, type: EAP_TYPE.TLS, data: make(hello) }))
    expect(step.outcome).toBe('failure')
  })

  it('without end come to one', async () => {
    const { server, identifier } = await begun()
    let step = await server.next(piece(identifier, 16_000))
    let rounds = 1
    while (step.outcome === 'continue') {
      const message = messageOf(step)
      expect([...message.data]).toEqual([0])
      step = await server.next(piece(message.identifier, null))
      rounds += 1
    }
    expect(step).toMatchObject({ reason: 'bounds' })
    expect(rounds).toBe(129)
  })

  function piece(identifier: number, messageBytes: number | null): Uint8Array {
    const data = encodeTlsFragment({ messageBytes, hasMore: true, isStart: false, data: new Uint8Array(9).fill(22) })
    return encodeEap({ kind: 'response', identifier, type: EAP_TYPE.TLS, data })
  }
})

it.each([0, 22, 0x55, 0xff])('TLS that is nothing but octets %i ends it', async (octet) => {
  const server = authenticator()
  const { identifier } = messageOf(await server.next(null))
  const step = await server.next(flight(identifier, new Uint8Array(64).fill(octet)))
  const end = step.outcome === 'continue' ? await server.next(flight(step.packet[1]!, new Uint8Array(0))) : step
  expect(end.outcome).toBe('failure')
})

it('two conversations at once share nothing', async () => {
  const method = createTlsMethod({ certificate: gateway, verifyChain })
  const make = (): EapAuthenticator =>
    createEapAuthenticator({ methods: [method], askIdentity: true, claimedIdentity: null, rng })
  const ends = await Promise.all(VERSIONS.concat(VERSIONS).map((version) => converse(make(), device({ version }))))
  const msks = ends.map(({ answer }) => (answer.outcome === 'success' ? toHex(answer.msk) : ''))
  expect(new Set(msks).size).toBe(4)
  expect(msks).not.toContain('')
})

describe('close', () => {
  it('ends a verification under way, and nothing comes of it', async () => {
    const gate = Promise.withResolvers<{ subject: string }>()
    const asked = Promise.withResolvers<void>()
    const server = authenticator({ verifyChain: () => (asked.resolve(), gate.promise) })
    const ending = converse(server, device())
    await asked.promise
    server.close()
    const { steps } = await ending
    expect(steps.at(-1)).toMatchObject({ outcome: 'failure', reason: 'closed' })
    gate.resolve({ subject: 'late' })
    expect((await server.next(null)).outcome).toBe('failure')
  })

  it.each([0, 1, 2, 3])('is safe after round %i', async (rounds) => {
    const [server, peer] = [authenticator(), device()]
    let packet: Uint8Array | null = null
    for (let round = 0; round < rounds; round++) {
      const answer: EapPeerAnswer = await peer.next((await server.next(packet)).packet)
      packet = answer.outcome === 'continue' ? answer.packet : null
    }
    server.close()
    peer.close()
    server.close()
    expect((await server.next(packet)).outcome).toBe('failure')
  })
})

function isAcknowledgement(packet: Uint8Array): boolean {
  return packet.length === 6 && packet[5] === 0
}

function flagsOf(steps: readonly EapStep[]): (number | undefined)[] {
  return steps.map(({ packet }) => packet[5])
}

function messageOf(step: EapStep): EapMessage {
  const result = step.outcome === 'continue' ? decodeEap(step.packet) : null
  if (!result?.ok || !('type' in result.value)) throw new Error('no message')
  return result.value
}

function withData(packet: Uint8Array, data: Uint8Array): Uint8Array {
  return encodeEap({ kind: 'response', identifier: packet[1]!, type: EAP_TYPE.TLS, data })
}

function flight(identifier: number, data: Uint8Array): Uint8Array {
  const typeData = encodeTlsFragment({ messageBytes: null, hasMore: false, isStart: false, data })
  return encodeEap({ kind: 'response', identifier, type: EAP_TYPE.TLS, data: typeData })
}

/** The first flight of a TLS client with these options. */
function clientHello(options: ConnectionOptions): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const pipe = new Duplex({ read: () => {}, write: (chunk: Uint8Array) => resolve(new Uint8Array(chunk)) })
    connect({ ...options, socket: pipe }).on('error', () => {})
  })
}

interface Handshake {
  readonly step: EapStep
  readonly session: Buffer
  readonly isReused: boolean
}

/** A TLS client that keeps its session, as one that wants to come back would. Its flights go in one piece each. */
async function handshake(server: EapAuthenticator, options: ConnectionOptions): Promise<Handshake> {
  let output: Uint8Array[] = []
  const pipe = new Duplex({
    read: () => {},
    write: (chunk: Uint8Array, _encoding, done) => {
      output.push(new Uint8Array(chunk))
      done()
    },
  })
  const { chain: cert, key } = deviceOne
  const socket = connect({ ...options, cert, key, socket: pipe, rejectUnauthorized: false })
  let session: Buffer = Buffer.alloc(0)
  socket.on('session', (given: Buffer) => (session = given))
  socket.resume()
  const isReused = new Promise<boolean>((resolve) =>
    socket.on('secureConnect', () => resolve(socket.isSessionReused())),
  )
  await vi.waitUntil(() => output.length > 0, { timeout: 20_000 })
  let step = await server.next(null)
  while (step.outcome === 'continue') {
    const { identifier, data } = messageOf(step)
    const fragment = decodeTlsFragment(data)
    const incoming = fragment.ok ? fragment.value : null
    if (incoming !== null && incoming.data.length > 0) pipe.push(incoming.data)
    for (let turn = 0; turn < 5; turn++) await new Promise((next) => setImmediate(next))
    const said = incoming?.hasMore ? new Uint8Array(0) : concatBytes(...output)
    if (!incoming?.hasMore) output = []
    step = await server.next(flight(identifier, said))
  }
  return { step, session, isReused: await isReused }
}
