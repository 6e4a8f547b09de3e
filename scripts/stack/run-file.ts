/**
 * One run at a time, and nothing left of a run that was killed: a file names the launcher and every process it started, by
 * number and start time, so that the next launcher ends exactly those.
 */
import { markIsAlive, processMark } from '@culvert/services'
import fs from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { Problem } from './problem.ts'

const TERM_TIMEOUT_MS = 8_000

interface RunRecord {
  readonly launcher: string
  readonly children: readonly string[]
}

export interface RunFile {
  /** Remembers a process of this run. */
  started(pid: number): void
  remove(): void
}

/** @throws Problem when another run is alive on this file */
export async function takeRunFile(file: string): Promise<RunFile> {
  const earlier = read(file)
  if (earlier && markIsAlive(earlier.launcher)) {
    const pid = Number.parseInt(earlier.launcher, 10)
    throw new Problem(
      `Culvert already runs (process ${pid}, ${file}): stop that one first, with Ctrl-C or \`kill ${pid}\`.`,
    )
  }
  await endAll(earlier?.children ?? [])
  const children: string[] = []
  const write = (): void =>
    fs.writeFileSync(file, JSON.stringify({ launcher: processMark(), children } satisfies RunRecord), { mode: 0o600 })
  write()
  return {
    started(pid) {
      children.push(processMark(pid))
      write()
    },
    remove: () => fs.rmSync(file, { force: true }),
  }
}

async function endAll(marks: readonly string[]): Promise<void> {
  const alive = (): string[] => marks.filter(markIsAlive)
  for (const mark of alive()) signal(mark, 'SIGTERM')
  const deadline = performance.now() + TERM_TIMEOUT_MS
  while (alive().length > 0 && performance.now() < deadline) await pause(50)
  for (const mark of alive()) signal(mark, 'SIGKILL')
}

/** Every child leads a process group. */
function signal(mark: string, name: NodeJS.Signals): void {
  try {
    process.kill(-Number.parseInt(mark, 10), name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function read(file: string): RunRecord | null {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) as RunRecord
  } catch {
    return null
  }
}
