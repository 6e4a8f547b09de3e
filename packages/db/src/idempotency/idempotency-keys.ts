/**
 * Idempotency keys: one row for each key of an actor. Claimed before the work, held by a lease that is renewed while the work
 * goes on, finished with the answer. A row whose lease ran out belonged to a process that died: the next call with the key
 * takes it over, with what the transactions of the first one came to.
 */
import { deserialize, serialize } from 'node:v8'
import { randomBytes, randomUUID } from 'node:crypto'
import type { Pool } from 'pg'
import { DUE_NOW } from '../due-now.ts'
import { Drawing } from '../drawing.ts'
import { answerKeptChannel } from '../notify.ts'
import { tenant } from '../tenant.ts'
import { KeptEffects, type KeptRow } from './kept-effects.ts'
import { hashKey, KeptSeal, saltBytes, type KeyHolder } from './kept-seal.ts'

/** What is replayed. */
export interface KeptAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Work under a key, which this process alone does. */
export interface Claim {
  readonly effects: KeptEffects
  readonly drawing: Drawing
  /** Still mine; call well before the lease runs out. */
  renew(): Promise<void>
  /** Every later call with the key gets it. */
  finish(answer: KeptAnswer): Promise<void>
  /** The next call with the key goes on where this one stopped. */
  interrupt(): Promise<void>
  /** As if there had been no call. */
  forget(): Promise<void>
}

export type ClaimResult =
  | { readonly kind: 'claimed'; readonly claim: Claim }
  | { readonly kind: 'answered'; readonly answer: KeptAnswer }
  /** By another call, for the time of its lease at most. */
  | { readonly kind: 'running' }
  /** The key was used for another request. */
  | { readonly kind: 'reused' }
  /** It is a new one, and the organization has {@link mostKeptKeys} already. */
  | { readonly kind: 'full' }

export const keptAnswerHours = 24
/** Silence after which the process that does a request counts as dead. */
export const claimLeaseSec = 15

interface Row {
  readonly salt: Buffer
  readonly fingerprint: Buffer
  readonly seed: Buffer
  readonly owner: string
  readonly held: boolean
  readonly effects: Buffer[]
  readonly status: number | null
  readonly answer: Buffer | null
}

/** Names the key on {@link answerKeptChannel}. */
export function keyName(holder: KeyHolder): string {
  return hashKey(holder).toString('hex')
}

/** @param request all that makes it another request when it differs. @param most keys of the organization */
export async function claimKey(
  pool: Pool,
  holder: KeyHolder,
  request: string,
  most: number = mostKeptKeys,
): Promise<ClaimResult> {
  const row = {
    organizationId: holder.organizationId,
    actor: holder.actor,
    keyHash: hashKey(holder),
    owner: randomUUID(),
  }
  const full = await isFull(pool, holder.organizationId, most)
  const made = full ? null : await insert(pool, row, holder, request)
  if (made) return { kind: 'claimed', claim: made }
  const stored = await read(pool, row)
  if (!stored) return { kind: full ? 'full' : 'running' } // forgotten meanwhile: the caller asks again
  const seal = new KeptSeal(holder, stored.salt)
  if (!seal.fingerprint(request).equals(stored.fingerprint)) return { kind: 'reused' }
  if (stored.answer) return { kind: 'answered', answer: deserialize(seal.open('answer', stored.answer)) as KeptAnswer }
  if (stored.held) return { kind: 'running' }
  const effects = await takeOver(pool, row, stored.owner)
  if (!effects) return { kind: 'running' }
  return { kind: 'claimed', claim: claimOf(pool, row, seal, { seed: seal.open('seed', stored.seed), effects }) }
}

/** Of one organization at a time; also those that have expired and are not removed yet. */
export const mostKeptKeys = 200_000
/** How long a count is believed: so much more than the bound may be kept as is made meanwhile. */
const countedForMs = 10_000
const mostRemembered = 10_000
const counts = new WeakMap<Pool, Map<string, { readonly full: boolean; readonly untilMs: number }>>()

async function isFull(pool: Pool, organizationId: string, most: number): Promise<boolean> {
  const known = counts.get(pool) ?? new Map<string, { full: boolean; untilMs: number }>()
  counts.set(pool, known)
  const before = known.get(organizationId)
  if (before && before.untilMs > performance.now()) return before.full
  if (known.size >= mostRemembered) known.clear()
  // Believed from now on, so that calls that come at once do not all count.
  known.set(organizationId, { full: before?.full ?? false, untilMs: performance.now() + countedForMs })
  const { rows } = await tenant(pool, organizationId).query<{ full: boolean }>(
    'SELECT EXISTS (SELECT 1 FROM idempotency_keys WHERE organization_id = $1 OFFSET $2) AS full',
    [organizationId, most],
  )
  const full = rows[0]?.full ?? false
  known.set(organizationId, { full, untilMs: performance.now() + countedForMs })
  return full
}

