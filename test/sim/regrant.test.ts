/**
 * A grant that grows while the device stays attached: offered in a rekey of the Child SA, whose selectors may be a superset of those in
 * use (RFC 7296 2.9.2).
 */
import type { Command, InitiatorConfig } from '@culvert/ikev2'
import { expect, test } from 'vitest'
import { type Node, selectors } from './node.ts'
import { createPair, DEVICE_ADDRESS, DIAL, initiate, type Pair } from './pair.ts'

const POOL = '10.128.0.0/20'
const LAN = '192.168.1.0/24'
const REKEY = 'con: CREATE_CHILD_SA request 0, SK {N(REKEY_SA), SA, N, KE, TSi, TSr}'

function attach(change: Partial<InitiatorConfig> = {}): Pair {
  const pair = createPair()
  initiate(pair, change)
  pair.network.runUntil(() => pair.device.eventsOf('established').length === 1)
  pair.network.run(100)
  pair.transcript.take()
  return pair
}

function regrant(node: Node, local: readonly string[], remote: readonly string[]): void {
  const grant = { tsLocal: local.flatMap((one) => selectors(one)), tsRemote: remote.flatMap((one) => selectors(one)) }
  node.command({ kind: 'regrant', key: node.key, ...grant } satisfies Command)
}
const regrantAll = ({ concentrator }: Pair): void => regrant(concentrator, [DIAL, POOL], [DEVICE_ADDRESS, LAN])

const expectSelectors = (node: Node, local: readonly string[], remote: readonly string[]): void => {
  expect(node.child.tsLocal).toEqual(local.flatMap((one) => selectors(one)))
  expect(node.child.tsRemote).toEqual(remote.flatMap((one) => selectors(one)))
}
const requestsOf = (pair: Pair): string[] =>
  pair.transcript.take().filter((line) => line.startsWith('con') && line.includes('CREATE_CHILD_SA request'))

test('RFC 7296 2.9.2 what was granted since is offered in one rekey, and both ends have it', () => {
  const pair = attach()
  const old = pair.concentrator.child.spiIn
  regrantAll(pair)
  pair.network.run(1_000)
  expect(requestsOf(pair)).toEqual([REKEY])
  expectSelectors(pair.concentrator, [DIAL, POOL], [DEVICE_ADDRESS, LAN])
  expectSelectors(pair.device, [DEVICE_ADDRESS, LAN], [DIAL, POOL])
  expect(pair.concentrator.child.replaces).toBe(old)
  expect([pair.device.children.size, pair.concentrator.children.size]).toEqual([1, 1])
  regrantAll(pair)
  pair.network.run(1_000)
  expect(requestsOf(pair)).toEqual([])
})

test('a device that wants no more narrows it to what is in use, is not asked again, and keeps working', () => {
  const pair = attach({ tsLocal: selectors(DEVICE_ADDRESS), tsRemote: selectors(DIAL) })
  regrantAll(pair)
  pair.network.run(100_000)
  expect(requestsOf(pair)).toEqual([REKEY])
  expectSelectors(pair.concentrator, [DIAL], [DEVICE_ADDRESS])
  expect(pair.device.child.keys.inboundKey).toEqual(pair.concentrator.child.keys.outboundKey)
})

test('a grant that grows while a rekey is under way is offered after it', () => {
  const pair = attach()
  const { concentrator, network } = pair
  concentrator.command({ kind: 'rekeyChild', key: concentrator.key, spiIn: concentrator.child.spiIn })
  regrantAll(pair)
  network.run(10_000)
  expect(requestsOf(pair)).toHaveLength(2)
  expectSelectors(concentrator, [DIAL, POOL], [DEVICE_ADDRESS, LAN])
  expect([pair.device.children.size, concentrator.children.size]).toEqual([1, 1])
})

test.each(['rekeyChild', 'rekeyIke'] as const)(
  'nothing of it is lost when the device does %s at the same time',
  (kind) => {
    const pair = attach()
    const { device, concentrator, network } = pair
    const { key } = device
    device.command(kind === 'rekeyIke' ? { kind, key } : { kind, key, spiIn: device.child.spiIn })
    regrantAll(pair)
    network.run(60_000)
    expectSelectors(concentrator, [DIAL, POOL], [DEVICE_ADDRESS, LAN])
    expectSelectors(device, [DEVICE_ADDRESS, LAN], [DIAL, POOL])
    expect([device.children.size, concentrator.children.size]).toEqual([1, 1])
  },
)

test('a device that rekeys by itself later gets what was granted since, when it asks for it', () => {
  const pair = attach({ tsLocal: selectors(DEVICE_ADDRESS), tsRemote: selectors('10.0.0.0/8') })
  const { device, concentrator, network } = pair
  // Its own LAN is not in its configuration: only the pool comes.
  regrantAll(pair)
  network.run(1_000)
  expectSelectors(device, [DEVICE_ADDRESS], [DIAL, POOL])
  device.command({ kind: 'rekeyChild', key: device.key, spiIn: device.child.spiIn })
  network.run(1_000)
  expectSelectors(concentrator, [DIAL, POOL], [DEVICE_ADDRESS])
})

test('a device with several Child SAs is asked nothing, and its next one is narrowed to the new grant', () => {
  const pair = attach()
  const { device, concentrator, network } = pair
  const ask = (): void => {
    device.command({
      kind: 'createChild',
      key: device.key,
      tsLocal: selectors('0.0.0.0/0'),
      tsRemote: selectors('0.0.0.0/0'),
    })
    network.run(1_000)
  }
  ask()
  regrantAll(pair)
  network.run(10_000)
  expect(requestsOf(pair)).toEqual([])
  ask()
  const newest = [...concentrator.children.values()].at(-1)
  expect(newest?.tsRemote).toEqual([...selectors(DEVICE_ADDRESS), ...selectors(LAN)])
})

test('C40 a smaller grant takes nothing away from what is in use', () => {
  const pair = attach()
  regrantAll(pair)
  pair.network.run(1_000)
  pair.transcript.take()
  regrant(pair.concentrator, [DIAL], [DEVICE_ADDRESS])
  pair.network.run(1_000)
  expect(requestsOf(pair)).toEqual([])
  pair.device.command({ kind: 'rekeyChild', key: pair.device.key, spiIn: pair.device.child.spiIn })
  pair.network.run(1_000)
  expectSelectors(pair.concentrator, [DIAL, POOL], [DEVICE_ADDRESS, LAN])
})

test('an initiator is granted nothing by itself', () => {
  const pair = attach()
  regrant(pair.device, [DEVICE_ADDRESS, LAN], [DIAL, POOL])
  pair.network.run(1_000)
  expect(pair.transcript.take()).toEqual([])
})
