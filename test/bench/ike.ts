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
 * opening its sealed secret counts, PostgreSQL's own CPU does not; strongSwan finds one secret for all in its configuration.
 * The fleet was registered in one go, so its secrets share sealing contexts, and it comes as a crowd, so devices share our ephemeral key.
 * Two rows say what differs with ECDSA P-256 certificates on both sides, and with ML-KEM-768 beside X25519. The engine compiles a
 * function when it has run often, and forgets some of it when it collects everything, as it does in a pause: what the first
 * handshakes cost after the start (`cold`), those up to ten thousand (`young`) and those after a pause (`rested`) stands in rows of
 * their own; the others are of a process that has done some 36 000 without a pause.
 * Liveness checks are off. Then a flood of spoofed IKE_SA_INIT requests, with honest handshakes and ESP beside it.
 * `--quick` has fewer devices.
 */
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { opensslProvider } from '@culvert/crypto'
import { openCrypto } from '@culvert/dataplane'
import { scratchFolder } from '@culvert/services'
import { waitFor } from '@culvert/testkit'
import { registerDevice, waitAttached } from '../support/fleet.ts'
import { SERVER_ADDRESS } from '../support/installation.ts'
import { withBenchLab, type BenchLab } from './bench-lab.ts'
import { startSimulatedDevice } from './esp-endpoints.ts'
import { printFigure, quantile } from './figure.ts'
import { measureCore } from './ike-core.ts'
import { sharedSecretFleet, startLoad, startOurs, startTheirs, type Load, type OurResponder } from './ike-endpoints.ts'
import { registerCertifiedFleet, registerFleet, type FleetMember } from './ike-fleet.ts'
import { cpuMicroseconds, runIperf, startIperfServer } from './iperf.ts'

const quick = process.argv.includes('--quick')
const RUNS = quick ? 3 : 5
const PER_RUN = quick ? 300 : 500
const WARM_UP = quick ? 1000 : 2500
/** The engine's last compiler takes what runs once per handshake after 30 000 of them (engine-settings.ts). */
const WARM_UP_ROUNDS = quick ? 36 : 15
const YOUNG_ROUNDS = quick ? 10 : 4
const PRESENT = quick ? 2000 : 10_000
/** Its cost grows with the number of SAs, so the bench would take too long with more. */
const PRESENT_THEIRS = quick ? 1000 : 4000
const CERTIFIED_PER_RUN = quick ? 60 : 100
const CORE_HANDSHAKES = quick ? 1000 : 3000
const AT_ONCE = 32
/** Memory of an idle process settles when the collector has had its turns. */
const SETTLING_SEC = quick ? 12 : 30
const FLOOD = { perSecond: 20_000, seconds: quick ? 5 : 20, handshakes: quick ? 100 : 500, atOnce: 8 }

/** Where the devices of each part begin. */
const FLEET = {
  warmUp: 0,
  measured: WARM_UP,
  hybrid: WARM_UP + RUNS * PER_RUN,
  present: WARM_UP + (2 * RUNS + 1) * PER_RUN,
  flood: WARM_UP + (2 * RUNS + 1) * PER_RUN + PRESENT,
  total: WARM_UP + (2 * RUNS + 1) * PER_RUN + PRESENT + FLOOD.handshakes,
}

await measureProviders()
await withBenchLab(async (bench) => {
  const ours = await startOurs(bench, { hasSigner: true })
  const fleet = await registerFleet(ours.culvert, FLEET.total)
  const load = await startLoad(bench, ours, fleet, { address: '192.0.2.11', atOnce: AT_ONCE })
  await measureOurs(bench, ours, { fleet, load })
  await measureFlood(bench, ours, load, FLEET.flood)
})
await withBenchLab(measureTheirs)

async function measureProviders(): Promise<void> {
  const native = await openCrypto()
  for (const provider of native === opensslProvider ? [native] : [native, opensslProvider]) {
    measureCore(provider, 400) // the engine's compilers are done with it
    const values = Array.from({ length: RUNS }, () => measureCore(provider, CORE_HANDSHAKES))
    const note = 'CPU of the responder per handshake'
    printFigure({ figure: `ike.core_us.${provider.name}`, values, unit: 'us', note })
  }
}

