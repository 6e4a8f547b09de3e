/**
 * The access log of the gateway, written behind: rows wait in a bounded table and go to Postgres in batches. Nothing here is
 * awaited by a connection.
 *
 * Invariants: a row is written whole every time, so writing it again, late or twice changes nothing; while Postgres is away the
 * newest state of each row is kept; beyond the bound the oldest rows are given up and counted, and so is a row that Postgres
 * refuses: it does not keep the others back.
 */
import { type ConnectionRow, isDatabaseUnavailable, newId } from '@culvert/db'
import type { RefusalBudget } from './refusal-budget.ts'

/** Bytes that went through a flow so far. */
export interface FlowBytes {
  readonly bytesUp: number
  readonly bytesDown: number
}

export interface RecorderOptions {
  /** Writes rows, each by its id: new, or over the older one. */
  readonly write: (rows: readonly ConnectionRow[]) => Promise<void>
  readonly budget: RefusalBudget
  readonly maxRows: number
  readonly log: { warn(fields: object, message: string): void }
}

const FLUSH_MS = 200
const BATCH_ROWS = 500
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 10_000
const TELL_MS = 60_000

export class ConnectionRecorder {
  readonly #options: RecorderOptions
  readonly #rows = new Map<string, ConnectionRow>()
  #timer: NodeJS.Timeout | null = null
  #writing: Promise<void> | null = null
  #pauseMs = 0
  #lost = 0
  #tellAgainMs = -Infinity

  constructor(options: RecorderOptions) {
    this.#options = options
  }

  /** @returns a record of a connection that was just accepted; nothing is written yet. */
  begin(
    port: { readonly organizationId: string; readonly tunnelId: string; readonly portId: string },
    clientAddress: string,
    clientPort: number,
  ): ConnectionRow {
    const { organizationId, tunnelId, portId: tunnelPortId } = port
    const id = newId('con')
    const start = {
      state: 'open',
      reason: null,
      openedAt: new Date(),
      closedAt: null,
      bytesUp: 0,
      bytesDown: 0,
    } as const
    return { id, organizationId, tunnelId, tunnelPortId, clientAddress, clientPort, ...start }
  }

  opened(record: ConnectionRow): void {
    this.#put(record)
  }

  progress(record: ConnectionRow, { bytesUp, bytesDown }: FlowBytes): void {
    this.#put({ ...record, bytesUp, bytesDown })
  }

  closed(record: ConnectionRow, { bytesUp, bytesDown }: FlowBytes, reason: string): void {
    this.#put({ ...record, state: 'closed', reason, closedAt: new Date(), bytesUp, bytesDown })
  }

  refused(record: ConnectionRow, reason: string): void {
    if (!this.#options.budget.take(record.tunnelPortId, performance.now())) return
    this.#put({ ...record, state: 'refused', reason, closedAt: new Date() })
  }

  /** Writes what waits, as far as Postgres takes it. */
  async drain(): Promise<void> {
    this.#pauseMs = 0
    await this.#writing
    while (this.#rows.size > 0 && this.#pauseMs === 0) {
      this.#writing ??= this.#flush()
      await this.#writing
    }
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }

  #put(record: ConnectionRow): void {
    this.#rows.delete(record.id)
    this.#rows.set(record.id, record)
    if (this.#rows.size > this.#options.maxRows) this.#giveUpOldest()
    this.#schedule()
  }

  #giveUpOldest(): void {
    const oldest = this.#rows.keys().next()
    if (!oldest.done) this.#rows.delete(oldest.value)
    this.#lost++
  }

  #schedule(): void {
    if (this.#timer || this.#writing || this.#rows.size === 0) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#writing ??= this.#flush()
    }, this.#pauseMs || FLUSH_MS)
  }

  async #flush(): Promise<void> {
    const batch = [...this.#rows.values()].slice(0, BATCH_ROWS)
    for (const { id } of batch) this.#rows.delete(id)
    try {
      await this.#write(batch)
      this.#pauseMs = 0
      this.#tellLosses()
    } catch (error) {
      this.#pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, this.#pauseMs * 2))
      for (const row of batch) if (!this.#rows.has(row.id)) this.#rows.set(row.id, row)
      while (this.#rows.size > this.#options.maxRows) this.#giveUpOldest()
      this.#options.log.warn(
        { err: error, waiting: this.#rows.size },
        'connection rows could not be written, trying again',
      )
    }
    this.#writing = null
    this.#schedule()
  }

  async #write(batch: readonly ConnectionRow[]): Promise<void> {
    try {
      await this.#options.write(batch)
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error
      if (batch.length === 1) {
        this.#options.log.warn({ err: error }, 'a connection row was refused')
        this.#lost++
      } else for (const row of batch) await this.#write([row])
    }
  }

  /** At most once a minute, because somebody else decides how often there is something to tell. */
  #tellLosses(): void {
    if (performance.now() < this.#tellAgainMs) return
    const refusals = this.#options.budget.takeSuppressed()
    if (refusals > 0)
      this.#options.log.warn({ refusals }, 'refused connections beyond the limit were not recorded one by one')
    if (this.#lost > 0) this.#options.log.warn({ rows: this.#lost }, 'connection rows were given up')
    if (refusals > 0 || this.#lost > 0) this.#tellAgainMs = performance.now() + TELL_MS
    this.#lost = 0
  }
}
