/**
 * What the transactions of a request came to, each written by its own transaction: after a crash the same request is done
 * again from its beginning, and a transaction that was committed before is not done again but gives what it gave then.
 *
 * The row is also the fence: of two processes that believe they do the request, only the one whose name stands in it gets to
 * do anything, and nobody's name changes while a transaction of the request is under way.
 */
import { deserialize, serialize } from 'node:v8'
import { isRefusalObject } from '../refusal.ts'
import type { TenantSql } from '../tenant-sql.ts'
import type { KeptSeal } from './kept-seal.ts'

/** Another process has taken the request over. */
export class RequestTakenOver extends Error {}

export interface KeptRow {
  readonly organizationId: string
  readonly actor: string
  readonly keyHash: Buffer
  /** Of the process that does the request now. */
  readonly owner: string
}

export class KeptEffects {
  readonly #row: KeptRow
  readonly #seal: KeptSeal
  readonly #kept = new Map<number, Buffer>()
  #calls = 0
  #committed: number
  #ended = false

  /** @param stored entries of the row: the number of the transaction (2 octets), then what it gave, sealed */
  constructor(row: KeptRow, seal: KeptSeal, stored: readonly Buffer[]) {
    this.#row = row
    this.#seal = seal
    for (const entry of stored) this.#kept.set(entry.readUInt16BE(0), entry.subarray(2))
    this.#committed = stored.length
  }

  /** Work of another organization, or after the answer, is not part of the request. */
  isOf(organizationId: string): boolean {
    return !this.#ended && organizationId === this.#row.organizationId
  }

  /** Something of this request is in the database for good. */
  get any(): boolean {
    return this.#committed > 0
  }

  /** @returns the number of the next transaction: the order of calls is the same each time the request is done */
  next(): number {
    return this.#calls++
  }

  /** @returns what the transaction gave when it was committed, or null */
  before(number: number): { readonly result: unknown } | null {
    const entry = this.#kept.get(number)
    return entry ? { result: deserialize(this.#seal.open(`effect ${number}`, entry)) } : null
  }

  /** Call first in the transaction: the row is this process's until it ends. @throws RequestTakenOver */
  async hold(tx: TenantSql): Promise<void> {
    const { organizationId, actor, keyHash, owner } = this.#row
    const { rowCount } = await tx.query(
      `SELECT 1 FROM idempotency_keys
       WHERE organization_id = $1 AND actor = $2 AND key_hash = $3 AND owner = $4 AND status IS NULL FOR NO KEY UPDATE`,
      [organizationId, actor, keyHash, owner],
    )
    if (rowCount !== 1) throw new RequestTakenOver('the request is done by another process')
  }

  /** Call last before the commit. A refusal is no effect and may turn out otherwise the next time. */
  async write(tx: TenantSql, number: number, result: unknown): Promise<void> {
    if (isRefusal(result)) return
    const place = Buffer.alloc(2)
    place.writeUInt16BE(number)
    const entry = Buffer.concat([place, this.#seal.seal(`effect ${number}`, serialize(result))])
    const { organizationId, actor, keyHash } = this.#row
    await tx.query(
      `UPDATE idempotency_keys SET effects = array_append(effects, $4)
       WHERE organization_id = $1 AND actor = $2 AND key_hash = $3`,
      [organizationId, actor, keyHash, entry],
    )
  }

  wasCommitted(result: unknown): void {
    if (!isRefusal(result)) this.#committed += 1
  }

  end(): void {
    this.#ended = true
  }
}

/** Functions of this package say by a word or by a `refusal` why nothing was done, or by null that there is nothing. Ids are no such words. */
function isRefusal(result: unknown): boolean {
  if (isRefusalObject(result)) return true
  return result === null || (typeof result === 'string' && !/^[a-z]{3}_[a-z2-7]{20}$/.test(result))
}
