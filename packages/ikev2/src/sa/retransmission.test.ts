import { expect, test } from 'vitest'
import type { EndpointTiming } from '../endpoint/contract.ts'
import { retransmissionSpanMs, retransmit, startRetransmission } from './retransmission.ts'

const timing: EndpointTiming = {
  livenessMs: 0,
  retransmit: { firstMs: 1_000, factor: 2, tries: 3 },
  halfOpenMs: 0,
  ikeRekeyMs: 0,
  childRekeyMs: 0,
  natKeepaliveMs: 0,
}

test('C46 waits longer after each transmission, and gives up after the last', () => {
  const state = startRetransmission([Uint8Array.of(1)], 0, timing)
  const schedule: (number | string)[] = [state.dueMs]
  while (retransmit(state, state.dueMs, timing) === 'repeat') schedule.push(state.dueMs)
  expect(schedule).toEqual([1_000, 3_000, 7_000, 15_000])
  expect(state.dueMs).toBe(retransmissionSpanMs(timing))
})

test('C46 keeps the very octets', () => {
  const datagrams = [Uint8Array.of(1, 2, 3)]
  const state = startRetransmission(datagrams, 0, timing)
  retransmit(state, 1_000, timing)
  expect(state.datagrams).toBe(datagrams)
})
