/** Unprotected claims about an IKE SA that stands (RFC 7296 2.4, 2.21.4): never believed, sometimes a reason to ask. */
import { EXCHANGE, encodeMessage, NOTIFY, peekHeader } from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { notify } from './forge.ts'
import { fateOfFirst, LOST } from './packets.ts'
import { attachedPair, type Pair } from './pair.ts'

const ASKED = 'con: INFORMATIONAL request 0, SK {}'

/** INVALID_IKE_SPI with the SPIs of the standing IKE SA, as anybody on the path could send it. */
function claim({ concentrator, device }: Pair, type: number = NOTIFY.INVALID_IKE_SPI, isResponse = true): void {
  const last = concentrator.sent.at(-1)
  const header = last === undefined ? null : peekHeader(last.bytes)
  if (last === undefined || header === null || !header.ok) throw new Error('nothing sent')
  const { spiI, spiR, messageId } = header.value
  const bytes = encodeMessage(
    { spiI, spiR, messageId, exchangeType: EXCHANGE.INFORMATIONAL, fromOriginalInitiator: true, isResponse },
    [notify(type)],
  )
  concentrator.receive({ from: { address: device.address, port: 500 }, to: last.from, bytes })
}

describe('C46 an unprotected notify', () => {
  test('INVALID_IKE_SPI makes us ask early whether the peer lives, and its answer settles it', () => {
    const pair = attachedPair()
    pair.network.run(20_000)
    claim(pair)
    pair.network.run(1_000)
    expect(pair.transcript.take()).toEqual([ASKED, 'dev: INFORMATIONAL response 0, SK {}'])
    expect(pair.concentrator.eventsOf('closed')).toEqual([])
  })

  test('a thousand of them make us ask once, and again only after a while', () => {
    const pair = attachedPair()
    pair.network.run(20_000)
    pair.network.fate = fateOfFirst({ from: pair.device.address }, LOST)
    for (let count = 0; count < 1_000; count += 1) claim(pair)
    pair.network.run(5_000)
    for (let count = 0; count < 1_000; count += 1) claim(pair)
    pair.network.run(1_000)
    expect(pair.transcript.take().filter((line) => line === ASKED)).toHaveLength(1)
  })

  test('only the silence of the peer ends the IKE SA, after all transmissions', () => {
    const pair = attachedPair()
    pair.network.run(20_000)
    pair.network.detach(pair.device.address)
    claim(pair)
    pair.network.run(20_000)
    expect(pair.concentrator.eventsOf('closed')).toEqual([])
    pair.network.run(20_000)
    expect(pair.concentrator.eventsOf('closed').map(({ reason }) => reason)).toEqual(['peerSilent'])
  })

  test('of another kind, in a request, or about a peer just heard means nothing', () => {
    const pair = attachedPair()
    claim(pair)
    pair.network.run(20_000)
    claim(pair, NOTIFY.AUTHENTICATION_FAILED)
    claim(pair, NOTIFY.INVALID_SYNTAX)
    claim(pair, NOTIFY.INVALID_IKE_SPI, false)
    pair.network.run(1_000)
    expect(pair.transcript.take()).toEqual([])
    expect(pair.concentrator.eventsOf('closed')).toEqual([])
  })
})
