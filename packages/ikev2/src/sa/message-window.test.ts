import { expect, test } from 'vitest'
import {
  classifyRequest,
  commitResponse,
  createReceiveWindow,
  createSendWindow,
  mayRepeat,
  MESSAGE_ID_END,
  MESSAGE_ID_RESERVE,
  messageIdsRunLow,
  takeMessageId,
} from './message-window.ts'

const RESPONSE = [Uint8Array.of(1)]

test('C47 only the expected request is fresh', () => {
  const window = createReceiveWindow(1)
  expect([0, 1, 2, 0xffff_ffff].map((id) => classifyRequest(window, id))).toEqual([
    'outside',
    'fresh',
    'outside',
    'outside',
  ])
})

test('C45 the request answered last is repeated, those before it are ignored', () => {
  const window = createReceiveWindow(0)
  commitResponse(window, RESPONSE, 5)
  commitResponse(window, RESPONSE, 6)
  expect([0, 1, 2].map((id) => classifyRequest(window, id))).toEqual(['outside', 'repeated', 'fresh'])
  expect(window.answeredAtMs).toBe(6)
})

test('C45 a forgotten response is not made again', () => {
  const window = createReceiveWindow(0)
  commitResponse(window, RESPONSE, 5)
  window.response = null
  expect(classifyRequest(window, 0)).toBe('outside')
})

test('a request that waits for a decision is not taken twice', () => {
  const window = createReceiveWindow(1)
  window.answering = true
  expect(classifyRequest(window, 1)).toBe('answering')
  commitResponse(window, RESPONSE, 5)
  expect(classifyRequest(window, 2)).toBe('fresh')
})

test('C48 ids rise by one and never wrap', () => {
  const window = createSendWindow(0)
  expect([takeMessageId(window), takeMessageId(window)]).toEqual([0, 1])
  window.next = MESSAGE_ID_END - 1
  expect(takeMessageId(window)).toBe(MESSAGE_ID_END - 1)
  expect(takeMessageId(window)).toBeNull()
})

test('C48 running low is seen in either direction', () => {
  const low = MESSAGE_ID_END - MESSAGE_ID_RESERVE
  expect(messageIdsRunLow(createReceiveWindow(low), createSendWindow(0))).toBe(true)
  expect(messageIdsRunLow(createReceiveWindow(0), createSendWindow(low))).toBe(true)
  expect(messageIdsRunLow(createReceiveWindow(low - 1), createSendWindow(low - 1))).toBe(false)
})

test('C45 a response is repeated at most ten times a second', () => {
  const window = createReceiveWindow(0)
  commitResponse(window, RESPONSE, 5)
  expect([5, 6, 104, 105, 204].map((nowMs) => mayRepeat(window, nowMs))).toEqual([true, false, false, true, false])
})
