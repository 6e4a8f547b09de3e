/**
 * One step of the endpoint: what came in with it and what goes out of it. Handlers take a context and never return effects.
 *
 * `touched` lists the IKE SAs whose next deadline or next request has to be worked out when the input has been dealt with.
 */
import type { Effect, EndpointConfig, Env, IkeEvent, Path, Question } from './contract.ts'
import type { MessageOctets } from '../keys/int-auth.ts'
import type { IkeHeader, MessageId, Payload } from '../message/model.ts'
import type { Channel } from '../sa/channel.ts'
import type { Ask, IkeSa } from '../sa/ike-sa.ts'
import type { MessageRow, TablePhase } from '../sa/transition-table.ts'
import type { Tables } from './tables.ts'

/** Told of every message that was acted upon, and of the phase its IKE SA is in afterwards. */
export type TransitionObserver = (row: MessageRow, next: TablePhase) => void

const ASK_AGAIN_MS = 2_000

export interface Context {
  readonly config: EndpointConfig
  readonly env: Env
  readonly tables: Tables
  readonly effects: Effect[]
  readonly touched: Set<IkeSa>
  readonly observe: TransitionObserver | null
}

/** An authenticated, decoded message on an IKE SA, of the message id its window expects. */
export interface Received {
  readonly sa: IkeSa
  readonly channel: Channel
  readonly header: IkeHeader
  readonly messageId: MessageId
  readonly payloads: readonly Payload[]
  /** As they came; not kept past the call. */
  readonly octets: MessageOctets
  readonly path: Path
}

export function emit(context: Context, event: IkeEvent): void {
  context.effects.push({ kind: 'event', event })
}

/** Asks the driver on behalf of this IKE SA. @returns what its state has to remember. */
export function ask(context: Context, sa: IkeSa, question: Question): Ask {
  const { tables, env } = context
  const ticket = tables.nextTicket
  tables.nextTicket += 1
  tables.asks.set(ticket, sa)
  context.effects.push({ kind: 'ask', ticket, question })
  return { ticket, question, askedAtMs: env.nowMs }
}

/** Asks once more under the same ticket, because the peer repeated its request; the first answer counts. */
export function askAgain(context: Context, ask: Ask): void {
  if (context.env.nowMs < ask.askedAtMs + ASK_AGAIN_MS) return
  ask.askedAtMs = context.env.nowMs
  context.effects.push({ kind: 'ask', ticket: ask.ticket, question: ask.question })
}
