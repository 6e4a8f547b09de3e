/**
 * Runs a program of test/bench or test/fuzz by its name. A program is a TypeScript file directly in that folder whose header
 * says how it is called, such as `npm run bench -- esp`; the other files are its parts. `all` runs one after the other.
 */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { bootstrap, fail, root } from './bootstrap.mjs'

/**
 * @param {string} folder below the repository's root
 * @param {string} command how a person calls this, for messages
 * @param {object} options
 * @param {string[]} [options.numbers] what a program can be told with a number above 0
 * @param {string[]} options.flags what it can be told besides
 * @param {string} [options.common] the file in the folder whose header goes for all programs
 * @param {string[]} options.allArguments what every program is given when all of them run
 * @param {string[]} [options.nodeArguments] what Node is given always
 */
export async function runProgram(folder, command, { numbers = [], flags, common, allArguments, nodeArguments = [] }) {
  const [name, ...args] = process.argv.slice(2)
  const names = programsIn(folder, command)
  const inside = (file) => path.join(root, folder, file)
  if (name !== 'all' && !names.includes(name)) {
    fail(
      `${name && name !== '--help' ? `There is no ${name}. ` : ''}Usage: ${command} -- ${['all', ...names].join(' | ')}`,
    )
  }
  const usage = [
    `Usage: ${command} -- ${name}`,
    ...numbers.map((option) => `[--${option} N]`),
    ...flags.map((option) => `[--${option}]`),
  ].join(' ')
  if (args.includes('--help')) {
    const about = name === 'all' ? `Runs one after the other: ${names.join(', ')}.` : headerOf(inside(`${name}.ts`))
    const more = common === undefined ? [] : [headerOf(inside(common))]
    process.stdout.write(`${[usage, about, ...more].join('\n\n')}\n`)
    return
  }
  const wrong = whatIsWrong(args, { numbers, flags })
  if (wrong !== null) fail(`${wrong} ${usage}`)
  const { node, env } = await bootstrap()
  let failed = 0
  for (const one of name === 'all' ? names : [name]) {
    const given = name === 'all' ? [...allArguments, ...args] : args
    const file = inside(`${one}.ts`)
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

/** @returns a sentence, or null */
function whatIsWrong(args, { numbers, flags }) {
  const options = Object.fromEntries([
    ...numbers.map((option) => [option, { type: 'string' }]),
    ...flags.map((option) => [option, { type: 'boolean' }]),
  ])
  try {
    const { values } = parseArgs({ args, options })
    const bad = numbers.find((option) => values[option] !== undefined && !(Number(values[option]) > 0))
    return bad === undefined ? null : `--${bad} takes a number above 0.`
  } catch (error) {
    return `${error.message.split(/[.\n]/)[0]}.`
  }
}

/** What the comment at the top of a program says. */
function headerOf(file) {
  const [header] = fs.readFileSync(file, 'utf8').split('*/')
  const lines = header.split('\n').map((line) => line.replace(/^(\/\*\*| \* ?)/, ''))
  return lines.join('\n').trim()
}

function isProgram(file, call) {
  const header = fs.readFileSync(file, 'utf8').split('*/')[0]
  return header.includes(`\`${call}\``) || header.includes(`\`${call} `)
}
