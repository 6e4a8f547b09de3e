import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  closeReasons,
  desiredListener,
  endStateOf,
  expiryReasons,
  failureReasons,
  isFinalTunnel,
  stepTunnel,
  tunnelStates,
  tunnelTransitions,
  type EndReason,
  type TunnelEvent,
  type TunnelStatus,
} from './index.ts'

const endReasons: readonly EndReason[] = [...closeReasons, ...expiryReasons, ...failureReasons]
const events: readonly TunnelEvent[] = [
  { kind: 'deviceAbsent' },
  { kind: 'deviceReady' },
  { kind: 'listening' },
  { kind: 'released' },
  ...endReasons.map((reason) => ({ kind: 'end', reason }) as const),
]
const start: TunnelStatus = { state: 'requested', reason: null }

/** Every status that a sequence of events can reach. */
function reachable(): TunnelStatus[] {
  const seen = new Map<string, TunnelStatus>([[JSON.stringify(start), start]])
  const todo = [start]
  for (let status = todo.pop(); status; status = todo.pop()) {
    for (const event of events) {
      const next = stepTunnel(status, event)
      if (!next || seen.has(JSON.stringify(next))) continue
      seen.set(JSON.stringify(next), next)
      todo.push(next)
    }
  }
  return [...seen.values()]
}

describe('the tunnel table', () => {
  it('has one row at most for each state and event', () => {
    const keys = tunnelTransitions.map((row) => `${row.from} ${row.on}`)
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('reaches every state from requested', () => {
    expect(new Set(reachable().map((status) => status.state))).toEqual(new Set(tunnelStates))
  })

  it('lets nothing out of a final state', () => {
    for (const status of reachable().filter(({ state }) => isFinalTunnel(state))) {
      for (const event of events) expect(stepTunnel(status, event)).toBeNull()
    }
  })

  it('can end every active state, and always with a reason', () => {
    for (const status of reachable().filter(({ state }) => !isFinalTunnel(state) && state !== 'draining')) {
      for (const reason of endReasons) {
        const ended = stepTunnel(status, { kind: 'end', reason })
        expect(ended?.reason).toBe(reason)
        const final = ended?.state === 'draining' ? stepTunnel(ended, { kind: 'released' }) : ended
        expect(final).toEqual({ state: endStateOf(reason), reason })
      }
    }
  })

  it('keeps the first reason when a draining tunnel is ended again', () => {
    expect(stepTunnel({ state: 'draining', reason: 'ttl_elapsed' }, { kind: 'end', reason: 'requested' })).toBeNull()
  })

  it('has a reason in every status that needs one and in no other', () => {
    for (const { state, reason } of reachable()) {
      expect(reason !== null).toBe(state === 'draining' || state === 'waiting_for_device' || isFinalTunnel(state))
    }
  })

  it('lets the gateway listen only while opening or open', () => {
    expect(tunnelStates.filter((state) => desiredListener(state) === 'listen')).toEqual(['opening', 'open'])
  })

  it('never opens without passing opening, whatever the order of events', () => {
    const everyStepIsSound = (sequence: readonly TunnelEvent[]): boolean => {
      let status = start
      return sequence.every((event) => {
        const before = status
        status = stepTunnel(before, event) ?? before
        const openedRightly = status.state !== 'open' || before.state === 'opening' || before.state === 'open'
        return openedRightly && (!isFinalTunnel(status.state) || status.reason !== null)
      })
    }
    const sequences = fc.array(fc.constantFrom(...events), { maxLength: 20 })
    expect(fc.check(fc.property(sequences, everyStepIsSound)).counterexample).toBeNull()
  })
})
