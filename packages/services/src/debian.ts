/**
 * Debian packages unpacked into .cache/debian/<name>-<version>/ and used from there: `apt-get download` and `dpkg -x`, never
 * an installation, no root needed.
 *
 * Invariants: a tree appears by one rename, complete or not at all; it holds the asked packages and those of their
 * dependencies that the system lacks; a complete tree is used without network; two processes do not download at once.
 */
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { markIsAlive, processMark } from './process.ts'

const run = promisify(execFile)

const CACHE = fileURLToPath(new URL('../../../.cache/debian', import.meta.url))
const MARKER = 'packages.json'
const COMMAND_TIMEOUT_MS = 180_000
const LOCK_TIMEOUT_MS = 300_000
const BINARY_FOLDERS = ['usr/local/bin', 'usr/bin', 'usr/sbin', 'bin', 'sbin']

/** Unpacked packages, and the environment in which their programs find their libraries. */
export interface DebianTree {
  readonly root: string
  readonly env: NodeJS.ProcessEnv
}

/** @returns the newest complete tree of these packages in the cache, or null. */
export function debianTree(name: string, packages: readonly string[]): DebianTree | null {
  if (!fs.existsSync(CACHE)) return null
  const wanted = JSON.stringify(packages)
  const roots = fs
    .readdirSync(CACHE)
    .filter((entry) => entry.startsWith(`${name}-`))
    .map((entry) => path.join(CACHE, entry))
    .filter((root) => fs.existsSync(path.join(root, MARKER)))
    .filter((root) => fs.readFileSync(path.join(root, MARKER), 'utf8') === wanted)
  const root = roots.toSorted().at(-1)
  return root ? { root, env: environmentOf(root) } : null
}

/**
 * The tree of these packages from the cache, downloaded first when it is not there.
 * @param packages the first one gives the tree its version
 * @throws an error of one sentence when apt is missing, knows no such package, or cannot reach its archive
 */
export async function unpackDebian(name: string, packages: readonly string[]): Promise<DebianTree> {
  const cached = debianTree(name, packages)
  if (cached) return cached
  fs.mkdirSync(CACHE, { recursive: true })
  const unlock = await lock(path.join(CACHE, `${name}.lock`))
  try {
    return debianTree(name, packages) ?? (await download(name, packages))
  } finally {
    unlock()
  }
}

async function download(name: string, packages: readonly string[]): Promise<DebianTree> {
  const part = fs.mkdtempSync(path.join(CACHE, `.${name}-`))
  const archives = path.join(part, 'archives')
  const root = path.join(part, 'root')
  fs.mkdirSync(archives)
  fs.mkdirSync(root)
  try {
    await fetchPackages(packages, archives)
    const files = fs.readdirSync(archives).filter((file) => file.endsWith('.deb'))
    for (const file of files)
      await run('dpkg', ['-x', path.join(archives, file), root], { timeout: COMMAND_TIMEOUT_MS })
    const version = files.find((file) => file.startsWith(`${packages[0]}_`))?.split('_')[1] ?? '0'
    fs.writeFileSync(path.join(root, MARKER), JSON.stringify(packages))
    fs.chmodSync(root, 0o755)
    const final = path.join(CACHE, `${name}-${decodeURIComponent(version).replaceAll(/[^\w.+~-]/g, '_')}`)
    fs.rmSync(final, { recursive: true, force: true }) // an older list of packages under the same version
    fs.renameSync(root, final)
    return { root: final, env: environmentOf(final) }
  } finally {
    fs.rmSync(part, { recursive: true, force: true })
  }
}

/** Downloads with the system's package lists; where they are missing or stale, with lists of our own, fetched now. */
async function fetchPackages(packages: readonly string[], archives: string): Promise<void> {
  try {
    await downloadClosure(packages, archives, [])
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new Error('this system has no apt-get: Debian or Ubuntu is needed to unpack packages', { cause: error })
    }
    const own = path.join(CACHE, 'apt')
    fs.mkdirSync(path.join(own, 'lists/partial'), { recursive: true })
    fs.mkdirSync(path.join(own, 'cache/archives/partial'), { recursive: true })
    const options = [`Dir::State::Lists=${own}/lists`, `Dir::Cache=${own}/cache`].flatMap((option) => ['-o', option])
    try {
      await apt(['update', '-q', ...options], archives)
      await downloadClosure(packages, archives, options)
    } catch (second) {
      throw new Error(`apt-get could not download ${packages.join(', ')}: ${lastLine(second)}`, { cause: second })
    }
  }
}

async function downloadClosure(packages: readonly string[], archives: string, options: string[]): Promise<void> {
  const simulated = await apt(['install', '-s', '-q', '--no-install-recommends', ...options, ...packages], archives)
  const names = [...new Set([...packages, ...missingLibraries(simulated)])]
  await apt(['download', '-q', ...options, ...names], archives)
}

/** apt prints `Inst name (version ...)` for what is missing, `Inst name [installed version] (...)` for what it would upgrade. */
function missingLibraries(simulated: string): string[] {
  return [...simulated.matchAll(/^Inst (lib\S+) \(/gm)].map((match) => match[1] ?? '')
}

async function apt(args: string[], cwd: string): Promise<string> {
  // No sandbox account: it could not write into this folder.
  const sandbox = ['-o', 'APT::Sandbox::User=root']
  const { stdout } = await run('apt-get', [...sandbox, ...args], {
    cwd,
    env: { ...process.env, LC_ALL: 'C' },
    timeout: COMMAND_TIMEOUT_MS,
    maxBuffer: 1 << 24,
  })
  return stdout
}

function environmentOf(root: string): NodeJS.ProcessEnv {
  const libraries = ['usr/lib', 'lib'].flatMap((folder) => {
    const full = path.join(root, folder)
    if (!fs.existsSync(full)) return []
    const inner = fs.readdirSync(full).filter((entry) => entry.includes('-linux-'))
    return [...inner.map((entry) => path.join(full, entry)), full]
  })
  const binaries = BINARY_FOLDERS.map((folder) => path.join(root, folder)).filter((folder) => fs.existsSync(folder))
  return {
    ...process.env,
    PATH: [...binaries, process.env['PATH'] ?? ''].join(path.delimiter),
    LD_LIBRARY_PATH: [...libraries, process.env['LD_LIBRARY_PATH'] ?? ''].filter(Boolean).join(path.delimiter),
  }
}

/** A lock file that names its holder; one left behind by a killed process does not hold. */
async function lock(file: string): Promise<() => void> {
  const deadline = performance.now() + LOCK_TIMEOUT_MS
  for (;;) {
    try {
      fs.writeFileSync(file, processMark(), { flag: 'wx' })
      return () => fs.rmSync(file, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    if (performance.now() > deadline) throw new Error(`${file} was held too long by another process`)
    if (markIsAlive(readOrEmpty(file))) await pause(100)
    else fs.rmSync(file, { force: true })
  }
}

function readOrEmpty(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function lastLine(error: unknown): string {
  const { stderr = '', message = '' } = error as { stderr?: string; message?: string }
  return (stderr.trim() || message).split('\n').at(-1) ?? ''
}
