/**
 * Many seeds of bad weather: loss, duplication, reordering and NAT rebinding while both ends rekey, check and delete as they
 * like. Whatever happens, both ends agree in the end, and every SPI that was drawn was given back once.
 */
import { expect } from 'vitest'
import { Nat } from './nat.ts'
import type { Network } from './network.ts'
import type { Node } from './node.ts'
import { attachedPair, type Pair } from './pair.ts'

const timing = { livenessMs: 20_000, retransmit: { firstMs: 500, factor: 1.6, tries: 7 } }

export function stormyPair(seed: number): { readonly pair: Pair; readonly nat: Nat } {
  const nats: Nat[] = []
  const behindNat = (network: Network): Nat => {
    const nat = new Nat(network, '192.0.2.1')
    nats.push(nat)
    return nat
  }
  const fragmentBytes = seed % 2 === 0 ? 1_280 : 300
  const pair = attachedPair({
    seed,
    behindNat,
    device: { timing, fragmentBytes },
    concentrator: { timing, fragmentBytes },
  })
  const [nat] = nats
  if (nat === undefined) throw new Error('there is one')
  return { pair, nat }
}

function actAtRandom({ network }: Pair, node: Node): void {
  const established = node.eventsOf('established').length > node.eventsOf('closed').length
  if (!established) return
  const { key } = node
  const spis = [...node.children.keys()]
  const spiIn = spis[network.random.below(spis.length)]
  const action = network.random.below(10)
  if (action < 3) node.command({ kind: 'rekeyIke', key })
  else if (action < 7 && spiIn !== undefined) node.command({ kind: 'rekeyChild', key, spiIn })
  else if (action < 9) node.command({ kind: 'checkLiveness', key })
  else if (spiIn !== undefined && node.children.size > 1) node.command({ kind: 'deleteChild', key, spiIn })
}

export function letItStorm(pair: Pair, nat: Nat): void {
  const { network, device, concentrator } = pair
  network.fate = () => {
    if (network.random.below(100) < 15) return { copies: 0 }
    const copies = network.random.below(100) < 10 ? 2 : 1
    return { copies, extraDelayMs: network.random.below(100) < 30 ? network.random.below(300) : 0 }
  }
  for (let round = 0; round < 25; round += 1) {
    actAtRandom(pair, device)
    actAtRandom(pair, concentrator)
    if (network.random.below(12) === 0) nat.rebind()
    network.run(network.random.below(3_000))
  }
}

export function calm({ network }: Pair): void {
  network.fate = () => ({})
  network.run(300_000)
}

/** Same attachments, same Child SAs with crossed keys, all of them used both ways, and no SPI lost. */
export function expectAgreement({ device, concentrator }: Pair): void {
  expect(device.endpoint.size.established).toBe(concentrator.endpoint.size.established)
  expect(childKeys(device)).toEqual(childKeys(concentrator).map(([inbound, outbound]) => [outbound, inbound]))
  expect([device.pendingSpis, concentrator.pendingSpis]).toEqual([0, 0])
  expect([...device.children.values(), ...concentrator.children.values()].every(({ outbound }) => outbound)).toBe(true)
}

/** Key pairs of all Child SAs, in an order that does not depend on the end. */
function childKeys(node: Node): (readonly [string, string])[] {
  const pairs = [...node.children.values()].map(({ keys }) => {
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
    return [hex(keys.inboundKey), hex(keys.outboundKey)] as const
  })
  return pairs.toSorted((a, b) => (a.toSorted().join('') < b.toSorted().join('') ? -1 : 1))
}
