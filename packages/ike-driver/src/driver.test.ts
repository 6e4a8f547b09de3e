import { createIkeSpiAllocator, selectorOf } from '@culvert/concentrator-core'
import type { DataPlane } from '@culvert/dataplane'
import { SpiAllocator } from '@culvert/esp'
import {
  createEndpoint,
  defaultEspSuites,
  defaultIkeSuites,
  type Answer,
  type EndpointConfig,
  type IkeEvent,
  type Path,
  type Question,
  type SocketAddress,
} from '@culvert/ikev2'
import { expect, it, vi } from 'vitest'
import { createIkeDriver, createSystemRng, type IkeDriver } from './index.ts'

const PSK = new TextEncoder().encode('a secret of this test, long enough to be one')
const DEVICE: SocketAddress = { address: '192.0.2.11', port: 4500 }
const CONCENTRATOR: SocketAddress = { address: '192.0.2.1', port: 4500 }
const rng = createSystemRng()
const fqdn = (name: string): { type: number; data: Uint8Array } => ({ type: 2, data: new TextEncoder().encode(name) })

interface Side {
  readonly driver: IkeDriver
  readonly events: IkeEvent[]
  readonly installed: number[]
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
  const sent: Uint8Array[] = []
  const childSpis = new SpiAllocator(slot, 8)
  const dataPlane = {
    install: async ({ spiIn }: { spiIn: number }) => {
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
    rng,
    incarnation: 1,
    ikeSpis: createIkeSpiAllocator(slot, rng),
    childSpis,
    handlers: {
      answer,
      onEvent: (event) => void events.push(event),
      onError: (error) => expect.unreachable(String(error)),
    },
  })
  const side: Side = { driver, events, installed, sent, childSpis, deliver: () => {} }
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
      psk: PSK,
      tsLocal: [selectorOf('0.0.0.0/0')],
      tsRemote: [selectorOf('10.127.0.0/24')],
      requestAddress: { ip4: true, ip6: false },
      label: 'test',
    },
  })
}

async function admit(question: Question): Promise<Answer> {
  if (question.kind === 'credential')
    return { kind: 'credential', found: { subject: 'dev_a', psks: [Uint8Array.from(PSK)] } }
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

it('attaches two drivers, and the response leaves only after the data plane can receive (RFC 7296 2.8)', async () => {
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
  await vi.waitFor(() => expect(device.sent).toHaveLength(2))
  await new Promise((done) => setImmediate(() => setImmediate(done)))
  expect(concentrator.sent).toHaveLength(1)
  gate.resolve()
  await vi.waitFor(() => expect(device.events.map(({ kind }) => kind)).toContain('established'))
  expect(concentrator.installed).toHaveLength(1)
  expect(device.installed).toHaveLength(1)

  const established = device.events.find((event) => event.kind === 'established')
  expect(established).toMatchObject({ ip4: '10.128.0.10' })
  if (established?.kind !== 'established') return
  device.driver.command({ kind: 'deleteIke', key: established.key, reason: 'deletedLocally' })
  await vi.waitFor(() => expect(device.events.at(-1)).toMatchObject({ kind: 'closed', reason: 'deletedLocally' }))
  await vi.waitFor(() => expect(concentrator.events.at(-1)).toMatchObject({ kind: 'closed', reason: 'deletedByPeer' }))
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
  await vi.waitFor(() => expect(asked).toEqual(['credential']))
  await new Promise((done) => setImmediate(() => setImmediate(done)))
  expect(concentrator.sent).toHaveLength(1)
  expect(device.events).toEqual([])
  device.driver.close()
  concentrator.driver.close()
})
