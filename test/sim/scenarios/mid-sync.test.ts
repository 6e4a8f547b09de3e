/**
 * RFC 6311 lets a cluster agree with its peers on message ids after a failover. It is not offered; a peer that begins with it anyway
 * is heard like one that sends a status notify nobody knows.
 */
import { EXCHANGE } from '@culvert/ikev2'
import { expect, test } from 'vitest'
import { notify, sendForged } from '../forge.ts'
import { attachedPair, createPair, initiate } from '../pair.ts'

const SYNC_SUPPORTED = 16_420
const REPLAY_COUNTER_SYNC_SUPPORTED = 16_421
const MESSAGE_ID_SYNC = 16_422
/** Nonce, next id to send, next id to receive. */
const DATA = Uint8Array.of(1, 2, 3, 4, 0, 0, 1, 0, 0, 0, 1, 0)

test('RFC 6311 is not offered', () => {
  const pair = createPair()
  initiate(pair)
  pair.network.run(1_000)
  expect(pair.transcript.take().join(' ')).not.toMatch(/\b1642[0-3]\b|SYNC/)
})

test.each([
  ['in its turn is answered empty', 2, ['con: INFORMATIONAL response 2, SK {}']],
  ['with message id 0, as after a failover, is dropped', 0, []],
] as const)('RFC 6311 a request to synchronize %s, and moves no window', (_name, messageId, answers) => {
  const pair = attachedPair()
  const payloads = [notify(MESSAGE_ID_SYNC, DATA), notify(SYNC_SUPPORTED), notify(REPLAY_COUNTER_SYNC_SUPPORTED)]
  sendForged(pair.device, { exchangeType: EXCHANGE.INFORMATIONAL, messageId, payloads })
  pair.network.run(100)
  expect(pair.transcript.take()).toEqual(answers)
  sendForged(pair.device, { exchangeType: EXCHANGE.INFORMATIONAL, messageId: 2 + answers.length, payloads: [] })
  pair.network.run(100)
  expect(pair.transcript.take()).toEqual([`con: INFORMATIONAL response ${2 + answers.length}, SK {}`])
})
