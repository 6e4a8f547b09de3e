/** AH in place of ESP (RFC 4302, RFC 7296 3.3): by policy of both ends, on a path that changes no address. */
import { opensslProvider } from '@culvert/crypto'
import {
  createAhPair,
  createDecapsulated,
  createEncapsulated,
  DropCode,
  findOutbound,
  openAh,
  Sad,
  sealAhInto,
  spiSlot,
} from '@culvert/esp'
import {
  type ChildSaDescription,
  defaultAhSuites,
  defaultEspSuites,
  defaultIkeSuites,
  type InitiatorConfig,
} from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { ip4, udp } from '../../packages/esp/test/packets.ts'
import { granting } from './grants.ts'
import { Nat } from './nat.ts'
import { selectors } from './node.ts'
import { createPair, DEVICE_ADDRESS, initiate, type Pair, type PairOptions } from './pair.ts'

const NO_PROPOSAL_CHOSEN = 14
const proposals = { ike: defaultIkeSuites, esp: defaultEspSuites, ah: defaultAhSuites }

function attach(options: PairOptions = {}, change: Partial<InitiatorConfig> = {}): Pair {
  const pair = createPair({ device: { proposals }, concentrator: { proposals }, ...options })
  pair.concentrator.answerTo = granting({ transportMode: true })
  initiate(pair, { protocol: 'ah', ...change })
  pair.network.run(1_000)
  return pair
}

/** A database with this one SA. @param outboundBy as `SadOptions` has it */
function tableOf(child: ChildSaDescription, outboundBy: 'source' | 'destination'): Sad {
  const sad = new Sad({ nodeSlot: spiSlot(child.spiIn), maxSas: 1 << 17, replayWindowPackets: 64, outboundBy })
  const pair = createAhPair(child.keys, { provider: opensslProvider })
  if (!pair.ok) throw new Error(pair.error)
  const placement = outboundBy === 'source' ? null : { subject: 1, addresses: [DEVICE_ADDRESS] }
  const installed = sad.install(child, pair.value, placement)
  if (typeof installed === 'string') throw new Error(installed)
  return sad
}

describe('AH by policy', () => {
  test('is agreed when both ends allow it: the proposal has protocol 2, no encryption and no UDP', () => {
    const { device, concentrator } = attach()
    for (const { child } of [device, concentrator]) {
      expect(child).toMatchObject({ protocol: 'ah', mode: 'tunnel', udpEncap: false, keys: { encr: { id: 11 } } })
      expect(child.keys.inboundKey).toHaveLength(0)
    }
    expect(device.child.keys.outboundIntegKey).toEqual(concentrator.child.keys.inboundIntegKey)
    expect(device.child.keys.outboundIntegKey).not.toEqual(device.child.keys.inboundIntegKey)
    expect(concentrator.eventsOf('childEstablished')[0]?.child.protocol).toBe('ah')
  })

  test('carries packets of both ends with the keys that were agreed', () => {
    const { device, concentrator } = attach()
    const [ours, theirs] = [tableOf(concentrator.child, 'destination'), tableOf(device.child, 'source')]
    const packet = ip4({ source: '10.127.0.1', destination: DEVICE_ADDRESS }, udp(1, 2))
    const out = createEncapsulated()
    out.buffer = new Uint8Array(200)
    const slice = { bytes: packet, offset: 0, length: packet.length }
    expect(findOutbound(ours, slice, out)).toBe(DropCode.none)
    expect(sealAhInto(slice, out)).toBe(DropCode.none)
    const opened = createDecapsulated()
    expect(openAh(theirs, out.buffer.slice(0, out.length), opened)).toBe(DropCode.none)
    expect(opened.buffer.subarray(opened.offset, opened.offset + opened.length)).toEqual(packet)
  })

  test('goes in transport mode, too', () => {
    const [local, remote] = [selectors('198.51.100.7'), selectors('203.0.113.1')]
    const wish = { transportMode: true, tsLocal: local, tsRemote: remote, requestAddress: { ip4: false, ip6: false } }
    const { device, concentrator } = attach({}, wish)
    for (const { child } of [device, concentrator]) expect(child).toMatchObject({ protocol: 'ah', mode: 'transport' })
  })

  test('stays AH through rekeys of both ends, and a Delete names it', () => {
    const pair = attach()
    for (const node of [pair.device, pair.concentrator]) {
      node.command({ kind: 'rekeyChild', key: node.key, spiIn: node.child.spiIn })
      pair.network.run(3_000)
      expect([pair.device.child.protocol, pair.concentrator.child.protocol]).toEqual(['ah', 'ah'])
      expect([pair.device.children.size, pair.concentrator.children.size]).toEqual([1, 1])
    }
    expect(pair.device.eventsOf('childRekeyed')).toHaveLength(2)
    const { concentrator } = pair
    concentrator.command({ kind: 'deleteChild', key: concentrator.key, spiIn: concentrator.child.spiIn })
    pair.network.run(1_000)
    expect([pair.device.children.size, concentrator.children.size]).toEqual([0, 0])
  })

  test('is refused by default: NO_PROPOSAL_CHOSEN, and the IKE SA stays', () => {
    const pair = attach({ concentrator: {} })
    expect(pair.concentrator.children.size).toBe(0)
    expect(pair.device.eventsOf('childRefused')[0]?.notify).toBe(NO_PROPOSAL_CHOSEN)
    expect(pair.device.eventsOf('established')).toHaveLength(1)
  })

  test('N18 is refused behind a NAT, and with MOBIKE: it covers the outer addresses', () => {
    const behindNat: PairOptions['behindNat'] = (network) => new Nat(network, '192.0.2.1')
    const features = { mobike: true }
    const mobile = { device: { proposals, features }, concentrator: { proposals, features } }
    for (const options of [{ behindNat }, mobile]) {
      const pair = attach(options)
      expect(pair.concentrator.children.size).toBe(0)
      expect(pair.device.children.size).toBe(0)
      expect(pair.device.eventsOf('childRefused')[0]?.notify).toBe(NO_PROPOSAL_CHOSEN)
    }
  })

  test('allowed AH changes nothing for who proposes ESP', () => {
    const { device, concentrator } = attach({}, { protocol: 'esp' })
    for (const { child } of [device, concentrator]) {
      expect(child.protocol).toBeUndefined()
    }
  })
})
