/** Transport mode (RFC 7296 1.3.1, 2.23.1): the outer addresses, when both ends want it. */
import type { InitiatorConfig } from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { granting } from './grants.ts'
import { Nat } from './nat.ts'
import { selectors } from './node.ts'
import { createPair, initiate, type Pair, type PairOptions } from './pair.ts'

const GATEWAY = '203.0.113.1'
const DEVICE = '198.51.100.7'

function attach(options: PairOptions = {}, change: Partial<InitiatorConfig> = {}, isGranted = true): Pair {
  const pair = createPair(options)
  pair.concentrator.answerTo = granting({ transportMode: isGranted })
  const own = options.behindNat === undefined ? DEVICE : '192.168.1.7'
  const wish = { transportMode: true, tsLocal: selectors(own), tsRemote: selectors(GATEWAY) }
  initiate(pair, { ...wish, requestAddress: { ip4: false, ip6: false }, ...change })
  pair.network.run(1_000)
  return pair
}

describe('C41 transport mode', () => {
  test('is agreed when it was asked for and granted: the selectors are the outer addresses', () => {
    const { device, concentrator, transcript } = attach()
    expect(transcript.take().at(-1)).toContain('N(USE_TRANSPORT_MODE)')
    expect(device.child).toMatchObject({
      mode: 'transport',
      tsLocal: selectors(DEVICE),
      tsRemote: selectors(GATEWAY),
    })
    expect(concentrator.child).toMatchObject({
      mode: 'transport',
      tsLocal: selectors(GATEWAY),
      tsRemote: selectors(DEVICE),
    })
    expect(concentrator.eventsOf('childEstablished')[0]?.child.mode).toBe('transport')
  })

  test('keeps protocol and ports of the offer', () => {
    const port = (selector: InitiatorConfig['tsLocal'][number]) => ({
      ...selector,
      protocol: 17,
      startPort: 4000,
      endPort: 4000,
    })
    const tsLocal = selectors(DEVICE).map(port)
    const { device, concentrator } = attach({}, { tsLocal })
    expect(device.child.tsLocal).toEqual(tsLocal)
    expect(concentrator.child.tsRemote).toEqual(tsLocal)
  })

  test('behind NAT each end has the addresses it sees (2.23.1)', () => {
    const { device, concentrator } = attach({ behindNat: (network) => new Nat(network, '192.0.2.1') })
    expect(device.child).toMatchObject({ mode: 'transport', tsLocal: selectors('192.168.1.7') })
    expect(concentrator.child).toMatchObject({ mode: 'transport', tsRemote: selectors('192.0.2.1') })
  })

  test('behind NAT the data plane hears what checksums were made with, as far as somebody knows (2.23.1)', () => {
    const pair = attach({ behindNat: (network) => new Nat(network, '192.0.2.1') })
    const octets = (address: string): Uint8Array => Uint8Array.from(address.split('.'), Number)
    expect(pair.concentrator.child.originalAddresses).toEqual({ local: octets(GATEWAY), remote: octets('192.168.1.7') })
    expect(pair.device.child.originalAddresses).toBe('unknown')
    expect(attach().concentrator.child.originalAddresses).toBeUndefined()
    expect(attach().device.child.originalAddresses).toBeUndefined()
  })

  test('stays through rekeys of both ends, with NAT too', () => {
    const behindNat: PairOptions['behindNat'] = (network) => new Nat(network, '192.0.2.1')
    for (const pair of [attach(), attach({ behindNat })]) {
      for (const node of [pair.device, pair.concentrator]) {
        node.command({ kind: 'rekeyChild', key: node.key, spiIn: node.child.spiIn })
        pair.network.run(3_000)
        expect([pair.device.child.mode, pair.concentrator.child.mode]).toEqual(['transport', 'transport'])
      }
      expect(pair.device.eventsOf('childRekeyed')).toHaveLength(2)
    }
  })

  test('is declined when it was not granted: tunnel mode, within the grant', () => {
    const inner = { tsLocal: selectors('0.0.0.0/0'), tsRemote: selectors('0.0.0.0/0') }
    const { device, concentrator, transcript } = attach({}, inner, false)
    expect(transcript.take().at(-1)).not.toContain('N(USE_TRANSPORT_MODE)')
    expect([device.child.mode, concentrator.child.mode]).toEqual(['tunnel', 'tunnel'])
    expect(concentrator.child.tsRemote).toEqual(selectors('10.128.0.5'))
  })

  test('is nothing for selectors that are not the outer addresses', () => {
    const { device, concentrator } = attach({}, { tsRemote: selectors('10.127.0.1'), tsLocal: selectors('10.128.0.5') })
    expect([device.child.mode, concentrator.child.mode]).toEqual(['tunnel', 'tunnel'])
    const elsewhere = attach({}, { tsRemote: selectors('203.0.113.77') })
    expect(elsewhere.concentrator.children.size).toBe(0)
    expect(elsewhere.device.eventsOf('established')).toHaveLength(1)
  })

  test('behind NAT a range of hosts is not substituted (2.23.1)', () => {
    const behindNat: PairOptions['behindNat'] = (network) => new Nat(network, '192.0.2.1')
    const pair = attach({ behindNat }, { tsLocal: selectors('192.168.1.0/24') })
    expect(pair.concentrator.children.size).toBe(0)
  })

  test('is not for a peer that moves: with MOBIKE it is declined (RFC 4555 1.2)', () => {
    const features = { mobike: true }
    const pair = attach({ device: { features }, concentrator: { features } })
    expect(pair.concentrator.children.size).toBe(0)
    expect(pair.transcript.take().at(-1)).not.toContain('N(USE_TRANSPORT_MODE)')
  })

  test('is not asked for by who does not want it', () => {
    const { concentrator, transcript } = attach({}, { transportMode: false })
    expect(transcript.take().join()).not.toContain('N(USE_TRANSPORT_MODE)')
    expect(concentrator.children.size).toBe(0)
  })
})
