/** Keeps the revocation list: made anew when what is on it changes, and before it gets old. */
import { readRevocations, writeRevocationList, type Pool } from '@culvert/db'
import { createHash } from 'node:crypto'
import type { LoadedAuthority } from './load-authority.ts'

const LIFETIME_MS = 7 * 86_400_000

/** @returns whether a list was made now; another signer may have been faster */
export async function renewRevocationList(pool: Pool, loaded: LoadedAuthority, nowMs: number): Promise<boolean> {
  const state = await readRevocations(pool, loaded.id)
  if (!state) return false
  const digest = createHash('sha256')
    .update(state.revoked.map(({ serial }) => serial).join(' '))
    .digest('hex')
  const isFresh = state.nextUpdate !== null && state.nextUpdate.getTime() - nowMs > LIFETIME_MS / 2
  if (isFresh && state.digest === digest) return false
  const number = state.number + 1
  const crl = await loaded.authority.issueCrl({
    number,
    atMs: nowMs,
    lifetimeMs: LIFETIME_MS,
    revoked: state.revoked.map(({ serial, revokedAt }) => ({ serial, atMs: revokedAt.getTime() })),
  })
  return writeRevocationList(pool, loaded.id, { crl, number, digest, nextUpdate: new Date(nowMs + LIFETIME_MS) })
}