interface Fleet {
  readonly fleet: readonly FleetMember[]
  readonly load: Load
}

async function measureOurs(bench: BenchLab, ours: OurResponder, { fleet, load }: Fleet): Promise<void> {
  const { pid } = ours
  const note = 'handshakes per CPU second of the concentrator'
  const figure = (name: string, values: readonly number[], about = ''): void =>
    printFigure({ figure: `ike.per_core.${name}`, values, unit: '1/s', note: `${note}${about}` })
  const change = changes(ours, load)
  figure('cold', [await comeAndGo(change, FLEET.warmUp, WARM_UP)], `, its first ${WARM_UP}`)
  const warming: number[] = []
  for (let round = 1; round < WARM_UP_ROUNDS; round++) warming.push(await comeAndGo(change, FLEET.warmUp, WARM_UP))
  figure('young', warming.slice(0, YOUNG_ROUNDS - 1), `, those up to ${YOUNG_ROUNDS * WARM_UP}`)
  figure('at0', await inRuns(change, FLEET.measured, PER_RUN))
  const residentBefore = await settledBytes(pid)
  figure(`to${PRESENT}`, [await change('/attach', FLEET.present, PRESENT)], ', as they attach')
  const bytes = ((await settledBytes(pid)) - residentBefore) / PRESENT
  printFigure({ figure: 'ike.bytes_per_device', values: [bytes], unit: 'bytes', note: `${PRESENT} idle devices` })
  figure('rested', [await comeAndGo(change, FLEET.warmUp, WARM_UP)], `, ${WARM_UP} after a pause, beside those`)
  // The pause has cost it what the compilers knew: warm once more, as before the first row.
  for (let round = 0; round < WARM_UP_ROUNDS; round++) await comeAndGo(change, FLEET.warmUp, WARM_UP)
  figure(`at${PRESENT}`, await inRuns(change, FLEET.measured, PER_RUN))

  const hybridFleet = fleet.slice(FLEET.hybrid, FLEET.present)
  const hybrid = { address: '192.0.2.14', atOnce: AT_ONCE, isHybrid: true }
  const changeHybrid = changes(ours, await startLoad(bench, ours, hybridFleet, hybrid))
  await comeAndGo(changeHybrid, RUNS * PER_RUN, PER_RUN)
  figure('mlkem768', await inRuns(changeHybrid, 0, PER_RUN), ', ML-KEM-768 beside X25519')

  const certifiedFleet = await registerCertifiedFleet(ours.culvert, (RUNS + 1) * CERTIFIED_PER_RUN)
  const certified = { address: '192.0.2.15', atOnce: AT_ONCE }
  const changeCertified = changes(ours, await startLoad(bench, ours, certifiedFleet, certified))
  await comeAndGo(changeCertified, RUNS * CERTIFIED_PER_RUN, CERTIFIED_PER_RUN)
  figure('certificate', await inRuns(changeCertified, 0, CERTIFIED_PER_RUN), ', ECDSA P-256 on both sides')
}

/** @returns handshakes per CPU second of the concentrator */
type Change = (what: '/attach' | '/detach', from: number, count: number) => Promise<number>

