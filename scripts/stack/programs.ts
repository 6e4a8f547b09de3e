/**
 * The processes of the stack: each `node --conditions=source <its main.ts>`, its output in a log file, ended in reverse order.
 * A program knows only the servers it is told of: DATABASE_URL and REDIS_URL of the launcher hold passwords and are not handed down.
 * None is restarted: one that ends by itself ends the stack, and the person reads why.
 */
import { endChild, ending } from '@culvert/services'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { type Folders, root, shortPath } from './folders.ts'
import { Problem } from './problem.ts'
import type { RunFile } from './run-file.ts'
import type { Teardown } from './teardown.ts'

const LAST_LINES = 8

export interface Program {
  readonly name: string
  /** Its main module, below the repository's root. */
  readonly main: string
  readonly env: Readonly<Record<string, string>>
  /** Network namespace to run in. */
  readonly namespace?: string
}

export interface Programs {
  start(program: Program): void
}

/** @param onDeath told when a program ends by itself */
export function createPrograms(
  folders: Folders,
  run: RunFile,
  teardown: Teardown,
  onDeath: (problem: Problem) => void,
): Programs {
  return {
    start({ name, main, env, namespace }) {
      const logFile = path.join(folders.logs, `${name}.log`)
      const log = fs.openSync(logFile, 'w', 0o600)
      const node = [process.execPath, '--conditions=source', path.join(root, main)]
      const [command = '', ...args] = namespace ? ['ip', 'netns', 'exec', namespace, ...node] : node
      const child = spawn(command, args, {
        cwd: root,
        env: { ...process.env, DATABASE_URL: undefined, REDIS_URL: undefined, ...env },
        stdio: ['ignore', log, log],
        detached: true, // Ctrl-C reaches the launcher alone, which ends the others in order
      })
      fs.closeSync(log)
      child.on('error', (error) => onDeath(new Problem(`${name} could not be started: ${error.message}.`, error)))
      if (child.pid) run.started(child.pid)
      let stopping = false
      teardown.add(name, () => {
        stopping = true
        return endChild(child, 'SIGTERM')
      })
      void ending(child).then((how) => {
        if (!stopping)
          onDeath(new Problem(`${lastLines(logFile)}${name} has ended (${how}); its log is ${shortPath(logFile)}.`))
      })
    },
  }
}

function lastLines(file: string): string {
  const lines = fs.readFileSync(file, 'utf8').trimEnd().split('\n').slice(-LAST_LINES)
  return lines.join('\n') === '' ? '' : `${lines.join('\n')}\n`
}
