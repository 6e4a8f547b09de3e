/** The files that belong to the repository: what git tracks or would add. */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { root } from '../../scripts/generated-docs.ts'

/** Paths below the root, in alphabetical order. */
export function repositoryFiles(): string[] {
  const args = ['-c', `safe.directory=${root}`, 'ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const listed = execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 }).split('\0')
  return [...new Set(listed)].filter((file) => file !== '' && fs.existsSync(path.join(root, file))).sort()
}

/** @returns null for a file that is no text */
export function readText(file: string): string | null {
  const bytes = fs.readFileSync(path.join(root, file))
  return bytes.includes(0) ? null : bytes.toString('utf8')
}