/** Lets devices come or go, until the rows are written too. */
function changes({ culvert, pid }: OurResponder, load: Load): Change {
  const attached = async (): Promise<number> => {
    const { rows } = await culvert.pool.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM attachments WHERE state = 'attached'`,
    )
    return rows[0]?.n ?? 0
  }
  return async (what, from, count) => {
    const expected = (await attached()) + (what === '/attach' ? count : -count)
    const cpuBefore = cpuMicroseconds(pid)
    await load(what, from, count)
    await waitFor(async () => (await attached()) === expected, { timeoutMs: 120_000, message: `rows after ${what}` })
    return (count * 1e6) / (cpuMicroseconds(pid) - cpuBefore)
  }
}

/** @returns what each run of newcomers took */
async function inRuns(change: Change, from: number, count: number): Promise<number[]> {
  const values: number[] = []
  for (let index = 0; index < RUNS; index++) values.push(await comeAndGo(change, from + count * index, count))
  return values
}

async function comeAndGo(change: Change, from: number, count: number): Promise<number> {
  const value = await change('/attach', from, count)
  await change('/detach', from, count)
  return value
}

async function measureTheirs(bench: BenchLab): Promise<void> {
  const theirs = await startTheirs(bench)
  const load = await startLoad(bench, theirs, sharedSecretFleet(RUNS * PER_RUN + PRESENT_THEIRS), {
    address: '192.0.2.12',
    atOnce: AT_ONCE,
  })
  const measure = async (): Promise<number[]> => {
    const values: number[] = []
    for (let index = 0; index < RUNS; index++) {
      const cpuBefore = cpuMicroseconds(theirs.pid)
      await load('/attach', PER_RUN * index, PER_RUN)
      values.push((PER_RUN * 1e6) / (cpuMicroseconds(theirs.pid) - cpuBefore))
      await load('/detach', PER_RUN * index, PER_RUN)
    }
    return values
  }
  const note = `handshakes per CPU second of ${theirs.name}`
  printFigure({ figure: 'ike.strongswan.per_core.at0', values: await measure(), unit: '1/s', note })
  const residentBefore = residentBytes(theirs.pid)
  await load('/attach', RUNS * PER_RUN, PRESENT_THEIRS)
  const bytes = (residentBytes(theirs.pid) - residentBefore) / PRESENT_THEIRS
  printFigure({ figure: 'ike.strongswan.bytes_per_device', values: [bytes], unit: 'bytes' })
  printFigure({ figure: `ike.strongswan.per_core.at${PRESENT_THEIRS}`, values: await measure(), unit: '1/s', note })
}

/** A device with traffic and a fleet that attaches, while most of what comes in is a lie. */
async function measureFlood(bench: BenchLab, ours: OurResponder, load: Load, from: number): Promise<void> {
  const { culvert } = ours
  const { perSecond, seconds, handshakes } = FLOOD
  const attacker = await bench.lab.addHost('attacker', '192.0.2.66/24')
  await attacker.ip('route', 'add', 'local', '198.18.0.0/15', 'dev', 'lo')
  await culvert.server.ip('route', 'add', '198.18.0.0/15', 'via', '192.0.2.66')
  const device = await registerDevice(culvert.acme, 'bench')
  const far = await bench.lab.addHost('simulated', '192.0.2.13/24')
  const folder = await scratchFolder()
  bench.atEnd(async () => fs.rmSync(folder, { recursive: true, force: true }))
  const simulated = startSimulatedDevice(far, device, folder)
  bench.atEnd(() => simulated.stop())
  await waitAttached(culvert.acme, device.id)
  const pids = [ours.pid, simulated.pid] as const
  const ends = { name: 'culvert', near: culvert.tun, nearAddress: '10.127.0.1', far, farAddress: device.address4, pids }
  await startIperfServer(ends)

  const program = path.join(import.meta.dirname, 'ike-flood.ts')
  const args = ['--conditions=source', program, SERVER_ADDRESS, String(perSecond), String(seconds)]
  const udp = { bytes: 200, mbitPerSec: 1.6 }
  const [flood, honest, traffic] = await Promise.all([
    attacker.exec(process.execPath, args, { timeoutMs: (seconds + 30) * 1000 }),
    sleep(1000).then(() => load('/attach', from, handshakes)),
    sleep(1000).then(() => runIperf(ends, { seconds: seconds - 2, reverse: false, streams: 1, udp })),
  ])
  const { sent, ms } = JSON.parse(flood.stdout) as { sent: number; ms: number }
  const note = `${handshakes} honest handshakes from one address`
  printFigure({ figure: 'ike.flood.requests', values: [(sent * 1000) / ms], unit: '1/s', note: 'spoofed, as sent' })
  printFigure({ figure: 'ike.flood.honest_ms.p50', values: honest.times, unit: 'ms', note })
  printFigure({ figure: 'ike.flood.honest_ms.p99', values: honest.times, unit: 'ms' }, quantile(honest.times, 0.99))
  printFigure({ figure: 'ike.flood.honest_failed', values: [honest.failed], unit: 'attempts', note })
  const lost = { figure: 'ike.flood.esp_lost', values: [traffic.lostShare], unit: 'share' }
  printFigure({ ...lost, note: '1000 datagrams per second through an established tunnel' })
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
