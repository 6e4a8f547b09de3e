/** A gateway sends its devices elsewhere: newcomers, those that have just proven themselves, and those that stand (RFC 5685). */
import {
  type Answer,
  EXCHANGE,
  encodeMessage,
  type GatewayIdentity,
  type IkeSpi,
  type MessageId,
  NOTIFY,
  peekHeader,
  type Question,
} from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { notify, sendForged } from './forge.ts'
import { attachedPair, createPair, grantEverything, initiate, type Pair } from './pair.ts'

const features = { redirect: true }
const BOTH = { device: { features }, concentrator: { features } }
const ELSEWHERE: GatewayIdentity = { kind: 'fqdn', name: 'gw-2.example' }

function sendNewcomersAway({ concentrator }: Pair, to: GatewayIdentity | null = ELSEWHERE): void {
  concentrator.command({ kind: 'redirectNewcomers', to })
}

function answerElsewhere(question: Question): Answer {
  return question.kind === 'attach'
    ? { kind: 'attach', grant: null, refusal: 'refused', redirect: ELSEWHERE }
    : grantEverything(question)
}

describe('in IKE_SA_INIT (3)', () => {
  test('a newcomer is sent elsewhere without any state', () => {
    const pair = createPair(BOTH)
    sendNewcomersAway(pair)
    initiate(pair)
    pair.network.run(1_000)
    const [asked, ...answers] = pair.transcript.take()
    expect(asked).toContain('N(REDIRECT_SUPPORTED)')
    expect(answers).toEqual(['con: IKE_SA_INIT response 0, N(REDIRECT)'])
    expect(pair.concentrator.endpoint.size).toEqual({ established: 0, halfOpen: 0 })
    expect(pair.device.events).toMatchObject([
      { kind: 'redirected', key: null, subject: 'dev', to: ELSEWHERE },
      { kind: 'attemptFailed', reason: 'redirected' },
    ])
    pair.network.run(60_000)
    expect(pair.device.sent).toHaveLength(1)
  })

  test('who does not follow redirects is kept, and everybody is after the end of it', () => {
    const pair = createPair({ concentrator: { features } })
    sendNewcomersAway(pair)
    initiate(pair)
    pair.network.run(1_000)
    expect(pair.device.children.size).toBe(1)
    const later = createPair(BOTH)
    sendNewcomersAway(later)
    sendNewcomersAway(later, null)
    initiate(later)
    later.network.run(1_000)
    expect(later.device.children.size).toBe(1)
  })

  test('C18 a gateway without the feature sends nobody away, a device without it does not say that it follows', () => {
    const pair = createPair({ device: { features } })
    sendNewcomersAway(pair)
    initiate(pair)
    pair.network.run(1_000)
    expect(pair.device.children.size).toBe(1)
    const plain = createPair()
    initiate(plain)
    expect(plain.transcript.take().join()).not.toContain('REDIRECT')
  })

  test('a device that was sent here says by whom, and is not sent back there (5)', () => {
    const pair = createPair(BOTH)
    sendNewcomersAway(pair)
    initiate(pair, { redirectedFrom: ELSEWHERE })
    pair.network.run(1_000)
    expect(pair.transcript.take()[0]).toContain('N(REDIRECTED_FROM)')
    expect(pair.device.children.size).toBe(1)
    const third = createPair(BOTH)
    sendNewcomersAway(third)
    initiate(third, { redirectedFrom: { kind: 'ip4', address: '203.0.113.9' } })
    third.network.run(1_000)
    expect(third.device.eventsOf('redirected')).toHaveLength(1)
  })

  test('a redirect with another nonce, or for nobody, is not followed', () => {
    const name = Uint8Array.of(3, 4, 0x65, 0x76, 0x69, 0x6c)
    for (const nonce of [new Uint8Array(32), new Uint8Array(0)]) {
      const pair = createPair(BOTH)
      initiate(pair)
      respondInClear(pair, notify(NOTIFY.REDIRECT, Uint8Array.of(...name, ...nonce)))
      pair.network.run(1_000)
      expect(pair.device.eventsOf('redirected')).toEqual([])
      expect(pair.device.children.size).toBe(1)
    }
  })

  test('a device that does not follow redirects takes no notice', () => {
    const pair = createPair()
    initiate(pair)
    respondInClear(pair, notify(NOTIFY.REDIRECT, Uint8Array.of(1, 4, 192, 0, 2, 2)))
    pair.network.run(1_000)
    expect(pair.device.children.size).toBe(1)
  })
})

