/**
 * Our ephemeral keys of IKE_SA_INIT as responder: one for each device, except while a crowd comes, when devices that come within
 * a second share one (RFC 7296 2.12 allows it, RFC 6989 says which tests go with it).
 *
 * Making a key costs as much as using it. After an outage a fleet comes back at once, and then half of what can be spared is
 * spared here. A crowd are those who wait, or as many that came of late: who is answered as fast as it comes does not wait.
 *
 * What it costs: until the key is destroyed, whoever reads it from our memory reads the handshakes of that second, of which none is
 * older than `MOST_MS` and no more than `MOST_USES` belong together. Nonces and SPIs are never shared.
 *
 * Curve25519 alone: its values have no test that depends on reuse but that of a zero result, which is always made (RFC 6989 2.4,
 * RFC 8031 2).
 */
import type { KeyExchangeAnswer, KeyExchangePrivate } from '@culvert/crypto'
import { KE } from '../message/numbers.ts'
import type { Env, MonotonicMs } from './contract.ts'

/** Half-open IKE SAs from which on they share. */
const CROWD = 8
/** So many that come within this time share too. With fewer, keys of their own cost less than a hundredth of a processor. */
const RUSH = 16
const RUSH_MS = 100
const MOST_MS = 1_000
const MOST_USES = 64

interface SharedKey {
  readonly own: KeyExchangePrivate
  readonly expiresAtMs: MonotonicMs
  usesLeft: number
}

export class EphemeralKeys {
  #shared: SharedKey | null = null
  /** When the last of them came, in a ring. */
  readonly #cameAtMs: MonotonicMs[] = Array.from({ length: RUSH }, () => -Infinity)
  #newest = 0

  /** When `expire` is due; null while nothing is shared. */
  get expiresAtMs(): MonotonicMs | null {
    return this.#shared?.expiresAtMs ?? null
  }

  /**
   * Our half of a key exchange, and the secret.
   *
   * @param halfOpen IKE SAs that are half-open now
   * @returns null when the peer's value is no good (RFC 6989)
   */
  respond(env: Env, group: number, peerValue: Uint8Array, halfOpen: number): KeyExchangeAnswer | null {
    const method = env.crypto.keyExchange(group)
    if (method === null) return null
    if (group !== KE.CURVE25519) return method.respond(env.rng, peerValue)
    const isRush = this.#isRush(env.nowMs)
    if (halfOpen < CROWD && !isRush) return method.respond(env.rng, peerValue)
    this.expire(env.nowMs)
    this.#shared ??= { own: method.generate(env.rng), expiresAtMs: env.nowMs + MOST_MS, usesLeft: MOST_USES }
    const { own } = this.#shared
    const sharedSecret = own.sharedSecret(peerValue)
    this.#shared.usesLeft -= 1
    if (this.#shared.usesLeft === 0) this.#end()
    return sharedSecret === null ? null : { publicValue: own.publicValue, sharedSecret }
  }

  /** Destroys the key when its time is over. */
  expire(nowMs: MonotonicMs): void {
    if (this.#shared !== null && nowMs >= this.#shared.expiresAtMs) this.#end()
  }

  /** One more comes. @returns whether it is one of many. */
  #isRush(nowMs: MonotonicMs): boolean {
    this.#newest = (this.#newest + 1) % RUSH
    this.#cameAtMs[this.#newest] = nowMs
    const oldestMs = this.#cameAtMs[(this.#newest + 1) % RUSH] ?? -Infinity
    return nowMs - oldestMs < RUSH_MS
  }

  #end(): void {
    this.#shared?.own.destroy()
    this.#shared = null
  }
}
