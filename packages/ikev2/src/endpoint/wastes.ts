/**
 * Who made us work for nothing: a public value that fails its tests costs a key exchange and leaves nothing to hold; a place whose
 * handshake came to nothing was of no use to anybody.
 *
 * Waste is counted in total, and for those that caused it last. Beyond a budget cookies are demanded: of all, or of the source that it
 * seems to come from. Only who caused it with a good cookie is not heard for a while, its port before its host and its host before its
 * source: anybody can write the address of somebody else, and behind the address of a carrier are many who did nothing.
 */
import type { MonotonicMs, SocketAddress } from './contract.ts'
import { createTokenBucket, hasToken, takeToken } from '../sa/token-bucket.ts'
import { Budgets } from './budgets.ts'
import { hostName, sharedPortName, sourceName } from './source.ts'

const BURST = 50
const REFILL_MS = 20
const SOURCE_WASTE = { burst: BURST, refillMs: REFILL_MS, names: 256 }
/** Half of that of its source. To use it up, somebody needs hundreds of ports. */
const HOST_WASTE = { burst: 25, refillMs: 40, names: 256 }
const PORT_WASTE = { burst: 3, refillMs: 30_000, names: 4_096 }
/** Of a source without a cookie, as no host has shown that it is there. */
const SUSPECT_WASTE = { burst: 10, refillMs: 200, names: 256 }
/** Handshakes fail on bad radio too. */
const PORT_FAILURES = { burst: 3, refillMs: 30_000, names: 8_192 }

export class Wastes {
  readonly #all = createTokenBucket(BURST, REFILL_MS, 0)
  /** Who had a good cookie. */
  readonly #ports = new Budgets(PORT_WASTE)
  readonly #hosts = new Budgets(HOST_WASTE)
  readonly #sources = new Budgets(SOURCE_WASTE)
  /** Sources that anybody may have written. */
  readonly #suspects = new Budgets(SUSPECT_WASTE)
  /** Ports whose handshakes are under way or came to nothing. */
  readonly #failures = new Budgets(PORT_FAILURES)

  /** @param isThere a good cookie came with the public value. */
  note(remote: SocketAddress, nowMs: MonotonicMs, isThere: boolean): void {
    const source = sourceName(remote.address)
    takeToken(this.#all, nowMs)
    if (isThere) {
      const port = sharedPortName(remote)
      if (port !== null) this.#ports.take(port, nowMs)
      this.#hosts.take(hostName(remote.address), nowMs)
      this.#sources.take(source, nowMs)
    } else this.#suspects.take(source, nowMs)
  }

  /** @param isKnown a device that was let in before is not answerable for its neighbours, only for its own port. */
  isHeard({ remote, isKnown }: { remote: SocketAddress; isKnown: boolean }, nowMs: MonotonicMs): boolean {
    const port = this.#ports.size === 0 ? null : sharedPortName(remote)
    if (port !== null && !this.#ports.has(port, nowMs)) return false
    return (
      isKnown ||
      (this.#sources.has(sourceName(remote.address), nowMs) && this.#hosts.has(hostName(remote.address), nowMs))
    )
  }

  /** Whether few key exchanges were wasted of late: by anybody, and in the name of this address. */
  isCalm(address: string, nowMs: MonotonicMs): boolean {
    return hasToken(this.#all, nowMs) && (this.#suspects.size === 0 || this.#suspects.has(sourceName(address), nowMs))
  }

  /** Who had shown that it is at this port has begun a handshake: it counts as failed until it is done. */
  noteAttempt(remote: SocketAddress, nowMs: MonotonicMs): void {
    const port = sharedPortName(remote)
    if (port !== null) this.#failures.take(port, nowMs)
  }

  noteSuccess(remote: SocketAddress): void {
    const port = sharedPortName(remote)
    if (port !== null) this.#failures.giveBack(port)
  }

  /** Whether few handshakes of this port are under way or came to nothing of late. */
  isPromising(remote: SocketAddress, nowMs: MonotonicMs): boolean {
    const port = this.#failures.size === 0 ? null : sharedPortName(remote)
    return port === null || this.#failures.has(port, nowMs)
  }
}
