/**
 * `npm start`: Culvert on this machine, ready to use, until Ctrl-C.
 *
 * Invariants: one way down for every reason (signal, a program that ended, a problem while starting), after which no process,
 * namespace or interface of the run is left; the data stays. Exit code 0 after a signal, 1 after anything else.
 */
import { ConfigError } from '@culvert/config'
import { setTimeout as pause } from 'node:timers/promises'
import { prepareFolders, shortPath } from './folders.ts'
import { Problem } from './problem.ts'
import { takeRunFile } from './run-file.ts'
import { progress, sentence, showReady } from './screen.ts'
import { readSettings } from './settings.ts'
import { startStack } from './stack.ts'
import { createTeardown } from './teardown.ts'

const SETTLE_TIMEOUT_MS = 15_000

class Stopped extends Error {}

async function main(): Promise<number> {
  if (process.platform !== 'linux')
    throw new Problem('Culvert runs on Linux; elsewhere, use a container or a virtual machine.')
  const settings = readSettings(process.env)
  const end = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => end.abort(new Stopped()))
  const folders = prepareFolders()
  const run = await takeRunFile(folders.run)
  const teardown = createTeardown()
  const onDeath = (problem: Problem): void => end.abort(problem)
  const ended = new Promise<unknown>((resolve) => {
    end.signal.addEventListener('abort', () => resolve(end.signal.reason))
  })

  const starting = startStack({ settings, folders, run, teardown, signal: end.signal, onDeath })
  let reason: unknown
  try {
    showReady(await Promise.race([starting, ended.then((why) => Promise.reject(why as Error))]))
    reason = await ended
  } catch (error) {
    reason = error
  }
  end.abort(reason)
  if (reason instanceof Stopped) process.stdout.write('\nStopping ...\n')
  else tell(reason)
  // What a step has just begun must be known to the teardown before it runs.
  await Promise.race([starting.catch(() => {}), pause(SETTLE_TIMEOUT_MS, undefined, { ref: false })])
  const failures = await teardown.run()
  for (const failure of failures) sentence(`Could not be undone: ${failure}.`)
  run.remove()
  if (reason instanceof Stopped) progress(`Stopped; the data is kept in ${shortPath(folders.data)}`)
  return reason instanceof Stopped && failures.length === 0 ? 0 : 1
}

function tell(reason: unknown): void {
  if (reason instanceof Problem || reason instanceof ConfigError) sentence(reason.message)
  else sentence(reason instanceof Error ? (reason.stack ?? reason.message) : String(reason))
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    tell(error)
    process.exit(1)
  },
)
