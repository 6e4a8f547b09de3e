import { createAttachmentRegistry, selectorOf, type AttachmentRecord } from '@culvert/concentrator-core'
import type { AttachmentKey, ChildSaSummary, Command, IkeSaSummary } from '@culvert/ikev2'
import { NO_USAGE } from '@culvert/lifecycle'
import { createLogger } from '@culvert/observability'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createGrantRenewal, type Allowed, type GrantRenewal } from './grant-renewal.ts'

const SERVICE = { ip4: selectorOf('10.127.0.0/24'), ip6: null }
const POOL = '10.128.0.0/20'

let registry: ReturnType<typeof createAttachmentRegistry>
let renewal: GrantRenewal
let told: (Command & { kind: 'regrant' })[]

beforeEach(() => {
  vi.useFakeTimers()
  registry = createAttachmentRegistry()
  told = []
  renewal = createGrantRenewal({
    registry,
    servicePrefixes: SERVICE,
    hostSelector: selectorOf,
    command: (command) => command.kind === 'regrant' && told.push(command),
    nowMs: () => Date.now(),
    log: createLogger('test', 'silent'),
  })
})
afterEach(() => {
  renewal.stop()
  vi.useRealTimers()
})

function attach(index: number, part: Partial<AttachmentRecord> = {}): AttachmentRecord {
  const record: AttachmentRecord = {
    key: index as AttachmentKey,
    deviceId: `dev_${index}`,
    organizationId: 'org_a',
    address4: `10.128.0.${index}`,
    address6: null,
    lanPrefixes: [],
    neighbours: [],
    offered: null,
    credentialId: 'crd_a',
    attachedAtMs: 0,
    state: 'attached',
    ike: {} as IkeSaSummary,
    ikeEstablishedAtMs: 0,
    initiatedIke: false,
    children: [],
    remote: { address: '198.51.100.7', port: 4500 },
    ikeRekeys: 0,
    childRekeys: 0,
    lastSeenAtMs: 0,
    detachedAtMs: null,
    detachReason: null,
    ...part,
  }
  registry.attach(record)
  return record
}

function allowed(index: number, part: Partial<Allowed> = {}, deviceToDevice = true): Allowed {
  const limits = { networkId: 'net_a', deviceToDevice, rateLimit: null, quota: null, usage: NO_USAGE }
  return { deviceId: `dev_${index}`, lanPrefixes: [], pools: [POOL], limits, ...part }
}

it('tells the IKE core what a device may have since, once', () => {
  attach(5)
  renewal.consider(allowed(5, { lanPrefixes: ['192.168.1.0/24'] }))
  vi.runAllTimers()
  renewal.consider(allowed(5, { lanPrefixes: ['192.168.1.0/24'] }))
  vi.runAllTimers()
  answer(5)
  vi.advanceTimersByTime(3_600_000)
  renewal.consider(allowed(5, { lanPrefixes: ['192.168.1.0/24'] }))
  vi.runAllTimers()
  expect(told).toEqual([
    {
      kind: 'regrant',
      key: 5,
      tsLocal: [SERVICE.ip4, selectorOf(POOL)],
      tsRemote: [selectorOf('10.128.0.5'), selectorOf('192.168.1.0/24')],
    },
  ])
  expect(registry.byDevice('dev_5')).toMatchObject({
    lanPrefixes: ['192.168.1.0/24'],
    neighbours: [POOL],
    offered: null,
  })
})

it('counts nothing as granted before a rekey is through, but as offered, and offers it again when no answer comes', () => {
  attach(5)
  renewal.consider(allowed(5, { lanPrefixes: ['192.168.1.0/24'] }))
  vi.runAllTimers()
  expect(registry.byDevice('dev_5')).toMatchObject({ lanPrefixes: [], neighbours: [] })
  expect(registry.byDevice('dev_5')?.offered).toMatchObject({ lanPrefixes: ['192.168.1.0/24'], neighbours: [POOL] })
  const again = (): void => {
    renewal.consider(allowed(5, { lanPrefixes: ['192.168.1.0/24'] }))
    vi.runAllTimers()
  }
  vi.advanceTimersByTime(599_000)
  again()
  expect(told).toHaveLength(1)
  vi.advanceTimersByTime(1_000)
  again()
  expect(told).toHaveLength(2)
  answer(5)
  expect(registry.byDevice('dev_5')).toMatchObject({ lanPrefixes: ['192.168.1.0/24'], offered: null })
})

it('offers what came since an offer at once, and remembers that the device may still take the earlier one', () => {
  attach(5)
  for (const lanPrefixes of [['192.168.1.0/24'], ['192.168.2.0/24']]) {
    renewal.consider(allowed(5, { lanPrefixes }))
    vi.runAllTimers()
  }
  expect(told.map(({ tsRemote }) => tsRemote.slice(1))).toEqual([
    [selectorOf('192.168.1.0/24')],
    [selectorOf('192.168.2.0/24')],
  ])
  expect(registry.byDevice('dev_5')?.offered?.lanPrefixes).toEqual(['192.168.2.0/24', '192.168.1.0/24'])
})

it('the single change of one organization does not wait for the thousands of another', () => {
  for (let index = 1; index <= 10_000; index++) attach(index)
  for (let index = 1; index <= 10_000; index++) renewal.consider(allowed(index))
  attach(20_001, { organizationId: 'org_b', address4: '10.128.1.1' })
  attach(20_002, { organizationId: 'org_c', address4: '10.128.1.2' })
  renewal.consider(allowed(20_001))
  renewal.consider(allowed(20_002))
  vi.advanceTimersByTime(1)
  expect(told.map(({ key }) => key)).toEqual(expect.arrayContaining([1, 20_001, 20_002]))
  expect(told).toHaveLength(20)
})

function answer(index: number): void {
  renewal.onEvent({ kind: 'childRekeyed', key: index as AttachmentKey, child: {} as ChildSaSummary })
}

it('tells of a pool that came and of the switch, and nothing of what was taken away', () => {
  attach(5, { neighbours: [POOL] })
  renewal.consider(allowed(5))
  renewal.consider(allowed(5, {}, false))
  vi.runAllTimers()
  expect(told).toEqual([])
  renewal.consider(allowed(5, { pools: [POOL, '10.129.0.0/20'] }))
  vi.runAllTimers()
  expect(told.map(({ tsLocal }) => tsLocal.slice(1))).toEqual([[POOL, '10.129.0.0/20'].map(selectorOf)])
})

it('gives nothing of a family that is not leased', () => {
  attach(5)
  renewal.consider(allowed(5, { pools: ['fd80:1::/64'] }))
  vi.runAllTimers()
  expect(told).toEqual([])
})

it('leaves alone who has left, who is not here, and what was taken back while it waited', () => {
  const left = attach(5)
  attach(6)
  for (const index of [5, 6, 7]) renewal.consider(allowed(index))
  registry.detach(left.key, 'deletedByPeer', 1)
  renewal.consider(allowed(6, {}, false))
  vi.runAllTimers()
  expect(told).toEqual([])
})

it('tells a whole node of devices a few at a time', () => {
  for (let index = 1; index <= 100; index++) attach(index)
  for (let index = 1; index <= 100; index++) renewal.consider(allowed(index))
  vi.advanceTimersByTime(1)
  expect(told).toHaveLength(20)
  vi.runAllTimers()
  expect(new Set(told.map(({ key }) => key)).size).toBe(100)
  expect(told).toHaveLength(100)
})
