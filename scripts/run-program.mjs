/**
 * Runs a program of test/bench or test/fuzz by its name. A program is a TypeScript file directly in that folder whose header
 * says how it is called, such as `npm run bench -- esp`; the other files are its parts. `all` runs one after the other.
 */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { bootstrap, fail, root } from './bootstrap.mjs'

/**
 * @param {string} folder below the repository's root
 * @param {string} command how a person calls this, for messages
 * @param {{ allArguments: string[], nodeArguments?: string[] }} options what every program is given when all of them run, and Node always
 */
export async function runProgram(folder, command, { allArguments, nodeArguments = [] }) {
  const [name, ...args] = process.argv.slice(2)
  const names = programsIn(folder, command)
  if (name !== 'all' && !names.includes(name)) {
    fail(
      `${name && name !== '--help' ? `There is no ${name}. ` : ''}Usage: ${command} -- ${['all', ...names].join(' | ')}`,
    )
  }
  const { node, env } = await bootstrap()
  let failed = 0
  for (const one of name === 'all' ? names : [name]) {
    const given = name === 'all' ? [...allArguments, ...args] : args
    const file = path.join(root, folder, `${one}.ts`)
    const { status } = spawnSync(node, ['--conditions=source', '--expose-gc', ...nodeArguments, file, ...given], {
      cwd: root,
      env,
      stdio: 'inherit',
    })
    if (status !== 0) {
      failed++
      process.stderr.write(`${one} failed (${status})\n`)
    }
  }
  process.exit(failed === 0 ? 0 : 1)
}

/** @returns the names of the programs in a folder below the repository's root, in alphabetical order */
export function programsIn(folder, command) {
  const inside = path.join(root, folder)
  if (!fs.existsSync(inside)) return []
  return fs
    .readdirSync(inside)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .filter((name) => isProgram(path.join(inside, `${name}.ts`), `${command} -- ${name}`))
    .sort()
}

function isProgram(file, call) {
  const header = fs.readFileSync(file, 'utf8').split('*/')[0]
  return header.includes(`\`${call}\``) || header.includes(`\`${call} `)
}
