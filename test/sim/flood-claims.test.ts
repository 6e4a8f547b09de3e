/** Floods of failed authentications under the name of a device, and of messages that want an error for an answer. */
import { EXCHANGE, encodeMessage, type IkeSpi, type MessageId } from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { fqdn, Node } from './node.ts'
import { attachedPair, createPair, initiate, initiatorConfig, type Pair } from './pair.ts'

const WRONG = { kind: 'psk', secret: new TextEncoder().encode('incorrect horse battery staple') } as const

function claimant(pair: Pair, address: string): Node {
  return new Node(pair.network, { name: `c${address.replaceAll('.', '')}`, address })
}

/** Claims a name again and again with a wrong secret. */
function claim(pair: Pair, node: Node, count: number, name = 'dev.test'): void {
  for (let attempt = 0; attempt < count; attempt += 1) {
    node.command({
      kind: 'initiate',
      peer: initiatorConfig(node, pair.concentrator, { proof: WRONG, localId: fqdn(name) }),
    })
    pair.network.run(50)
  }
}

const failures = ({ concentrator }: Pair): number => concentrator.eventsOf('attemptFailed').length

describe('N26 guessing secrets', () => {
  test.each(['dev.test', 'nobody.test'])('of %s is limited for one name from one source', (name) => {
    const pair = createPair()
    if (name === 'nobody.test') pair.concentrator.answerTo = () => ({ kind: 'credential', found: null })
    claim(pair, claimant(pair, '192.0.2.9'), 60, name)
    expect(failures(pair)).toBeLessThan(30)
    expect(failures(pair)).toBeGreaterThanOrEqual(20)
  })

  test('is limited whatever the last octet of the address is', () => {
    const pair = createPair()
    for (let host = 1; host <= 60; host += 1) claim(pair, claimant(pair, `192.0.2.${host}`), 1)
    expect(failures(pair)).toBeLessThan(30)
  })

  test('beyond the limit it is not answered, and nobody is asked about it', () => {
    const pair = createPair()
    const nodes = [1, 2].map((host) => claimant(pair, `192.0.2.${host}`))
    pair.network.delayMs = 1
    for (const node of nodes) {
      for (let attempt = 0; attempt < 20; attempt += 1) {
        node.command({ kind: 'initiate', peer: initiatorConfig(node, pair.concentrator, { proof: WRONG }) })
      }
      pair.network.run(10)
    }
    expect(pair.concentrator.questions).toHaveLength(20)
    expect(failures(pair)).toBe(20)
  })
})

describe('N19 nobody locks a device out by claiming its name', () => {
  test('from another source it attaches as ever', () => {
    const pair = createPair()
    for (const source of ['192.0.2.9', '203.0.114.9', '198.51.101.9']) claim(pair, claimant(pair, source), 20)
    initiate(pair)
    pair.network.run(500)
    expect(pair.device.eventsOf('established')).toHaveLength(1)
  })

  test('another device behind the same address attaches as ever', () => {
    const pair = createPair()
    claim(pair, claimant(pair, '198.51.100.9'), 30)
    initiate(pair, { localId: fqdn('neighbour.test') })
    pair.network.run(500)
    expect(pair.device.eventsOf('established')).toHaveLength(1)
  })

  test('even from the same source it gets in by repeating its request', () => {
    const pair = createPair()
    claim(pair, claimant(pair, '198.51.100.9'), 45)
    initiate(pair)
    pair.network.run(20_000)
    expect(pair.device.eventsOf('established')).toHaveLength(1)
  })

  test('a device that was here before is not held up by its neighbours at all, whatever their number', () => {
    const pair = attachedPair()
    const { network, device, concentrator } = pair
    device.command({ kind: 'deleteIke', key: device.key, reason: 'shutdown' })
    network.run(100)
    for (const host of [9, 10, 11]) claim(pair, claimant(pair, `198.51.100.${host}`), 25)
    const refused = failures(pair)
    expect(refused).toBeLessThan(40)
    const before = concentrator.eventsOf('established').length
    initiate(pair)
    network.run(100)
    expect(concentrator.eventsOf('established')).toHaveLength(before + 1)
  })

  test('who guesses at an address where somebody authenticated has a budget there too', () => {
    const pair = attachedPair()
    const before = failures(pair)
    claim(pair, pair.device, 60)
    expect(failures(pair) - before).toBeLessThan(30)
    expect(failures(pair) - before).toBeGreaterThanOrEqual(20)
  })

  test('a standing attachment is not touched', () => {
    const pair = attachedPair()
    claim(pair, claimant(pair, '198.51.100.9'), 30)
    expect(pair.concentrator.eventsOf('closed')).toEqual([])
    expect(pair.concentrator.children.size).toBe(1)
  })
})

test('N19 error notifies are limited for each source, so one that floods takes none from others', () => {
  const pair = createPair()
  const request = (count: number): Uint8Array => {
    const spiI = count.toString(16).padStart(16, '0') as IkeSpi
    const spiR = 'ffffffffffffffff' as IkeSpi
    const header = { spiI, spiR, exchangeType: EXCHANGE.INFORMATIONAL, messageId: 5 as MessageId }
    return encodeMessage({ ...header, fromOriginalInitiator: true, isResponse: false }, [])
  }
  const to = { address: pair.concentrator.address, port: 500 }
  for (let count = 1; count <= 500; count += 1) {
    pair.concentrator.receive({ from: { address: `192.0.2.${count % 250}`, port: 500 }, to, bytes: request(count) })
  }
  expect(pair.concentrator.sent).toHaveLength(10)
  pair.concentrator.receive({ from: { address: '198.51.100.9', port: 500 }, to, bytes: request(501) })
  expect(pair.concentrator.sent).toHaveLength(11)
})
