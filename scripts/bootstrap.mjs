/**
 * Makes a checkout ready to run, on the Node that a person happens to have (20.19 or later) and without any dependency:
 * installs what package-lock.json names when node_modules is missing or old, then generates the Prisma client when the schema
 * changed, then knows the Node 24 that came with the dependencies.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

const NODE_MAJOR = 24
const modules = path.join(root, 'node_modules')
const generated = path.join(root, 'packages/db/src/generated/prisma')
const generatedStamp = path.join(modules, '.cache/culvert/generated')
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']
const INSTALL_NEWS_MS = 15_000
const INSTALL_GRACE_MS = 1_500
const generatedFrom = ['prisma/schema.prisma', 'packages/db/prisma.config.ts', 'package-lock.json']

/**
 * @returns {Promise<{ node: string, env: NodeJS.ProcessEnv }>} the Node to run everything with, and an environment whose PATH finds it
 *   and the tools
 */
export async function bootstrap() {
  if (!isInstalled()) await install()
  const node = findNode()
  const env = {
    ...process.env,
    PATH: [path.join(modules, '.bin'), process.env.PATH ?? ''].join(path.delimiter),
    TURBO_TELEMETRY_DISABLED: '1',
  }
  generate(env)
  return { node, env }
}

/** Ends this process with one sentence. */
export function fail(sentence) {
  process.stderr.write(`${sentence}\n`)
  process.exit(1)
}

/**
 * Runs a TypeScript file of this repository on Node 24 from its sources, and ends as it ends. Signals reach it.
 * @param {string} file
 * @param {string[]} args
 * @param {string} cwd of the program
 */
export async function runTypeScript(file, args, cwd = root) {
  const { node, env } = await bootstrap()
  const child = spawn(node, ['--conditions=source', path.join(root, file), ...args], {
    cwd,
    env,
    stdio: 'inherit',
  })
  for (const signal of STOP_SIGNALS) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
}

/** Every package of the lock that is installed has the locked version, and only optional ones are missing. */
function isInstalled() {
  const installed = readJson(path.join(modules, '.package-lock.json'))?.packages
  const locked = readJson(path.join(root, 'package-lock.json'))?.packages
  if (!installed || !locked) return false
  return Object.entries(locked).every(([place, wanted]) => {
    if (!place.startsWith('node_modules/') && !place.includes('/node_modules/')) return true // a workspace
    const found = installed[place]
    if (!found) return wanted.optional === true || wanted.devOptional === true || wanted.peer === true
    return wanted.link === true || found.version === wanted.version
  })
}

/** Runs `npm ci` in a process group of its own, so that a signal ends it with everything it started, and then this process. */
async function install() {
  process.stdout.write('Installing dependencies (npm ci, once, about half a minute) ...\n')
  const begin = Date.now()
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  const npm = process.env.npm_execpath
  const [command, given] = npm?.endsWith('.js') ? [process.execPath, [npm, ...args]] : ['npm', args]
  // What npm says is progress: the standard output may be read by a program.
  const child = spawn(command, given, { cwd: root, stdio: ['ignore', 2, 2], detached: true })
  const news = setInterval(() => process.stdout.write('still installing ...\n'), INSTALL_NEWS_MS)
  let stopped = false
  const stop = () => {
    if (stopped) return
    stopped = true
    killGroup(child, 'SIGTERM')
    setTimeout(() => killGroup(child, 'SIGKILL'), INSTALL_GRACE_MS)
  }
  for (const signal of STOP_SIGNALS) process.on(signal, stop)
  const code = await new Promise((resolve) => {
    child.on('error', () => resolve(null))
    child.on('exit', resolve)
  })
  clearInterval(news)
  for (const signal of STOP_SIGNALS) process.off(signal, stop)
  if (stopped) {
    killGroup(child, 'SIGKILL') // what npm itself has left
    process.stderr.write('\nThe installation of the dependencies was stopped; the next start begins it anew.\n')
    process.exit(130)
  }
  if (code !== 0) fail('The dependencies could not be installed: see above; `npm ci` tries again.')
  process.stdout.write(`Dependencies installed in ${Math.round((Date.now() - begin) / 1000)} s.\n`)
}

function killGroup(child, signal) {
  try {
    if (child.pid) process.kill(-child.pid, signal)
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

function findNode() {
  const own = path.join(modules, '.bin/node')
  if (fs.existsSync(own)) return own
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR) return process.execPath
  return fail(
    `Culvert runs on Node ${NODE_MAJOR}: this is ${process.version}, and npm has no Node ${NODE_MAJOR} for ${process.platform} on ` +
      `${process.arch}; install one from nodejs.org.`,
  )
}

function generate(env) {
  const key = createHash('sha256')
  for (const file of generatedFrom) key.update(fs.readFileSync(path.join(root, file)))
  const wanted = key.digest('hex')
  const present = fs.existsSync(generated) && fs.readdirSync(generated).length > 0
  if (present && fs.existsSync(generatedStamp) && fs.readFileSync(generatedStamp, 'utf8') === wanted) return
  const turbo = path.join(modules, '.bin/turbo')
  const result = spawnSync(turbo, ['run', 'generate', '--output-logs=errors-only'], {
    cwd: root,
    env,
    encoding: 'utf8',
  })
  if (result.status !== 0) {
    fail(
      `${result.stdout ?? ''}${result.stderr ?? ''}\nThe database client could not be generated: see above; \`npm run generate\` tries again.`,
    )
  }
  fs.mkdirSync(path.dirname(generatedStamp), { recursive: true })
  fs.writeFileSync(generatedStamp, wanted)
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'))
  } catch {
    return null
  }
}
