/** Documents whose blocks of code are run by tests, so that they cannot rot. */
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = path.resolve(import.meta.dirname, '../../..')

/**
 * @param document path from the root of the repository
 * @param language the word after the fence; an empty one for blocks without
 * @returns the blocks in their order
 */
export function codeBlocks(document: string, language: string): string[] {
  const text = fs.readFileSync(path.join(root, document), 'utf8')
  return [...text.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)]
    .filter(([, word]) => word === language)
    .map(([, , code = '']) => code)
}

/**
 * Runs TypeScript as a program of its own inside the repository, where packages are found by name.
 * @returns what it printed
 * @throws with what it said when it ends with an error, or does not end within half a minute
 */
export async function runTypeScript(code: string, env: NodeJS.ProcessEnv): Promise<string> {
  const folder = path.join(root, '.cache/guides')
  fs.mkdirSync(folder, { recursive: true })
  const file = path.join(fs.mkdtempSync(path.join(folder, 'program-')), 'program.ts')
  fs.writeFileSync(file, code)
  try {
    const { stdout } = await run(process.execPath, ['--conditions=source', file], {
      env: { ...process.env, ...env },
      timeout: 30_000,
    })
    return stdout
  } finally {
    fs.rmSync(path.dirname(file), { recursive: true, force: true })
  }
}

/**
 * Runs blocks of a document in bash, one after the other.
 * @returns what they printed
 * @throws when the last command ends with an error
 */
export async function runShell(blocks: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const { stdout } = await run('bash', ['-c', blocks.join('\n')], { env: { ...process.env, ...env }, timeout: 30_000 })
  return stdout
}
