/** Scripts of this repository, run as people run them. */
import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'

const FOLDER = path.resolve(import.meta.dirname, '../../../scripts')

export interface ScriptResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs `scripts/<name>` on `databaseUrl`. Never rejects for an exit status. */
export async function runScript(name: string, args: readonly string[], databaseUrl: string): Promise<ScriptResult> {
  const env = { ...process.env, DATABASE_URL: databaseUrl }
  try {
    const run = promisify(execFile)
    const { stdout, stderr } = await run(process.execPath, ['--conditions=source', path.join(FOLDER, name), ...args], {
      env,
    })
    return { code: 0, stdout, stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string }
    if (typeof code !== 'number') throw error
    return { code, stdout, stderr }
  }
}
