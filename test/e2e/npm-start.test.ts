/**
 * `npm start` as a person has it, in a network of its own: a child holds a private network namespace and a private list of
 * namespaces, and every command of the test enters both.
 */
import { markIsAlive } from '@culvert/services'
import { labMissing, waitFor } from '@culvert/testkit'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const run = promisify(execFile)
const ROOT = path.resolve(import.meta.dirname, '../..')
/** A machine whose own network and default gateway lie where the demo would like to be. */
const HOLD = [
  'mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns && ip link set lo up',
  'ip link add eth0 type veth peer name far && ip address add 192.0.2.2/24 dev eth0',
  'ip link set eth0 up && ip link set far up && ip route add default via 192.0.2.1',
  'echo ready && exec sleep 3600',
].join(' && ')

describe.skipIf(labMissing())('npm start', () => {
  let holder: ChildProcess
  let data: string

  beforeAll(async () => {
    data = fs.mkdtempSync(path.join(tmpdir(), 'culvert-start-'))
    fs.chmodSync(data, 0o755)
    holder = spawn('unshare', ['--net', '--mount', '--propagation', 'private', 'sh', '-c', HOLD], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(holder.stdout!, 'data')
  })
  afterAll(async () => {
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    fs.rmSync(data, { recursive: true, force: true })
  })

  test('reaches the demo device, leaves nothing after SIGTERM, continues with the same device, survives kill -9', async () => {
    const first = await start()
    expect(await inside('curl', ['--silent', '--max-time', '10', first.url])).not.toBe('')
    expect(fs.statSync(path.join(data, 'first-key')).mode & 0o777).toBe(0o600)
    expect(fs.statSync(path.join(data, 'sealing-key')).mode & 0o777).toBe(0o600)
    expect(fs.statSync(path.join(data, 'authority.pem')).mode & 0o777).toBe(0o600)
    expect(await inside('ip', ['route', 'get', '192.0.2.1'])).toContain('dev eth0') // the machine keeps its gateway
    const { children } = runRecord()
    expect(children.filter(markIsAlive)).toHaveLength(6)
    expect(await stop(first.launcher)).toBe(0)
    await expectNothingLeft()
    expect(children.filter(markIsAlive)).toEqual([])

    const second = await start()
    expect(second.device).toBe(first.device)
    expect(second.key).toBe(first.key)
    expect(await inside('curl', ['--silent', '--max-time', '10', second.url])).not.toBe('')
    const gone = once(second.launcher, 'exit')
    process.kill(Number.parseInt(runRecord().launcher, 10), 'SIGKILL')
    await gone

    const third = await start()
    expect(third.device).toBe(first.device)
    expect(await inside('curl', ['--silent', '--max-time', '10', third.url])).not.toBe('')
    expect(await stop(third.launcher)).toBe(0)
    await expectNothingLeft()
  })

  test('a database that cannot be reached is one sentence and exit code 1', async () => {
    const { launcher, output } = launch({ DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing' })
    const [code] = (await once(launcher, 'exit')) as [number]
    expect(code).toBe(1)
    expect(output()).toContain('PostgreSQL at 127.0.0.1:1 (DATABASE_URL) cannot be reached')
    expect(output()).not.toContain('    at ')
    await expectNothingLeft()
  })

  interface Started {
    readonly launcher: ChildProcess
    readonly url: string
    readonly device: string
    readonly key: string
  }

  async function start(): Promise<Started> {
    const { launcher, output } = launch({})
    await waitFor(() => output().includes('Ctrl-C stops') || launcher.exitCode !== null, {
      timeoutMs: 90_000,
      message: `npm start to be ready:\n${output()}`,
    })
    const [, url = ''] = /^curl (http:\S+)$/m.exec(output()) ?? []
    const [device = ''] = /dev_\w+/.exec(output()) ?? []
    const [key = ''] = /culvert_\w+/.exec(output()) ?? []
    if (!url || !device || !key) throw new Error(`npm start did not show a tunnel, a device and a key:\n${output()}`)
    return { launcher, url, device, key }
  }

  function runRecord(): { launcher: string; children: string[] } {
    return JSON.parse(fs.readFileSync(path.join(data, 'run.json'), 'utf8')) as { launcher: string; children: string[] }
  }

  function launch(env: NodeJS.ProcessEnv): { launcher: ChildProcess; output: () => string } {
    const launcher = spawn('nsenter', enter([process.execPath, 'scripts/start.mjs']), {
      cwd: ROOT,
      env: { ...process.env, DATABASE_URL: '', REDIS_URL: '', CULVERT_DATA: data, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let text = ''
    launcher.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
    launcher.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()))
    return { launcher, output: () => text }
  }

  async function stop(launcher: ChildProcess): Promise<number | null> {
    const gone = once(launcher, 'exit')
    launcher.kill('SIGTERM')
    return ((await gone) as [number | null])[0]
  }

  async function expectNothingLeft(): Promise<void> {
    expect(await inside('ip', ['netns', 'list'])).toBe('')
    const links = await inside('ip', ['-oneline', 'link', 'show'])
    expect(links.split('\n').filter((line) => line.includes('culvert'))).toEqual([])
    expect(fs.existsSync(path.join(data, 'run.json'))).toBe(false)
    // Whatever still runs in this network is the holder alone.
    const network = fs.readlinkSync(`/proc/${holder.pid}/ns/net`)
    expect(processesIn(network)).toEqual([holder.pid])
  }

  function enter(command: string[]): string[] {
    return ['--net', '--mount', '--target', String(holder.pid), `--wd=${ROOT}`, ...command]
  }

  async function inside(command: string, args: string[]): Promise<string> {
    return (await run('nsenter', enter([command, ...args]), { timeout: 30_000 })).stdout.trim()
  }
})

function processesIn(network: string): number[] {
  return fs
    .readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && networkOf(pid) === network)
}

function networkOf(pid: number): string | null {
  try {
    return fs.readlinkSync(`/proc/${pid}/ns/net`)
  } catch {
    return null // it ended meanwhile, or nobody has waited for it yet
  }
}
