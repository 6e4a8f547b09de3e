/**
 * What a scene has to undo, collected while it is built: the last thing made is undone first, and a scene that fails half-way
 * undoes what it made so far.
 */
import fs from 'node:fs'
import { scratchFolder } from '@culvert/services'

export interface Closings {
  add(close: () => unknown): void
  /** A temporary folder that goes at the end; one of a killed run is swept by a later run. */
  folder(): Promise<string>
  /** Undoes everything; the second call does nothing. */
  close(): Promise<void>
}

export function createClosings(): Closings {
  const closings: (() => unknown)[] = []
  return {
    add: (close) => void closings.push(close),
    async folder() {
      const folder = await scratchFolder()
      closings.push(() => fs.rmSync(folder, { recursive: true, force: true }))
      return folder
    },
    async close() {
      for (const close of closings.splice(0).toReversed()) await close()
    },
  }
}

export async function closedOnFailure<T>(build: (closings: Closings) => Promise<T>): Promise<T> {
  const closings = createClosings()
  try {
    return await build(closings)
  } catch (error) {
    await closings.close()
    throw error
  }
}
