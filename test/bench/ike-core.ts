/**
 * The IKE core alone: two endpoints in this process, no socket, no data plane. Handshakes go through in waves, so that what the
 * responder spends can be told from what the initiators spend.
 */
import type { CryptoProvider, Rng } from '@culvert/crypto'
import { createSystemRng } from '@culvert/ike-driver'
import {
  createEndpoint,
  defaultEspSuites,
  defaultIkeSuites,
  fromCidr,
  ID_TYPE,
  type Answer,
  type Effect,
  type EndpointConfig,
  type Env,
  type Identity,
  type IkeSpi,
  type Input,
  type Path,
  type Question,
  type Spi,
  type TrafficSelector,
} from '@culvert/ikev2'

const SECRET = new TextEncoder().encode('secret of the bench')
const NEAR = '192.0.2.1'
const FAR = '192.0.2.11'
/** Handshakes under way at once; fewer than one source may hold. */
const WAVE = 200

/** @returns CPU microseconds of the responder per handshake; each run is `handshakes` of them with fresh endpoints. */
export function measureCore(crypto: CryptoProvider, handshakes: number): number {
  const pair = createPair(crypto)
  let cpuUs = 0
  for (let done = 0; done < handshakes; done += WAVE) cpuUs += pair.wave(Math.min(WAVE, handshakes - done))
  if (pair.established !== handshakes) throw new Error(`${pair.established} of ${handshakes} were established`)
  return cpuUs / handshakes
}

/** The IKE_SA_INIT request of a device. */
export function firstMessage(crypto: CryptoProvider, rng: Rng): Uint8Array {
  const [first] = createEnd(crypto, rng).take(initiate('device-0'))
  if (first === undefined) throw new Error('no message')
  return first.bytes
}

interface Pair {
  readonly established: number
  /** Lets that many more devices attach. @returns CPU microseconds of the responder. */
  wave(devices: number): number
}

function createPair(crypto: CryptoProvider): Pair {
  const initiator = createEnd(crypto)
  const responder = createEnd(crypto)
  let devices = 0
  let established = 0

  /** Lets one end deal with what was sent to it. @returns what it sends. */
  function deal(end: End, inbox: readonly Sent[], from: string, to: string): Sent[] {
    const outbox: Sent[] = []
    for (const { bytes, path } of inbox) {
      const turned: Path = {
        local: { address: to, port: path.remote.port },
        remote: { address: from, port: path.local.port },
      }
      outbox.push(...end.take({ kind: 'datagram', bytes, path: turned }))
    }
    return outbox
  }

  return {
    get established() {
      return established
    },
    wave(count) {
      const requests: Sent[] = []
      for (let index = 0; index < count; index++) requests.push(...initiator.take(initiate(`device-${devices++}`)))
      const [initResponses, initCpuUs] = timed(() => deal(responder, requests, FAR, NEAR))
      const authRequests = deal(initiator, initResponses, NEAR, FAR)
      const [authResponses, authCpuUs] = timed(() => deal(responder, authRequests, FAR, NEAR))
      deal(initiator, authResponses, NEAR, FAR)
      established = initiator.established
      return initCpuUs + authCpuUs
    },
  }
}

function timed<T>(work: () => T): [T, number] {
  const before = process.cpuUsage()
  const result = work()
  const { user, system } = process.cpuUsage(before)
  return [result, user + system]
}

interface Sent {
  readonly bytes: Uint8Array
  readonly path: Path
}

interface End {
  readonly established: number
  take(input: Input): Sent[]
}

function createEnd(crypto: CryptoProvider, rng: Rng = createSystemRng()): End {
  const endpoint = createEndpoint(CONFIG)
  let ikeSpis = 1n
  let childSpis = 0x0100_0000
  const env: Omit<Env, 'nowMs'> = {
    rng,
    crypto,
    incarnation: 7,
    allocateIkeSpi: () => (ikeSpis++).toString(16).padStart(16, '0') as IkeSpi,
    allocateChildSpi: () => childSpis++ as Spi,
  }
  function take(input: Input): Sent[] {
    const { effects } = endpoint.step(input, { ...env, nowMs: performance.now() })
    return effects.flatMap(apply)
  }
  function apply(effect: Effect): Sent[] {
    if (effect.kind === 'ask') return take({ kind: 'answer', ticket: effect.ticket, answer: answer(effect.question) })
    return effect.kind === 'send' ? [effect] : []
  }
  return {
    get established() {
      return endpoint.size.established
    },
    take,
  }
}

function answer(question: Question): Answer {
  if (question.kind === 'credential') {
    const subject = new TextDecoder().decode(question.idI.data)
    return { kind: 'credential', found: { subject, candidates: [{ kind: 'psk', id: 'one', secret: SECRET }] } }
  }
  if (question.kind !== 'attach') throw new Error(`nobody should ask ${question.kind}`)
  const index = Number(question.subject.slice('device-'.length))
  const ip4 = `10.${64 + (index >>> 16)}.${(index >>> 8) & 255}.${index & 255}`
  return {
    kind: 'attach',
    grant: { ip4, ip6: null, dns4: [], tsLocal: SERVICE, tsRemote: selectors(`${ip4}/32`), replaces: [] },
  }
}

function initiate(label: string): Input {
  return {
    kind: 'command',
    command: {
      kind: 'initiate',
      peer: {
        path: { local: { address: FAR, port: 500 }, remote: { address: NEAR, port: 500 } },
        localId: fqdn(label),
        remoteId: CONFIG.localId,
        proof: { kind: 'psk', secret: SECRET },
        tsLocal: selectors('0.0.0.0/0'),
        tsRemote: SERVICE,
        requestAddress: { ip4: true, ip6: false },
        label,
      },
    },
  }
}

function fqdn(name: string): Identity {
  return { type: ID_TYPE.FQDN, data: new TextEncoder().encode(name) }
}

function selectors(cidr: string): TrafficSelector[] {
  const selector = fromCidr(cidr)
  if (selector === null) throw new Error(`not a prefix: ${cidr}`)
  return [selector]
}

const SERVICE = selectors('10.127.0.0/24')

const CONFIG: EndpointConfig = {
  localId: fqdn('concentrator.example'),
  proposals: { ike: defaultIkeSuites, esp: defaultEspSuites },
  cookieThreshold: 1000,
  maxHalfOpen: 2000,
  maxIkeSas: 100_000,
  fragmentBytes: 1280,
  timing: {
    livenessMs: 30_000,
    retransmit: { firstMs: 4000, factor: 1.8, tries: 5 },
    halfOpenMs: 30_000,
    ikeRekeyMs: 4 * 3_600_000,
    childRekeyMs: 3_600_000,
    natKeepaliveMs: 0,
  },
}
