/**
 * The IKEv2 engine of one node: all its IKE SAs, as initiator and responder, behind one synchronous `step`.
 *
 * After every input the IKE SAs it touched start waiting work and are put at their next deadline; no step looks at any other.
 * Equal inputs, clock and randomness give equal effects.
 */
import { hearAnswer } from './answers.ts'
import { obey } from './commands.ts'
import type { Env, EndpointConfig, IkeEndpoint, Input, StepResult } from './contract.ts'
import type { Context } from './context.ts'
import { ikeSaDueMs } from './deadline.ts'
import { receiveDatagram } from './inbound.ts'
import { createTables, type Tables } from './tables.ts'
import { serveDueIkeSa } from './wake.ts'
import { startWork } from './work.ts'

export function createEndpoint(config: EndpointConfig): IkeEndpoint {
  const tables = createTables()
  return {
    step: (input, env) => step(config, tables, input, env),
    get size() {
      return { established: tables.established, halfOpen: tables.halfOpen.size }
    },
  }
}

function step(config: EndpointConfig, tables: Tables, input: Input, env: Env): StepResult {
  const context: Context = { config, env, tables, effects: [], touched: new Set() }
  take(context, input)
  settle(context)
  return { effects: context.effects, wakeAtMs: tables.timers.nextMs }
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

function wake(context: Context): void {
  const { timers } = context.tables
  for (let sa = timers.popDue(context.env.nowMs); sa !== null; sa = timers.popDue(context.env.nowMs)) {
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
