/**
 * The usual scene: a concentrator and a device that knows its secret, in one network.
 */
import type { Answer, InitiatorConfig, Question } from '@culvert/ikev2'
import type { Nat } from './nat.ts'
import { Network } from './network.ts'
import { fqdn, Node, type Overrides, selectors } from './node.ts'
import { Transcript } from './transcript.ts'

export const PSK = new TextEncoder().encode('correct horse battery staple')
export const DIAL = '10.127.0.1/32'
export const DEVICE_ADDRESS = '10.128.0.5'

export interface PairOptions {
  readonly seed?: number
  readonly device?: Overrides
  readonly concentrator?: Overrides
  readonly behindNat?: (network: Network) => Nat
}

export interface Pair {
  readonly network: Network
  readonly transcript: Transcript
  readonly device: Node
  readonly concentrator: Node
}

export function createPair(options: PairOptions = {}): Pair {
  const network = new Network(options.seed ?? 1)
  const transcript = new Transcript()
  const nat = options.behindNat?.(network)
  const device = new Node(network, {
    name: 'dev',
    address: nat === undefined ? '198.51.100.7' : '192.168.1.7',
    transcript,
    ...(nat === undefined ? {} : { nat }),
    ...(options.device === undefined ? {} : { config: options.device }),
  })
  const concentrator = new Node(network, {
    name: 'con',
    address: '203.0.113.1',
    transcript,
    ...(options.concentrator === undefined ? {} : { config: options.concentrator }),
  })
  concentrator.answerTo = grantEverything
  return { network, transcript, device, concentrator }
}

/** Every identity has the same secret and gets the same address. */
export function grantEverything(question: Question): Answer {
  if (question.kind === 'credential') {
    const subject = new TextDecoder().decode(question.idI.data)
    return { kind: 'credential', found: { subject, candidates: [{ kind: 'psk', id: 'crd_1', secret: PSK }] } }
  }
  return {
    kind: 'attach',
    grant: {
      ip4: DEVICE_ADDRESS,
      ip6: null,
      dns4: ['10.127.0.53'],
      tsLocal: selectors(DIAL),
      tsRemote: selectors(DEVICE_ADDRESS),
      replaces: [],
    },
  }
}

export function initiatorConfig(
  device: Node,
  concentrator: Node,
  change: Partial<InitiatorConfig> = {},
): InitiatorConfig {
  return {
    path: {
      local: { address: device.address, port: 500 },
      remote: { address: concentrator.address, port: 500 },
    },
    localId: fqdn('dev.test'),
    remoteId: fqdn('con.test'),
    proof: { kind: 'psk', secret: PSK },
    tsLocal: selectors('0.0.0.0/0'),
    tsRemote: selectors('0.0.0.0/0'),
    requestAddress: { ip4: true, ip6: false },
    label: 'dev',
    ...change,
  }
}

export function initiate({ device, concentrator }: Pair, change: Partial<InitiatorConfig> = {}): void {
  device.command({ kind: 'initiate', peer: initiatorConfig(device, concentrator, change) })
}

/** A pair that is attached; its transcript is empty. */
export function attachedPair(options: PairOptions = {}): Pair {
  const pair = createPair(options)
  initiate(pair)
  pair.network.runUntil(() => pair.device.eventsOf('established').length === 1)
  pair.network.run(100)
  pair.transcript.take()
  return pair
}
