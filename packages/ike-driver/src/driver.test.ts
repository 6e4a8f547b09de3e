import { createIkeSpiAllocator, selectorOf } from '@culvert/concentrator-core'
import { opensslProvider } from '@culvert/crypto'
import type { DataPlane } from '@culvert/dataplane'
import { composeSpi, SpiAllocator } from '@culvert/esp'
import {
  createEndpoint,
  defaultEspSuites,
  defaultIkeSuites,
  type Answer,
  type AttachmentKey,
  type ChildSaDescription,
  type Effect,
  type EndpointConfig,
  type IkeEndpoint,
  type IkeEvent,
  type Input,
  type Path,
  type Question,
  type SocketAddress,
  type Spi,
} from '@culvert/ikev2'
import { expect, it, vi } from 'vitest'
import { createIkeDriver, createSystemRng, type IkeDriver } from './index.ts'

const until = (probe: () => void): Promise<void> => vi.waitFor(probe, { timeout: 30_000, interval: 10 })

const PSK = new TextEncoder().encode('a secret of this test, long enough to be one')
const DEVICE: SocketAddress = { address: '192.0.2.11', port: 4500 }
const CONCENTRATOR: SocketAddress = { address: '192.0.2.1', port: 4500 }
const rng = createSystemRng()
const fqdn = (name: string): { type: number; data: Uint8Array } => ({ type: 2, data: new TextEncoder().encode(name) })

interface Side {
  readonly driver: IkeDriver
  readonly events: IkeEvent[]
  readonly installed: number[]
  /** Whose SAs the data plane was told they are. */
  readonly placements: unknown[]
  readonly sent: Uint8Array[]
  readonly childSpis: SpiAllocator
  /** Where datagrams of this side go. */
  deliver: (bytes: Uint8Array) => void
}

/** One side on a data plane that remembers what it was told; `install` resolves when the test says so. */
function makeSide(
  name: string,
  slot: number,
  answer: (question: Question) => Promise<Answer | null>,
  ready: () => Promise<void>,
): Side {
  const config: EndpointConfig = {
    localId: fqdn(name),
    proposals: { ike: defaultIkeSuites, esp: defaultEspSuites },
    cookieThreshold: 100,
    maxHalfOpen: 100,
    maxIkeSas: 100,
    fragmentBytes: 1280,
    timing: {
      livenessMs: 60_000,
      retransmit: { firstMs: 20_000, factor: 2, tries: 3 },
      halfOpenMs: 30_000,
      ikeRekeyMs: 0,
      childRekeyMs: 0,
      natKeepaliveMs: 0,
    },
  }
  const events: IkeEvent[] = []
  const installed: number[] = []
  const placements: unknown[] = []
  const sent: Uint8Array[] = []
  const childSpis = new SpiAllocator(slot, 8)
  const dataPlane = {
    install: async ({ spiIn }: { spiIn: number }, placement: unknown) => {
      placements.push(placement)
      await ready()
      installed.push(spiIn)
    },
    activateOutbound: () => {},
    move: () => {},
    remove: (spiIn: number) => void installed.splice(installed.indexOf(spiIn), 1),
    sendKeepalive: () => {},
    sendIke: (bytes: Uint8Array) => {
      sent.push(bytes)
      side.deliver(bytes)
    },
  } as unknown as DataPlane
  const driver = createIkeDriver({
    endpoint: createEndpoint(config),
    dataPlane,
    espPort: 4500,
    sendPlain: null,
    crypto: opensslProvider,
    rng,
    incarnation: 1,
    ikeSpis: createIkeSpiAllocator(slot, rng),
    childSpis,
    handlers: {
      answer,
      ...(slot === 255 ? {} : { placementOf: (key) => ({ subject: key, addresses: ['10.128.0.10'] }) }),
      onEvent: (event) => void events.push(event),
      onError: (error) => expect.unreachable(String(error)),
    },
  })
  const side: Side = { driver, events, installed, placements, sent, childSpis, deliver: () => {} }
  return side
}

