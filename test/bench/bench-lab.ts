/**
 * A laboratory with its own throw-away PostgreSQL for a bench; everything goes when the bench ends, also with Ctrl-C.
 */
import fs from 'node:fs'
import path from 'node:path'
import { migrate } from '@culvert/db'
import { scratchFolder, startPostgres } from '@culvert/services'
import { createLab, labMissing, type Lab } from '@culvert/testkit'

export interface BenchLab {
  readonly lab: Lab
  /** A migrated database. */
  readonly databaseUrl: string
  /** Runs before the lab goes, last given first. */
  atEnd(work: () => Promise<void>): void
}

export async function withBenchLab(work: (bench: BenchLab) => Promise<void>): Promise<void> {
  const missing = labMissing()
  if (missing) throw new Error(`this bench cannot run here: ${missing}`)
  const folder = await scratchFolder()
  const postgres = await startPostgres({ dataDir: path.join(folder, 'postgres'), durable: true })
  await migrate(postgres.url)
  const lab = await createLab()
  const endings: (() => Promise<void>)[] = []
  try {
    await work({ lab, databaseUrl: postgres.url, atEnd: (ending) => void endings.unshift(ending) })
  } finally {
    for (const ending of endings) await ending()
    await lab.close()
    await postgres.stop()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}
