/**
 * The IKEv2 engine of one node: all its IKE SAs, as initiator and responder, behind one synchronous `step`.
 *
 * After every input the IKE SAs it touched start waiting work and are put at their next deadline; no step looks at any other.
 * Equal inputs, clock and randomness give equal effects.
 */
import { hearAnswer } from './answers.ts'
import { obey } from './commands.ts'
import type { EndpointConfig, IkeEndpoint, Input, MonotonicMs } from './contract.ts'
import type { Context, TransitionObserver } from './context.ts'
import { ikeSaDueMs } from './deadline.ts'
import { receiveDatagram } from './inbound.ts'
import { createTables } from './tables.ts'
import { serveDueIkeSa } from './wake.ts'
import { startWork } from './work.ts'

/** IKE SAs served in one step: each may cost a key exchange, and datagrams wait meanwhile. */
const MAX_SERVED_PER_WAKE = 64

/** @param observe for diagnosis: told of every message acted upon; must not call back. */
export function createEndpoint(config: EndpointConfig, observe: TransitionObserver | null = null): IkeEndpoint {
  const tables = createTables()
  return {
    step: (input, env) => {
      const context: Context = { config, env, tables, effects: [], touched: new Set(), observe }
      tables.ephemeralKeys.expire(env.nowMs)
      take(context, input)
      settle(context)
      return { effects: context.effects, wakeAtMs: earlier(tables.timers.nextMs, tables.ephemeralKeys.expiresAtMs) }
    },
    get size() {
      return { established: tables.established, halfOpen: tables.halfOpen.size }
    },
    get tableSizes() {
      const { bySpi, attachments, asks, timers } = tables
      return { ikeSas: bySpi.size, attachments: attachments.size, asks: asks.size, timers: timers.size }
    },
  }
}

function earlier(a: MonotonicMs | null, b: MonotonicMs | null): MonotonicMs | null {
  if (a === null || b === null) return a ?? b
  return Math.min(a, b)
}

function take(context: Context, input: Input): void {
  switch (input.kind) {
    case 'datagram':
      receiveDatagram(context, input.bytes, input.path)
      break
    case 'wake':
      wake(context)
      break
    case 'answer':
      hearAnswer(context, input.ticket, input.answer)
      break
    case 'command':
      obey(context, input.command)
      break
  }
}

/** What is left over is due at once, so the driver wakes us again after what else is waiting. */
function wake(context: Context): void {
  const { timers } = context.tables
  for (let served = 0; served < MAX_SERVED_PER_WAKE; served += 1) {
    const sa = timers.popDue(context.env.nowMs)
    if (sa === null) return
    serveDueIkeSa(context, sa)
  }
}

/** Starts waiting requests and sets timers; what is touched meanwhile is settled too. */
function settle(context: Context): void {
  const { tables, config, touched } = context
  for (const sa of touched) {
    if ('attachment' in sa.state) startWork(context, sa.state.attachment)
    if (tables.bySpi.get(sa.localSpi) === sa) tables.timers.set(sa, ikeSaDueMs(config.timing, sa))
  }
}
