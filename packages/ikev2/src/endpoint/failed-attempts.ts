/**
 * Failed authentications, by who somebody claimed to be together with where that came from (N19, N26).
 *
 * ```
 *   a name and a source with too many failures   dropped without an answer, and heard when it is repeated after a while
 *   the same name from another source            as ever
 *   another name from the same source            as ever
 *   the same name from an address where          as ever: such an address is a source of its own
 *     somebody has authenticated of late
 * ```
 *
 * Never by the name alone: who claims a device's name from elsewhere does not lock it out. Even from the device's own source the
 * budget refills, so a device that was never here, which repeats its request, gets in between; one that was is not held up by its
 * neighbours at all. Who authenticated there does not matter, so nobody learns whether a name is one of them. A name that nobody has
 * counts like one that somebody has. How many attempts a source can make at all is bounded by its places in the half-open table.
 */
import type { Context } from './context.ts'
import { hostName, sourceName } from './source.ts'
import { toHex } from '../message/octets.ts'

const NAME_BYTES = 16

/** Somebody has proven who it is at this address. */
export function noteAuthentication({ tables }: Context, address: string): void {
  tables.familiar.add(hostName(address))
}

/** @param idBody body of IDi. @param address where the request came from. */
export function mayTry(context: Context, idBody: Uint8Array, address: string): boolean {
  const { failedAttempts } = context.tables
  return failedAttempts.size === 0 || failedAttempts.has(nameOf(context, idBody, address), context.env.nowMs)
}

export function noteFailure(context: Context, idBody: Uint8Array, address: string): void {
  context.tables.failedAttempts.take(nameOf(context, idBody, address), context.env.nowMs)
}

function nameOf({ env, tables }: Context, idBody: Uint8Array, address: string): string {
  const host = hostName(address)
  const place = tables.familiar.has(host) ? host : sourceName(address)
  return `${toHex(env.crypto.sha256(idBody).subarray(0, NAME_BYTES))}/${place}`
}
