/**
 * Stateless cookies of IKE_SA_INIT (RFC 7296 2.6): version(1) | prf(secret of that version, Ni | IP | port | SPIi).
 *
 * The port too, as budgets and the reserve are those of ports: who shares an address with others cannot show a cookie of its own in
 * the name of theirs.
 *
 * The secret is replaced every minute while cookies are in use; the one before it stays good, so a cookie lives between one and
 * two minutes. A wrong cookie is treated as no cookie (C11).
 */
import type { CryptoProvider } from '@culvert/crypto'
import type { Env, MonotonicMs, SocketAddress } from './contract.ts'
import type { IkeSpi } from '../message/model.ts'
import { PRF } from '../message/numbers.ts'
import { constantTimeEqual, EMPTY, ikeSpiBytes } from '../message/octets.ts'
import { parseAddress } from '../traffic-selector/address.ts'

const SECRET_BYTES = 32
const SECRET_LIFETIME_MS = 60_000

interface CookieSecret {
  readonly version: number
  readonly secret: Uint8Array
  readonly madeAtMs: MonotonicMs
}

export interface CookieSecrets {
  current: CookieSecret | null
  previous: CookieSecret | null
}

/** What a cookie is bound to. */
export interface CookieSubject {
  readonly nonceI: Uint8Array
  readonly remote: SocketAddress
  readonly spiI: IkeSpi
}

export function createCookieSecrets(): CookieSecrets {
  return { current: null, previous: null }
}

/** @returns the cookie to demand, 33 octets. */
export function makeCookie(secrets: CookieSecrets, subject: CookieSubject, env: Env): Uint8Array {
  return cookieOf(rotate(secrets, env), subject, env.crypto)
}

export function isValidCookie(secrets: CookieSecrets, subject: CookieSubject, cookie: Uint8Array, env: Env): boolean {
  rotate(secrets, env)
  const made = [secrets.current, secrets.previous].find((secret) => secret !== null && secret.version === cookie[0])
  return made !== undefined && made !== null && constantTimeEqual(cookieOf(made, subject, env.crypto), cookie)
}

/** Replaces secrets that are too old. @returns the current one. */
function rotate(secrets: CookieSecrets, env: Env): CookieSecret {
  const { current } = secrets
  if (current !== null && env.nowMs < current.madeAtMs + SECRET_LIFETIME_MS) return current
  const isOutdated = current === null || env.nowMs >= current.madeAtMs + 2 * SECRET_LIFETIME_MS
  const next = {
    version: ((current?.version ?? 0) + 1) & 0xff,
    secret: env.rng(SECRET_BYTES),
    madeAtMs: env.nowMs,
  }
  secrets.previous = isOutdated ? null : current
  secrets.current = next
  return next
}

function cookieOf(secret: CookieSecret, { nonceI, remote, spiI }: CookieSubject, crypto: CryptoProvider): Uint8Array {
  const mac = crypto.prf(PRF.HMAC_SHA2_256)
  const address = parseAddress(remote.address) ?? EMPTY
  const port = Uint8Array.of(remote.port >>> 8, remote.port)
  const digest =
    mac === null
      ? crypto.sha256(secret.secret, nonceI, address, port, ikeSpiBytes(spiI))
      : mac.compute(secret.secret, nonceI, address, port, ikeSpiBytes(spiI))
  const cookie = new Uint8Array(1 + digest.length)
  cookie[0] = secret.version
  cookie.set(digest, 1)
  return cookie
}
