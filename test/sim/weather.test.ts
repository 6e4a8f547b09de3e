/**
 * Both ends agree after bad weather, for a few seeds; `weather.full.test.ts` takes many.
 */
import { EXCHANGE, type Payload } from '@culvert/ikev2'
import { expect, test } from 'vitest'
import { sendForged } from './forge.ts'
import { createPair, initiate, type Pair } from './pair.ts'
import { checkTraffic } from './traffic.ts'
import { calm, expectAgreement, letItStorm, stormyPair } from './storm.ts'

test.each(Array.from({ length: 60 }, (_, index) => index + 1))('after storm %i and a calm both ends agree', (seed) => {
  const { pair, nat } = stormyPair(seed)
  letItStorm(pair, nat)
  calm(pair)
  expectAgreement(pair)
  expect(pair.device.eventsOf('established')).not.toEqual([])
})

test('a device whose attachment was lost in the storm comes back', () => {
  const { pair, nat } = stormyPair(4_711)
  letItStorm(pair, nat)
  pair.network.fate = () => ({ copies: 0 })
  pair.network.run(200_000)
  expect([pair.device.endpoint.size.established, pair.concentrator.endpoint.size.established]).toEqual([0, 0])
  pair.network.fate = () => ({})
  initiate(pair)
  pair.network.run(2_000)
  expect([pair.device.children.size, pair.concentrator.children.size]).toEqual([1, 1])
})

test('where no datagram above 600 octets arrives, fragments do', () => {
  for (const fragmentBytes of [590, 200]) {
    const pair = createPair({ device: { fragmentBytes }, concentrator: { fragmentBytes } })
    pair.network.mtuBytes = 600
    initiate(pair)
    pair.network.run(2_000)
    expect(pair.device.eventsOf('established')).toHaveLength(1)
    sendLong(pair)
    rekeyEverything(pair)
    checkTraffic(pair)
  }
})

/** More than fits into one datagram, in a request that is answered. */
function sendLong({ device, concentrator, network }: Pair): void {
  const payloads = Array.from({ length: 4 }, (): Payload => ({ kind: 'vendor', data: new Uint8Array(1_500) }))
  const before = concentrator.sent.length
  sendForged(device, { exchangeType: EXCHANGE.INFORMATIONAL, messageId: 2, payloads, fragmentBytes: 590 })
  network.run(500)
  expect(concentrator.sent).toHaveLength(before + 1)
}

/** From the concentrator: the device's next id was used up. */
function rekeyEverything({ concentrator, network }: Pair): void {
  const { key } = concentrator
  concentrator.command({ kind: 'rekeyChild', key, spiIn: concentrator.child.spiIn })
  network.run(2_000)
  concentrator.command({ kind: 'rekeyIke', key })
  network.run(2_000)
  expect([concentrator.eventsOf('childRekeyed').length, concentrator.eventsOf('ikeRekeyed').length]).toEqual([1, 1])
}
