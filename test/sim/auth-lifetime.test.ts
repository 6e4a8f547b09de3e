/** How long an authentication holds (RFC 4478), and what a first contact changes (RFC 7296 2.4). */
import type { AttachmentKey } from '@culvert/ikev2'
import { EXCHANGE, NOTIFY } from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { notify, sendForged } from './forge.ts'
import { granting } from './grants.ts'
import { attachedPair, createPair, initiate, type Pair } from './pair.ts'

const HOUR_MS = 3_600_000
/** `halfOpenMs` of the simulation: time for an attempt that began just before. */
const GRACE_MS = 30_000

function attach(authLifetimeMs: number | null): Pair {
  const pair = createPair()
  pair.concentrator.answerTo = granting({ authLifetimeMs })
  initiate(pair)
  pair.network.run(1_000)
  return pair
}

describe('RFC 4478 AUTH_LIFETIME', () => {
  test('is told in whole seconds in the last message of IKE_AUTH', () => {
    const pair = attach(HOUR_MS + 999)
    expect(pair.transcript.take().at(-1)).toBe(
      'con: IKE_AUTH response 1, SK {IDr, AUTH, CP(REPLY), SA, TSi, TSr, N(AUTH_LIFETIME)}',
    )
    expect(pair.device.eventsOf('authLifetime')).toMatchObject([{ key: pair.device.key, lifetimeMs: HOUR_MS }])
  })

  test('without one nothing is told and nothing ends', () => {
    const pair = attach(null)
    expect(pair.transcript.take().at(-1)).not.toContain('AUTH_LIFETIME')
    pair.network.run(100 * HOUR_MS)
    expect(pair.concentrator.eventsOf('closed')).toEqual([])
  })

  test('is enforced after the grace: traffic ends, the IKE SA is deleted', () => {
    const pair = attach(HOUR_MS)
    pair.network.run(HOUR_MS + GRACE_MS - 2_000)
    expect(pair.concentrator.children.size).toBe(1)
    pair.network.run(3_000)
    expect(pair.concentrator.eventsOf('closed').map(({ reason }) => reason)).toEqual(['expired'])
    expect(pair.device.eventsOf('closed').map(({ reason }) => reason)).toEqual(['deletedByPeer'])
  })

  test('ends traffic at once also when the peer is silent', () => {
    const pair = attach(HOUR_MS)
    pair.network.detach(pair.device.address)
    pair.network.run(HOUR_MS + GRACE_MS + 10)
    expect(pair.concentrator.children.size).toBe(0)
  })

  test('rekeys do not lengthen it', () => {
    const pair = attach(HOUR_MS)
    for (let round = 0; round < 4; round += 1) {
      pair.device.command({ kind: 'rekeyIke', key: pair.device.key })
      pair.network.run(HOUR_MS / 5)
    }
    expect(pair.concentrator.eventsOf('ikeRekeyed')).toHaveLength(4)
    pair.network.run(HOUR_MS / 4)
    expect(pair.concentrator.eventsOf('closed').map(({ reason }) => reason)).toEqual(['expired'])
  })

  test('an attachment that authenticated anew in time takes over without a gap', () => {
    const pair = attach(HOUR_MS)
    const old = pair.concentrator.key
    pair.network.run(HOUR_MS - 1_000)
    pair.concentrator.answerTo = granting({ authLifetimeMs: HOUR_MS, replaces: [old] })
    initiate(pair)
    pair.network.run(GRACE_MS + 10_000)
    expect(pair.concentrator.eventsOf('closed').map(({ reason }) => reason)).toEqual(['superseded'])
    expect(pair.concentrator.children.size).toBe(1)
  })

  test('may be told again in an INFORMATIONAL request, well-formed or not at all', () => {
    const pair = attachedPair()
    const payloads = [notify(NOTIFY.AUTH_LIFETIME, Uint8Array.of(0, 0, 14, 16))]
    sendForged(pair.concentrator, { exchangeType: EXCHANGE.INFORMATIONAL, messageId: 0, payloads })
    pair.network.run(100)
    expect(pair.device.eventsOf('authLifetime')).toMatchObject([{ lifetimeMs: HOUR_MS }])
    const odd = [notify(NOTIFY.AUTH_LIFETIME, Uint8Array.of(1))]
    sendForged(pair.concentrator, { exchangeType: EXCHANGE.INFORMATIONAL, messageId: 1, payloads: odd })
    sendForged(pair.device, { exchangeType: EXCHANGE.INFORMATIONAL, messageId: 2, payloads })
    pair.network.run(100)
    expect([pair.device, pair.concentrator].map((node) => node.eventsOf('authLifetime').length)).toEqual([1, 0])
  })
})

describe('C36 INITIAL_CONTACT', () => {
  test('is told to who decides, and by itself closes nothing', () => {
    const pair = attachedPair()
    initiate(pair)
    pair.network.run(1_000)
    const asked = pair.concentrator.questions.filter((question) => question.kind === 'attach')
    expect(asked.map(({ initialContact }) => initialContact)).toEqual([true, true])
    expect(pair.concentrator.eventsOf('closed')).toEqual([])
  })

  test('closes nothing of another identity, whatever the answer names', () => {
    const pair = attachedPair()
    const other: AttachmentKey = pair.concentrator.key
    pair.concentrator.answerTo = granting({ replaces: [other] })
    initiate(pair, { localId: { type: 2, data: new TextEncoder().encode('other.test') } })
    pair.network.run(1_000)
    expect(pair.concentrator.eventsOf('closed')).toEqual([])
    expect(pair.concentrator.children.size).toBe(2)
  })

  test('outside the first IKE_AUTH it means nothing', () => {
    const pair = attachedPair()
    initiate(pair)
    pair.network.run(1_000)
    const payloads = [notify(NOTIFY.INITIAL_CONTACT)]
    sendForged(pair.device, { exchangeType: EXCHANGE.INFORMATIONAL, messageId: 2, payloads })
    pair.network.run(1_000)
    expect(pair.concentrator.eventsOf('closed')).toEqual([])
    expect(pair.concentrator.children.size).toBe(2)
  })
})
