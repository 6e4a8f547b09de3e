/**
 * How often signatures are checked that are dear to check: one of P-521 costs us more than the rest of the handshake, and a stranger
 * makes the certificate that asks for it himself.
 *
 * ```
 *   a source that has spent its budget           not answered, and heard when it repeats its request
 *   another source                               as ever
 *   an address where somebody has proven         as ever: such an address is a source of its own
 *     himself of late
 *   a proof that turned out good                 is given back, so a fleet behind one address is bounded in how many come at the same
 *                                                moment, and not in how many there are
 * ```
 *
 * Charged before it is known whose the certificate is: so nobody learns that from whether there is an answer (N26). How often one name
 * is tried from one source is bounded besides, in the core, whatever the proof costs.
 */
import { Budgets, FamiliarAddresses, hostName, sourceName } from '@culvert/ikev2'

/** Ten a second of a source: a twentieth of a core. */
const LIMITS = { burst: 20, refillMs: 100, names: 4_096 }
/** Good ones take a moment from one question of the core to the next. */
const MOST_CLAIMS = 4_096

export class DearProofs {
  readonly #budgets = new Budgets(LIMITS)
  readonly #familiar = new FamiliarAddresses()
  /** Credentials of which a dear proof is looked at, and where. */
  readonly #claims = new Set<string>()

  /** Sources, addresses and claims that are remembered. */
  get size(): number {
    return this.#budgets.size + this.#familiar.size + this.#claims.size
  }

  /** @param address textual, where the proof came from @returns false when none is looked at now */
  take(address: string, nowMs: number): boolean {
    return this.#budgets.take(this.#placeOf(address), nowMs)
  }

  /** What was taken may turn out to have been for something: the proof claims to be of this credential. */
  claimed(credential: string, address: string): void {
    this.#claims.add(claimOf(credential, address))
    const oldest = this.#claims.values().next()
    if (this.#claims.size > MOST_CLAIMS && !oldest.done) this.#claims.delete(oldest.value)
  }

  /** Somebody has proven at this address who he is. @param credential with which; null without one */
  proven(credential: string | null, address: string): void {
    if (credential !== null && this.#claims.delete(claimOf(credential, address)))
      this.#budgets.giveBack(this.#placeOf(address))
    this.#familiar.add(hostName(address))
  }

  #placeOf(address: string): string {
    const host = hostName(address)
    return this.#familiar.has(host) ? host : sourceName(address)
  }
}

function claimOf(credential: string, address: string): string {
  return `${credential}/${hostName(address)}`
}
