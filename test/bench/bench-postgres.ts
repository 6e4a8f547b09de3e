/** A throw-away PostgreSQL that keeps what it acknowledged, for a bench that needs no laboratory; everything goes when the bench ends. */
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { scratchFolder, startPostgres } from '@culvert/services'

export interface BenchPostgres {
  /** Of the server, as its superuser; no database of it is migrated. */
  readonly url: string
  /** Of the server, for what else the bench starts; goes when it ends. */
  readonly folder: string
  /** Runs before the server stops, last given first. */
  atEnd(work: () => Promise<unknown>): void
}

export async function withBenchPostgres(work: (bench: BenchPostgres) => Promise<void>): Promise<void> {
  const root = await scratchFolder()
  const endings: (() => Promise<unknown>)[] = [() => rm(root, { recursive: true, force: true })]
  try {
    const postgres = await startPostgres({ dataDir: path.join(root, 'postgres') })
    endings.unshift(() => postgres.stop())
    await work({ url: postgres.url, folder: root, atEnd: (ending) => void endings.unshift(ending) })
  } finally {
    for (const ending of endings) await ending()
  }
}