describe('at the end of IKE_AUTH (6)', () => {
  test('who has proven itself hears in confidence where to go, and leaves', () => {
    const pair = createPair(BOTH)
    pair.concentrator.answerTo = answerElsewhere
    initiate(pair)
    pair.network.run(1_000)
    expect(pair.transcript.take().slice(3)).toEqual([
      'con: IKE_AUTH response 1, SK {IDr, AUTH, N(REDIRECT)}',
      'dev: INFORMATIONAL request 2, SK {D(IKE)}',
      'con: INFORMATIONAL response 2, SK {}',
    ])
    expect(pair.device.eventsOf('redirected')).toMatchObject([{ to: ELSEWHERE }])
    expect(pair.device.eventsOf('closed').map(({ reason }) => reason)).toEqual(['redirected'])
    expect(pair.concentrator.eventsOf('closed').map(({ reason }) => reason)).toEqual(['redirected'])
    expect([pair.device, pair.concentrator].map((node) => node.eventsOf('established').length)).toEqual([0, 0])
    expect([pair.device.pendingSpis, pair.concentrator.pendingSpis]).toEqual([0, 0])
  })

  test('who does not leave is deleted, and makes no Child SA meanwhile', () => {
    const pair = createPair(BOTH)
    pair.concentrator.answerTo = answerElsewhere
    initiate(pair)
    pair.network.runUntil(() => pair.concentrator.endpoint.size.established === 1)
    pair.network.detach(pair.device.address)
    pair.network.run(60_000)
    expect(pair.concentrator.eventsOf('closed').map(({ reason }) => reason)).toEqual(['redirected'])
    expect(pair.concentrator.endpoint.size.established).toBe(0)
  })

  test('who does not follow redirects is refused as ever', () => {
    const pair = createPair({ concentrator: { features } })
    pair.concentrator.answerTo = answerElsewhere
    initiate(pair)
    pair.network.run(1_000)
    expect(pair.transcript.take().at(-1)).toBe('con: IKE_AUTH response 1, SK {N(AUTHENTICATION_FAILED)}')
  })
})

describe('on an IKE SA that stands (7)', () => {
  test('the device is told, answers, and leaves', () => {
    const pair = attachedPair(BOTH)
    pair.concentrator.command({
      kind: 'redirect',
      key: pair.concentrator.key,
      to: { kind: 'ip4', address: '203.0.113.2' },
    })
    pair.network.run(1_000)
    expect(pair.transcript.take()).toEqual([
      'con: INFORMATIONAL request 0, SK {N(REDIRECT)}',
      'dev: INFORMATIONAL response 0, SK {}',
      'dev: INFORMATIONAL request 2, SK {D(IKE)}',
      'con: INFORMATIONAL response 2, SK {}',
    ])
    expect(pair.device.eventsOf('redirected')).toMatchObject([
      { key: pair.device.key, to: { kind: 'ip4', address: '203.0.113.2' } },
    ])
    expect([pair.device, pair.concentrator].map((node) => node.eventsOf('closed').map(({ reason }) => reason))).toEqual(
      [['redirected'], ['redirected']],
    )
  })

  test('a device that stays is deleted after a while', () => {
    const pair = attachedPair({ concentrator: { features }, device: { features } })
    pair.network.fate = ({ from }) =>
      from.address === pair.device.address &&
      pair.device.eventsOf('redirected').length > 0 &&
      pair.device.sent.length > 3
        ? { copies: 0 }
        : {}
    pair.concentrator.command({ kind: 'redirect', key: pair.concentrator.key, to: ELSEWHERE })
    pair.network.run(120_000)
    expect(pair.concentrator.eventsOf('closed').map(({ reason }) => reason)).toEqual(['redirected'])
  })

  test('one that does not follow redirects hears nothing', () => {
    const pair = attachedPair({ concentrator: { features } })
    pair.concentrator.command({ kind: 'redirect', key: pair.concentrator.key, to: ELSEWHERE })
    pair.network.run(1_000)
    expect(pair.transcript.take()).toEqual([])
  })

  test('a device sends no gateway elsewhere, and a malformed redirect is passed over', () => {
    const pair = attachedPair(BOTH)
    const payloads = [notify(NOTIFY.REDIRECT, Uint8Array.of(1, 4, 192, 0, 2, 2))]
    sendForged(pair.device, { exchangeType: EXCHANGE.INFORMATIONAL, messageId: 2, payloads })
    const odd = [notify(NOTIFY.REDIRECT, Uint8Array.of(1, 9, 192))]
    sendForged(pair.concentrator, { exchangeType: EXCHANGE.INFORMATIONAL, messageId: 0, payloads: odd })
    pair.network.run(1_000)
    expect([pair.device, pair.concentrator].flatMap((node) => node.eventsOf('redirected'))).toEqual([])
    expect([pair.device, pair.concentrator].flatMap((node) => node.eventsOf('closed'))).toEqual([])
  })
})

/** An answer to the IKE_SA_INIT request of the device by somebody who did not see it, before the true one. */
function respondInClear({ device, concentrator }: Pair, payload: ReturnType<typeof notify>): void {
  const request = device.sent.at(-1)
  const header = request === undefined ? null : peekHeader(request.bytes)
  if (request === undefined || header === null || !header.ok) throw new Error('nothing sent')
  const spiR = '00000000000000aa' as IkeSpi
  const bytes = encodeMessage(
    {
      spiI: header.value.spiI,
      spiR,
      exchangeType: EXCHANGE.IKE_SA_INIT,
      messageId: 0 as MessageId,
      fromOriginalInitiator: false,
      isResponse: true,
    },
    [payload],
  )
  device.receive({ from: { address: concentrator.address, port: 500 }, to: request.from, bytes })
}
