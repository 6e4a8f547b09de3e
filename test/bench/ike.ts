/**
 * `npm run bench -- ike`: what a handshake costs the responder, and what an attached device costs in memory.
 *
 * ```
 *   core:    two endpoints in one process, the responder's steps alone
 *   server:  the concentrator with data plane, admission and state writing, loaded by simulated devices over a bridge
 *   theirs:  strongSwan's charon in its place, loaded by the same devices
 * ```
 *
 * Handshakes are PSK, X25519, AES-256-GCM with an inner address, each of a device that was not there before: looking up and
 * opening its sealed secret counts, PostgreSQL's own CPU does not. Liveness checks are off. `--quick` has fewer devices.
 */
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { opensslProvider } from '@culvert/crypto'
import { openCrypto } from '@culvert/dataplane'
import { scratchFolder } from '@culvert/services'
import { waitFor, type Namespace } from '@culvert/testkit'
import { SERVER_ADDRESS, startInstallation, type Installation } from '../support/installation.ts'
import { withBenchLab, type BenchLab } from './bench-lab.ts'
import { printFigure } from './figure.ts'
import { measureCore } from './ike-core.ts'
import { registerFleet, type FleetMember } from './ike-fleet.ts'
import type { LoadAnswer, LoadOptions } from './ike-load.ts'
import { cpuMicroseconds } from './iperf.ts'

const quick = process.argv.includes('--quick')
const RUNS = quick ? 3 : 5
const PER_RUN = quick ? 300 : 500
const PRESENT = quick ? 2000 : 10_000
const CORE_HANDSHAKES = quick ? 1000 : 3000
const WARM_UP = RUNS * PER_RUN
const AT_ONCE = 32
/** Memory of an idle process settles when the collector has had its turns. */
const SETTLING_SEC = quick ? 10 : 60
const IDENTITY = 'concentrator.example'

await measureProviders()
await withBenchLab(async (bench) => {
  await measureServer(bench)
})

async function measureProviders(): Promise<void> {
  const native = await openCrypto()
  for (const provider of native === opensslProvider ? [native] : [native, opensslProvider]) {
    measureCore(provider, 400) // the engine's compilers are done with it
    const values = Array.from({ length: RUNS }, () => measureCore(provider, CORE_HANDSHAKES))
    printFigure({
      figure: `ike.core_us.${provider.name}`,
      values,
      unit: 'us',
      note: 'CPU of the responder per handshake',
    })
  }
}

async function measureServer(bench: BenchLab): Promise<void> {
  const culvert = await startOurs(bench)
  const fleet = await registerFleet(culvert, PRESENT + 2 * RUNS * PER_RUN)
  const load = await startLoad(bench, fleet, { remoteAddress: SERVER_ADDRESS, remotePrefix: '10.127.0.0/24' })
  const { pid } = culvert.process('concentrator')
  const attached = async (): Promise<number> => {
    const { rows } = await culvert.pool.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM attachments WHERE state = 'attached'`,
    )
    return rows[0]?.n ?? 0
  }
  const run = async (from: number, count: number): Promise<number> => {
    const before = await attached()
    const cpuBefore = cpuMicroseconds(pid)
    await load('/attach', from, count)
    await waitFor(async () => (await attached()) === before + count, {
      timeoutMs: 60_000,
      message: 'rows of attachments',
    })
    return (count * 1e6) / (cpuMicroseconds(pid) - cpuBefore)
  }
  const leave = async (from: number, count: number): Promise<void> => {
    const before = await attached()
    await load('/detach', from, count)
    await waitFor(async () => (await attached()) === before - count, { timeoutMs: 60_000, message: 'detached rows' })
  }

  await run(0, WARM_UP) // the engine's compilers are done with it
  await leave(0, WARM_UP)
  const atNone: number[] = []
  for (let index = 0; index < RUNS; index++) {
    atNone.push(await run(PER_RUN * index, PER_RUN))
    await leave(PER_RUN * index, PER_RUN)
  }
  const note = 'handshakes per CPU second of the concentrator'
  printFigure({ figure: 'ike.per_core.at0', values: atNone, unit: '1/s', note })
  const residentBefore = await settledBytes(pid)
  const filled = RUNS * PER_RUN
  const filling = await run(filled, PRESENT)
  printFigure({
    figure: `ike.per_core.to${PRESENT}`,
    values: [filling],
    unit: '1/s',
    note: `${note}, while they attach`,
  })
  const bytes = ((await settledBytes(pid)) - residentBefore) / PRESENT
  printFigure({ figure: 'ike.bytes_per_device', values: [bytes], unit: 'bytes', note: `${PRESENT} idle devices` })
  const atMany: number[] = []
  for (let index = 0; index < RUNS; index++) {
    const from = filled + PRESENT + PER_RUN * index
    atMany.push(await run(from, PER_RUN))
    await leave(from, PER_RUN)
  }
  printFigure({ figure: `ike.per_core.at${PRESENT}`, values: atMany, unit: '1/s', note })
}

async function startOurs({ lab, databaseUrl, atEnd }: BenchLab): Promise<Installation> {
  const culvert = await startInstallation({
    lab,
    serverUrl: databaseUrl,
    databaseUrl,
    redisUrl: null,
    env: { LOG_LEVEL: 'warn', CONCENTRATOR_IDENTITY: IDENTITY, CONCENTRATOR_LIVENESS_SEC: '86400' },
  })
  atEnd(() => culvert.stop())
  return culvert
}

type Load = (what: '/attach' | '/detach', from: number, count: number) => Promise<LoadAnswer>

/** The fleet, in a host of its own. */
async function startLoad(
  { lab, atEnd }: BenchLab,
  fleet: readonly FleetMember[],
  remote: Pick<LoadOptions, 'remoteAddress' | 'remotePrefix'>,
): Promise<Load> {
  const host: Namespace = await lab.addHost('fleet', '192.0.2.11/24')
  const folder = await scratchFolder()
  atEnd(async () => fs.rmSync(folder, { recursive: true, force: true }))
  const fleetFile = path.join(folder, 'fleet.json')
  const socketPath = path.join(folder, 'load')
  fs.writeFileSync(fleetFile, JSON.stringify(fleet), { mode: 0o600 })
  const options: LoadOptions = {
    fleet: fleetFile,
    localAddress: '192.0.2.11',
    remoteIdentity: IDENTITY,
    atOnce: AT_ONCE,
    ...remote,
  }
  const program = path.join(import.meta.dirname, 'ike-load.ts')
  const loader = host.spawn(process.execPath, ['--conditions=source', program, socketPath, JSON.stringify(options)])
  atEnd(() => loader.stop())
  await waitFor(() => loader.output().includes('fleet ready'), { timeoutMs: 30_000, message: 'the fleet' })
  return (what, from, count) => post(socketPath, what, { from, count })
}

function post(socketPath: string, what: string, body: object): Promise<LoadAnswer> {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath, path: what, method: 'POST' }, (response) => {
      let answer = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (answer += chunk))
      response.on('end', () => resolve(JSON.parse(answer) as LoadAnswer))
    })
    request.on('error', reject)
    request.end(JSON.stringify(body))
  })
}

/** The least that was resident while the process was left alone. */
async function settledBytes(pid: number): Promise<number> {
  let least = residentBytes(pid)
  for (let second = 0; second < SETTLING_SEC; second++) {
    await sleep(1000)
    least = Math.min(least, residentBytes(pid))
  }
  return least
}

/** Memory of a process that is in RAM and its own or shared. */
function residentBytes(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes) * 1024
}