/** A key that has expired is as good as none. */
async function insert(pool: Pool, row: KeptRow, holder: KeyHolder, request: string): Promise<Claim | null> {
  const [salt, seed] = [randomBytes(saltBytes), randomBytes(32)]
  const seal = new KeptSeal(holder, salt)
  const { rowCount } = await tenant(pool, row.organizationId).query(
    `INSERT INTO idempotency_keys AS k (organization_id, actor, key_hash, salt, fingerprint, seed, owner, lease_until, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, now() + $8 * interval '1 second', now() + $9 * interval '1 hour')
     ON CONFLICT (organization_id, actor, key_hash) DO UPDATE SET salt = EXCLUDED.salt, fingerprint = EXCLUDED.fingerprint,
       seed = EXCLUDED.seed, owner = EXCLUDED.owner, lease_until = EXCLUDED.lease_until, created_at = now(),
       expires_at = EXCLUDED.expires_at, effects = '{}', status = NULL, answer = NULL
     WHERE k.expires_at <= now() AND k.lease_until <= now()`,
    [
      row.organizationId,
      row.actor,
      row.keyHash,
      salt,
      seal.fingerprint(request),
      seal.seal('seed', seed),
      row.owner,
      claimLeaseSec,
      keptAnswerHours,
    ],
  )
  return rowCount === 1 ? claimOf(pool, row, seal, { seed, effects: [] }) : null
}

async function read(pool: Pool, { organizationId, actor, keyHash }: KeptRow): Promise<Row | null> {
  const { rows } = await tenant(pool, organizationId).query<Row>(
    `SELECT salt, fingerprint, seed, owner, lease_until > now() AS held, effects, status, answer
     FROM idempotency_keys WHERE organization_id = $1 AND actor = $2 AND key_hash = $3`,
    [organizationId, actor, keyHash],
  )
  return rows[0] ?? null
}

async function takeOver(pool: Pool, row: KeptRow, from: string): Promise<Buffer[] | null> {
  const { rows } = await tenant(pool, row.organizationId).query<{ effects: Buffer[] }>(
    `UPDATE idempotency_keys SET owner = $4, lease_until = now() + $6 * interval '1 second'
     WHERE organization_id = $1 AND actor = $2 AND key_hash = $3 AND owner = $5 AND status IS NULL AND lease_until <= now()
     RETURNING effects`,
    [row.organizationId, row.actor, row.keyHash, row.owner, from, claimLeaseSec],
  )
  return rows[0]?.effects ?? null
}

function claimOf(pool: Pool, row: KeptRow, seal: KeptSeal, kept: { seed: Buffer; effects: Buffer[] }): Claim {
  const effects = new KeptEffects(row, seal, kept.effects)
  const mine = 'organization_id = $1 AND actor = $2 AND key_hash = $3 AND owner = $4 AND status IS NULL'
  /** Those who wait for the answer look again. */
  const change = async (statement: string, ...values: unknown[]): Promise<void> => {
    const text = `WITH changed AS (${statement} RETURNING 1) SELECT pg_notify($5, $6) FROM changed`
    const keys = [row.organizationId, row.actor, row.keyHash, row.owner, answerKeptChannel, row.keyHash.toString('hex')]
    await tenant(pool, row.organizationId).query(text, [...keys, ...values])
  }
  return {
    effects,
    drawing: new Drawing(kept.seed, 'outside'),
    renew: async () => {
      await tenant(pool, row.organizationId).query(
        `UPDATE idempotency_keys SET lease_until = now() + $5 * interval '1 second' WHERE ${mine}`,
        [row.organizationId, row.actor, row.keyHash, row.owner, claimLeaseSec],
      )
    },
    finish: (answer) =>
      change(
        `UPDATE idempotency_keys SET status = $7, answer = $8, effects = '{}', lease_until = ${DUE_NOW} WHERE ${mine}`,
        answer.status,
        seal.seal('answer', serialize(answer)),
      ),
    interrupt: () => change(`UPDATE idempotency_keys SET lease_until = ${DUE_NOW} WHERE ${mine}`),
    forget: () => change(`DELETE FROM idempotency_keys WHERE ${mine}`),
  }
}