function connect(device: Side, concentrator: Side): void {
  const later = (side: Side, path: Path) => (bytes: Uint8Array) =>
    void setImmediate(() => side.driver.datagram(bytes, path))
  device.deliver = later(concentrator, { local: CONCENTRATOR, remote: DEVICE })
  concentrator.deliver = later(device, { local: DEVICE, remote: CONCENTRATOR })
}

function initiate(device: Side): void {
  device.driver.command({
    kind: 'initiate',
    peer: {
      path: { local: DEVICE, remote: CONCENTRATOR },
      localId: fqdn('device.example'),
      remoteId: fqdn('concentrator.example'),
      proof: { kind: 'psk', secret: PSK },
      tsLocal: [selectorOf('0.0.0.0/0')],
      tsRemote: [selectorOf('10.127.0.0/24')],
      requestAddress: { ip4: true, ip6: false },
      label: 'test',
    },
  })
}

async function admit(question: Question): Promise<Answer> {
  if (question.kind === 'credential')
    return {
      kind: 'credential',
      found: { subject: 'dev_a', candidates: [{ kind: 'psk', id: 'crd_a', secret: Uint8Array.from(PSK) }] },
    }
  const grant = {
    ip4: '10.128.0.10',
    ip6: null,
    dns4: [],
    tsLocal: [selectorOf('10.127.0.0/24')],
    tsRemote: [selectorOf('10.128.0.10')],
    replaces: [],
  }
  return { kind: 'attach', grant }
}

it('C43 attaches two drivers, and the response leaves only after the data plane can receive (RFC 7296 2.8)', async () => {
  const gate = Promise.withResolvers<void>()
  const device = makeSide(
    'device.example',
    255,
    async () => null,
    async () => {},
  )
  const concentrator = makeSide('concentrator.example', 1, admit, () => gate.promise)
  connect(device, concentrator)
  initiate(device)
  await until(() => expect(device.sent).toHaveLength(2))
  await new Promise((done) => setImmediate(() => setImmediate(done)))
  expect(concentrator.sent).toHaveLength(1)
  gate.resolve()
  await until(() => expect(device.events.map(({ kind }) => kind)).toContain('established'))
  expect(concentrator.installed).toHaveLength(1)
  expect(device.installed).toHaveLength(1)

  const established = device.events.find((event) => event.kind === 'established')
  expect(established).toMatchObject({ ip4: '10.128.0.10' })
  const key = concentrator.events.flatMap((event) => (event.kind === 'established' ? [event.key] : []))[0]
  expect(concentrator.placements).toEqual([{ subject: key, addresses: ['10.128.0.10'] }])
  expect(device.placements).toEqual([null])
  if (established?.kind !== 'established') return
  device.driver.command({ kind: 'deleteIke', key: established.key, reason: 'deletedLocally' })
  await until(() => expect(device.events.at(-1)).toMatchObject({ kind: 'closed', reason: 'deletedLocally' }))
  await until(() => expect(concentrator.events.at(-1)).toMatchObject({ kind: 'closed', reason: 'deletedByPeer' }))
  expect([device.installed, concentrator.installed]).toEqual([[], []])
  expect([device.childSpis.size, concentrator.childSpis.size]).toEqual([0, 0])
  device.driver.close()
  concentrator.driver.close()
})

it('leaves a question without an answer unanswered: the peer hears nothing and nothing breaks', async () => {
  const device = makeSide(
    'device.example',
    255,
    async () => null,
    async () => {},
  )
  const asked: string[] = []
  const concentrator = makeSide(
    'concentrator.example',
    1,
    async (question) => {
      asked.push(question.kind)
      return null
    },
    async () => {},
  )
  connect(device, concentrator)
  initiate(device)
  await until(() => expect(asked).toEqual(['credential']))
  await new Promise((done) => setImmediate(() => setImmediate(done)))
  expect(concentrator.sent).toHaveLength(1)
  expect(device.events).toEqual([])
  device.driver.close()
  concentrator.driver.close()
})

