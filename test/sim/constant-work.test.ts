/**
 * The work of one step does not grow with the number of IKE SAs: an endpoint that serves 400 devices executes as many blocks of
 * code for a datagram, a command or a wake as one that serves 25, but for the depth of the timer heap.
 *
 * Counted are the blocks that V8 executed in the sources of the core, every turn of every loop among them. No time is measured.
 */
import { Session } from 'node:inspector'
import type { Effect, IkeEndpoint, Input, StepResult } from '@culvert/ikev2'
import {
  type AttachmentKey,
  createEndpoint,
  defaultEspSuites,
  defaultIkeSuites,
  type Env,
  type EndpointConfig,
  type IkeSpi,
  type Spi,
} from '@culvert/ikev2'
import { opensslProvider } from '@culvert/crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seededRandom } from '../fuzz/random.ts'
import { fqdn, selectors, TIMING } from './node.ts'
import { grantEverything, PSK } from './pair.ts'

const FEW = 25
const MANY = 400
/** The heap is four levels deeper; a level is some blocks. */
const HEAP_BLOCKS = 120
const HOUR_MS = 3_600_000

const session = new Session()

beforeAll(() => {
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
})

afterAll(() => {
  session.post('Profiler.stopPreciseCoverage')
  session.disconnect()
})

/** Executed blocks of the core's sources since the last call. */
function takeBlocks(): number {
  let blocks = 0
  session.post('Profiler.takePreciseCoverage', (error, taken) => {
    if (error !== null) throw error
    for (const { url, functions } of taken.result) {
      if (!url.includes('/packages/ikev2/src/')) continue
      for (const { ranges } of functions) for (const { count } of ranges) blocks += count
    }
  })
  return blocks
}

class Fleet {
  readonly concentrator = createEndpoint(config('con.test', { livenessMs: HOUR_MS }))
  readonly keys: AttachmentKey[] = []
  readonly #devices = createEndpoint(config('dev.test', {}))
  readonly #random = seededRandom(7)
  readonly #deviceKeys: AttachmentKey[] = []
  #nowMs = 0
  #next = 1

  constructor(size: number) {
    for (let index = 0; index < size; index += 1) this.#attach(index)
  }

