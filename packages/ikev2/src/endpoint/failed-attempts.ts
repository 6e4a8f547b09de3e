/**
 * Failed authentications, by who somebody claimed to be together with where that came from (N19, N26).
 *
 * ```
 *   a name and a source with too many failures   dropped without an answer, and heard when it is repeated after a while
 *   the same name from another source            as ever
 *   another name from the same source            as ever
 * ```
 *
 * Never by the name alone: who claims a device's name from elsewhere does not lock it out. Even from the device's own source the
 * budget refills, so the device, which repeats its request, gets in between. A name that nobody has counts like one that somebody
 * has. How many attempts a source can make at all is bounded by its places in the half-open table.
 */
import { type BudgetLimits, Budgets } from './budgets.ts'
import type { Context } from './context.ts'
import { sourceName } from './source.ts'
import { toHex } from '../message/octets.ts'

const LIMITS: BudgetLimits = { burst: 20, refillMs: 500, names: 4_096 }
const NAME_BYTES = 16

export function createFailedAttempts(): Budgets {
  return new Budgets(LIMITS)
}

/** @param idBody body of IDi. @param address where the request came from. */
export function mayTry(context: Context, idBody: Uint8Array, address: string): boolean {
  const { failedAttempts } = context.tables
  return failedAttempts.size === 0 || failedAttempts.has(nameOf(context, idBody, address), context.env.nowMs)
}

export function noteFailure(context: Context, idBody: Uint8Array, address: string): void {
  context.tables.failedAttempts.take(nameOf(context, idBody, address), context.env.nowMs)
}

function nameOf({ env }: Context, idBody: Uint8Array, address: string): string {
  return `${toHex(env.crypto.sha256(idBody).subarray(0, NAME_BYTES))}/${sourceName(address)}`
}