/** A core that answers each input with what the test has prepared; records what it was given. */
function scripted(options: {
  install?: () => Promise<void>
  answer?: (question: Question) => Promise<Answer | null>
  onEvent?: (event: IkeEvent) => void
}): { driver: IkeDriver; next: Effect[][]; inputs: Input[]; told: string[]; errors: unknown[] } {
  const next: Effect[][] = []
  const inputs: Input[] = []
  const told: string[] = []
  const errors: unknown[] = []
  const endpoint: IkeEndpoint = {
    size: { established: 0, halfOpen: 0 },
    tableSizes: { ikeSas: 0, attachments: 0, asks: 0, timers: 0 },
    step(input) {
      inputs.push(input)
      const effects = next.shift()
      if (effects === undefined) throw new Error('a bug of the core')
      return { effects, wakeAtMs: null }
    },
  }
  const dataPlane = {
    install: options.install ?? (async () => {}),
    move: (spiIn: number, path: Path, findings: object) =>
      void told.push(`move ${spiIn} ${path.remote.port} ${JSON.stringify(findings)}`),
    remove: (spiIn: number) => void told.push(`remove ${spiIn}`),
    sendIke: (bytes: Uint8Array) => void told.push(`send ${bytes[0]}`),
  } as unknown as DataPlane
  const driver = createIkeDriver({
    endpoint,
    dataPlane,
    espPort: 4500,
    sendPlain: null,
    crypto: opensslProvider,
    rng,
    incarnation: 1,
    ikeSpis: createIkeSpiAllocator(1, rng),
    childSpis: new SpiAllocator(1, 8),
    handlers: {
      answer: options.answer ?? (async () => null),
      onEvent(event) {
        told.push('key' in event ? `${event.kind} ${event.key}` : event.kind)
        options.onEvent?.(event)
      },
      onError: (error) => void errors.push(error),
    },
  })
  return { driver, next, inputs, told, errors }
}

const A = 1 as AttachmentKey
const B = 2 as AttachmentKey
const spi = (index: number): Spi => composeSpi(1, index, 0)
const install = (key: AttachmentKey, index: number): Effect => ({
  kind: 'installChildSa',
  key,
  child: { spiIn: spi(index) } as ChildSaDescription,
})
const remove = (key: AttachmentKey, index: number): Effect => ({ kind: 'removeChildSa', key, spiIn: spi(index) })
const send = (first: number): Effect => ({
  kind: 'send',
  bytes: Uint8Array.of(first),
  path: { local: CONCENTRATOR, remote: DEVICE },
})
const event = (kind: 'established' | 'closed', key: AttachmentKey): Effect => ({
  kind: 'event',
  event: { kind, key, subject: 'dev_a', reason: 'deletedByPeer' } as unknown as IkeEvent,
})
const anyInput = { kind: 'checkLiveness', key: A } as const

it('C66 deletes a Child SA that is past its hard limit, and nothing for an SPI that nobody holds', async () => {
  const { driver, next, inputs } = scripted({})
  next.push([install(A, 0)], [])
  driver.command(anyInput)
  await Promise.resolve()
  driver.hardLimit(spi(0))
  driver.hardLimit(spi(1))
  expect(inputs.slice(1)).toEqual([{ kind: 'command', command: { kind: 'deleteChild', key: A, spiIn: spi(0) } }])
  driver.close()
})

it('RFC 7296 2.23 tells the data plane whether the address that an SA moves to is confirmed', () => {
  const { driver, next, told } = scripted({})
  const move = (isConfirmed: boolean): Effect => ({
    kind: 'moveChildSa',
    key: A,
    spiIn: spi(0),
    path: { local: CONCENTRATOR, remote: { ...DEVICE, port: 4501 } },
    isConfirmed,
    peerBehindNat: true,
    udpEncap: !isConfirmed,
  })
  next.push([move(false)], [move(true)])
  driver.command(anyInput)
  driver.command(anyInput)
  expect(told).toEqual([
    `move ${spi(0)} 4501 {"peerBehindNat":true,"isConfirmed":false,"udpEncap":true}`,
    `move ${spi(0)} 4501 {"peerBehindNat":true,"isConfirmed":true,"udpEncap":false}`,
  ])
  driver.close()
})