  step(endpoint: IkeEndpoint, input: Input): StepResult {
    return endpoint.step(input, this.#env())
  }

  /** A liveness check of a device, as it leaves it; of another one each time. */
  livenessRequest(): Input {
    const key = this.#deviceKeys.splice(this.#deviceKeys.length >> 1, 1)[0]
    if (key === undefined) throw new Error('there are devices')
    const { effects } = this.step(this.#devices, { kind: 'command', command: { kind: 'checkLiveness', key } })
    const [request] = effects.flatMap((effect) => toDatagram(effect))
    if (request === undefined) throw new Error('it sends a request')
    return request
  }

  /** Moves the clock to where exactly the first device is due. */
  forwardToFirstWake(): void {
    this.#nowMs = this.step(this.concentrator, { kind: 'wake' }).wakeAtMs ?? 0
  }

  forwardBy(durationMs: number): void {
    this.#nowMs += durationMs
  }

  newRequest(): Input {
    const { effects } = this.#initiate(9_999)
    const [request] = effects.flatMap((effect) => toDatagram(effect))
    if (request === undefined) throw new Error('it sends a request')
    return request
  }

  #attach(index: number): void {
    this.#nowMs += 1_000
    const queue = this.#initiate(index).effects.flatMap((effect) => toDatagram(effect))
    for (let turn = 0; queue.length > 0; turn += 1) {
      const input = queue.shift()
      if (input === undefined) return
      const isForConcentrator = turn % 2 === 0
      const endpoint = isForConcentrator ? this.concentrator : this.#devices
      queue.push(...this.#settled(endpoint, input))
    }
  }

  /** All datagrams of a step and of the answers to its questions. */
  #settled(endpoint: IkeEndpoint, input: Input): Input[] {
    return this.step(endpoint, input).effects.flatMap((effect) => {
      if (effect.kind === 'ask') {
        const answer = grantEverything(effect.question)
        return this.#settled(endpoint, { kind: 'answer', ticket: effect.ticket, answer })
      }
      if (effect.kind === 'event' && effect.event.kind === 'established') {
        const keys = endpoint === this.concentrator ? this.keys : this.#deviceKeys
        keys.push(effect.event.key)
      }
      return toDatagram(effect)
    })
  }

  #initiate(index: number): StepResult {
    const local = { address: `198.51.${index >> 8}.${index & 255}`, port: 500 }
    const peer = {
      path: { local, remote: { address: '203.0.113.1', port: 500 } },
      localId: fqdn('dev.test'),
      remoteId: fqdn('con.test'),
      proof: { kind: 'psk' as const, secret: PSK },
      tsLocal: selectors('0.0.0.0/0'),
      tsRemote: selectors('0.0.0.0/0'),
      requestAddress: { ip4: true, ip6: false },
      label: 'dev',
    }
    return this.step(this.#devices, { kind: 'command', command: { kind: 'initiate', peer } })
  }

  #env(): Env {
    return {
      nowMs: this.#nowMs,
      rng: this.#random.bytes,
      crypto: opensslProvider,
      incarnation: 1,
      allocateIkeSpi: () => (this.#next++).toString(16).padStart(16, '0') as IkeSpi,
      allocateChildSpi: () => (this.#next++ + 4_096) as Spi,
    }
  }
}

function config(name: string, timing: Partial<EndpointConfig['timing']>): EndpointConfig {
  return {
    localId: fqdn(name),
    proposals: { ike: defaultIkeSuites, esp: defaultEspSuites },
    cookieThreshold: 1_000,
    maxHalfOpen: 2_000,
    maxIkeSas: 10_000,
    fragmentBytes: 1_280,
    forceUdpEncap: false,
    timing: { ...TIMING, ...timing },
  }
}

function toDatagram(effect: Effect): Input[] {
  if (effect.kind !== 'send') return []
  const { local, remote } = effect.path
  return [{ kind: 'datagram', bytes: effect.bytes, path: { local: remote, remote: local } }]
}

describe('the work of one step is the same for many devices as for few', () => {
  const cases: readonly (readonly [string, (fleet: Fleet) => Input])[] = [
    ['a request of an attached device', (fleet) => fleet.livenessRequest()],
    ['an IKE_SA_INIT request', (fleet) => fleet.newRequest()],
    [
      'a datagram for nobody',
      (fleet) => {
        const request = fleet.livenessRequest()
        if (request.kind !== 'datagram') throw new Error('it is one')
        const bytes = request.bytes.slice()
        bytes.fill(0x55, 0, 16)
        return { ...request, bytes }
      },
    ],
    [
      'a wake for one of them',
      (fleet) => {
        fleet.forwardToFirstWake()
        return { kind: 'wake' }
      },
    ],
    [
      'news of inbound traffic',
      ({ keys }) => ({ kind: 'command', command: { kind: 'inboundTraffic', key: keys[5] ?? keyless() } }),
    ],
  ]

  const fleets: Fleet[] = []
  beforeAll(() => {
    fleets.push(new Fleet(FEW), new Fleet(MANY))
  }, 120_000)

  test('(the fleets are as large as they should be)', () => {
    expect(fleets.map(({ concentrator }) => concentrator.size.established)).toEqual([FEW, MANY])
  })

  test.each(cases)('%s', (_name, prepare) => {
    const [few = 0, many = 0] = fleets.map((fleet) => {
      const input = prepare(fleet)
      takeBlocks()
      fleet.step(fleet.concentrator, input)
      return takeBlocks()
    })
    expect(few).toBeGreaterThan(10)
    expect(many).toBeLessThan(few + HEAP_BLOCKS)
  })
})

function keyless(): never {
  throw new Error('there are more devices')
}

test('a wake serves a bounded number of IKE SAs, and the rest at once afterwards', () => {
  const fleet = new Fleet(MANY)
  const { wakeAtMs } = fleet.step(fleet.concentrator, { kind: 'wake' })
  expect(wakeAtMs).not.toBeNull()
  fleet.forwardBy(2 * HOUR_MS)
  const served: number[] = []
  for (let total = 0; total < MANY; total = served.reduce((sum, count) => sum + count, 0)) {
    const result = fleet.step(fleet.concentrator, { kind: 'wake' })
    served.push(result.effects.filter(({ kind }) => kind === 'send').length)
    expect(served.length).toBeLessThan(20)
  }
  expect(Math.max(...served)).toBeLessThanOrEqual(64)
})
