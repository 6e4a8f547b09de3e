import { describe, expect, test } from 'vitest'
import { EXCHANGE, NOTIFY } from '../message/numbers.ts'
import type { Payload } from '../message/model.ts'
import { findPayload, firstError, fitsRow } from './payload-shape.ts'
import { findRow, INTERNAL_ROWS, MESSAGE_ROWS, type MessageRow, type TablePhase } from './transition-table.ts'

const NONCE: Payload = { kind: 'nonce', data: new Uint8Array(16) }
const SA: Payload = { kind: 'sa', proposals: [] }
const ERROR: Payload = {
  kind: 'notify',
  protocolId: 0,
  spi: new Uint8Array(0),
  type: NOTIFY.NO_PROPOSAL_CHOSEN,
  data: new Uint8Array(0),
}
const UNKNOWN: Payload = { kind: 'unknown', type: 200, data: new Uint8Array(0) }

const ALL_PHASES: readonly TablePhase[] = [
  'listening',
  'initSent',
  'resumeSent',
  'resumeAnswered',
  'resumeAsked',
  'initAnswered',
  'intermediateAwaited',
  'intermediateSent',
  'credentialAsked',
  'eapAsked',
  'eapSent',
  'eapProven',
  'attachAsked',
  'rejected',
  'authSent',
  'trustAsked',
  'established',
  'replaced',
  'deleting',
  'closed',
  'gone',
]

const UNPROVEN = [
  'initAnswered',
  'credentialAsked',
  'eapAsked',
  'eapSent',
  'eapProven',
  'attachAsked',
  'rejected',
  'authSent',
  'trustAsked',
] as const

test('rows are disjoint', () => {
  const keys = MESSAGE_ROWS.map((row) => nameOf(row))
  expect(new Set(keys).size).toBe(keys.length)
})

test('every phase is reachable from listening, and gone from every phase', () => {
  const edges = [...MESSAGE_ROWS, ...INTERNAL_ROWS]
  const reachable = closure(['listening'], (phase) =>
    edges.filter((row) => row.phase === phase).flatMap((row) => row.next),
  )
  expect([...reachable].toSorted()).toEqual([...ALL_PHASES].toSorted())
  const ending = closure(['gone'], (phase) => edges.filter((row) => row.next.includes(phase)).map((row) => row.phase))
  expect([...ending].toSorted()).toEqual([...ALL_PHASES].toSorted())
})

test('C37 before authentication nothing but IKE_AUTH is heard', () => {
  const others = Object.values(EXCHANGE).filter((exchange) => exchange !== EXCHANGE.IKE_AUTH)
  for (const phase of UNPROVEN) {
    for (const exchange of others) {
      expect(findRow(phase, exchange, 'request')).toBeNull()
      expect(findRow(phase, exchange, 'response')).toBeNull()
    }
  }
})

test('C37 before the additional key exchanges are through nothing but IKE_INTERMEDIATE is heard', () => {
  const others = Object.values(EXCHANGE).filter((exchange) => exchange !== EXCHANGE.IKE_INTERMEDIATE)
  for (const phase of ['intermediateAwaited', 'intermediateSent'] as const) {
    for (const exchange of others) {
      expect(findRow(phase, exchange, 'request')).toBeNull()
      expect(findRow(phase, exchange, 'response')).toBeNull()
    }
  }
  expect(findRow('intermediateSent', EXCHANGE.IKE_INTERMEDIATE, 'request')).toBeNull()
})

describe('every row', () => {
  test.each(MESSAGE_ROWS.map((row) => [nameOf(row), row] as const))(
    '%s takes what it requires and refuses doubles',
    (_key, row) => {
      const required = row.required.map((kind) => sample(kind))
      expect(fitsRow(row, [...required, UNKNOWN])).toBe(true)
      for (const payload of required) {
        expect(
          fitsRow(
            row,
            required.filter((other) => other !== payload),
          ),
        ).toBe(false)
        expect(fitsRow(row, [...required, payload])).toBe(false)
      }
      for (const kind of row.optional) {
        expect(fitsRow(row, [...required, sample(kind)])).toBe(true)
        expect(fitsRow(row, [...required, sample(kind), sample(kind)])).toBe(false)
      }
    },
  )
})

test('a response that reports an error lacks what a good one has', () => {
  const row = findRow('established', EXCHANGE.CREATE_CHILD_SA, 'response')
  if (row === null) throw new Error('there is one')
  expect(fitsRow(row, [ERROR])).toBe(true)
  expect(fitsRow(row, [])).toBe(false)
})

test('payloads are found by kind, wherever they stand', () => {
  expect(findPayload([UNKNOWN, SA, NONCE], 'nonce')).toBe(NONCE)
  expect(findPayload([UNKNOWN], 'nonce')).toBeNull()
  expect(firstError([SA, ERROR])).toBe(ERROR)
})

function sample(kind: Payload['kind']): Payload {
  return { ...NONCE, kind } as Payload
}

function closure(start: readonly TablePhase[], step: (phase: TablePhase) => readonly TablePhase[]): Set<TablePhase> {
  const found = new Set<TablePhase>(start)
  for (const phase of found) for (const next of step(phase)) found.add(next)
  return found
}

function nameOf({ phase, exchangeType, role }: MessageRow): string {
  return `${phase}/${exchangeType}/${role}`
}