it('tells of the end of an attachment after its beginning, although the beginning waits for the data plane', async () => {
  const gate = Promise.withResolvers<void>()
  const { driver, next, told } = scripted({ install: () => gate.promise })
  next.push([install(A, 0), send(1), event('established', A)], [remove(A, 0), event('closed', A), send(2)])
  driver.command(anyInput)
  driver.command(anyInput)
  next.push([send(3), event('closed', B)])
  driver.command(anyInput)
  expect(told).toEqual(['send 3', 'closed 2'])
  gate.resolve()
  await until(() => expect(told).toHaveLength(7))
  expect(told.slice(2)).toEqual(['send 1', 'established 1', `remove ${spi(0)}`, 'closed 1', 'send 2'])
  driver.close()
})

it('applies what stands behind a refused install, for it may be about others, then ends the attachment', async () => {
  const { driver, next, inputs, told, errors } = scripted({ install: () => Promise.reject(new Error('no room')) })
  next.push([install(A, 0), event('established', A), remove(B, 1), event('closed', B)], [])
  driver.command(anyInput)
  await until(() => expect(inputs).toHaveLength(2))
  expect(told).toEqual(['established 1', `remove ${spi(1)}`, 'closed 2'])
  expect(inputs[1]).toMatchObject({ command: { kind: 'deleteIke', key: A, reason: 'protocolError' } })
  expect(errors).toHaveLength(1)
  driver.close()
})

it('takes an input that comes out of an event only after the effects of the one before', () => {
  const { driver, next, told } = scripted({
    onEvent: ({ kind }) => {
      if (kind === 'established') driver.command(anyInput)
    },
  })
  next.push([event('established', A), send(1)], [send(2)])
  driver.command(anyInput)
  expect(told).toEqual(['established 1', 'send 1', 'send 2'])
  driver.close()
})

it('asks once however often the peer repeats its request, and again after it stayed unanswered', async () => {
  const answers = [Promise.withResolvers<Answer | null>(), Promise.withResolvers<Answer | null>()]
  let calls = 0
  const { driver, next } = scripted({ answer: () => answers[calls++]?.promise ?? Promise.resolve(null) })
  const question = {
    kind: 'credential',
    idI: fqdn('a'),
    idR: null,
    path: { local: CONCENTRATOR, remote: DEVICE },
    proof: 'psk',
    certificates: [],
    eapOnly: false,
  } as const
  const ask: Effect = { kind: 'ask', ticket: 7, question }
  next.push([ask], [ask], [ask])
  driver.command(anyInput)
  driver.command(anyInput)
  expect(calls).toBe(1)
  answers[0]?.resolve(null)
  await new Promise((done) => setImmediate(done))
  driver.command(anyInput)
  expect(calls).toBe(2)
  driver.close()
})

it('survives a bug in the core or in a handler, and goes on', () => {
  const { driver, next, told, errors } = scripted({
    onEvent: () => {
      throw new Error('a bug of a handler')
    },
  })
  driver.command(anyInput)
  next.push([event('established', A), send(1)])
  driver.command(anyInput)
  expect(errors.map(String)).toEqual(['Error: a bug of the core', 'Error: a bug of a handler'])
  expect(told).toEqual(['established 1', 'send 1'])
  driver.close()
})

it('gives a revoked attachment no Child SA any more, and wipes its keys', () => {
  const installs: unknown[] = []
  const { driver, next, told } = scripted({ install: async () => void installs.push(1) })
  next.push([], [])
  driver.command({ kind: 'deleteIke', key: A, reason: 'revoked' })
  const key = (): Uint8Array => new Uint8Array(16).fill(7)
  const keys = { inboundKey: key(), outboundKey: key(), inboundIntegKey: key(), outboundIntegKey: key() }
  const child = { spiIn: spi(0), keys } as unknown as ChildSaDescription
  next[0]?.push({ kind: 'installChildSa', key: A, child }, event('closed', A), remove(A, 0))
  driver.command(anyInput)
  expect(installs).toEqual([])
  expect(told).toEqual(['closed 1', `remove ${spi(0)}`])
  expect(Object.values(keys).every((bytes) => bytes.every((octet) => octet === 0))).toBe(true)
  driver.close()
})
