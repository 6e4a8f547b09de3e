/**
 * Round-trip times through a tunnel: idle, beside a TCP stream in the same tunnel, and of one tunnel while another is overloaded.
 */
import { peer } from '@culvert/testkit'
import { registerDevice, waitAttached } from '../support/fleet.ts'
import { scratchFolder } from '@culvert/services'
import fs from 'node:fs'
import path from 'node:path'
import type { BenchLab } from './bench-lab.ts'
import { startSimulatedDevice, type OurEndpoints } from './esp-endpoints.ts'
import { SERVER_ADDRESS } from '../support/installation.ts'
import { printFigure, quantile } from './figure.ts'
import { runIperf, type Endpoints, type Load } from './iperf.ts'
import { lossesBetween, readLosses } from './loss-points.ts'
import { busiestSince, readThreadTimes } from './thread-times.ts'

const ECHOES = 400
const INTERVAL_SEC = 0.01
const LOAD_SECONDS = ECHOES * INTERVAL_SEC + 2
const STREAM: Load = { seconds: LOAD_SECONDS, reverse: false, streams: 1, udp: null }
/** More than two cores carry, each time. */
const INTO_TUNNEL: Load = { seconds: LOAD_SECONDS, reverse: false, streams: 2, udp: { bytes: 1340, mbitPerSec: 4000 } }
const OUT_OF_TUNNEL: Load = { ...INTO_TUNNEL, reverse: true }
const UNKNOWN_SPI_BYTES = 1400
const DATAGRAMS = path.resolve(import.meta.dirname, '../support/datagrams.ts')

export async function compareLatency(ours: Endpoints, theirs: Endpoints): Promise<void> {
  for (const [name, ends] of [
    ['ours', ours],
    ['strongswan', theirs],
  ] as const) {
    report(`esp.latency_idle.${name}`, (await echoes(ends)).times, 'nothing else')
    const [{ times }] = await Promise.all([echoes(ends), runIperf(ends, STREAM)])
    report(`esp.latency_beside_tcp.${name}`, times, 'a TCP stream in the same tunnel')
  }
}

/**
 * A second device that only answers echoes, while the first gets or sends more than can be carried, and while a stranger sends
 * more than that to the port. Generators, both ends and everything else share the cores of the machine: how long the data thread was
 * ready but had no CPU is said beside it.
 */
export async function latencyBesideOverload(bench: BenchLab, ours: OurEndpoints): Promise<void> {
  const { lab } = bench
  const { culvert } = ours
  const [concentrator] = ours.pids
  const far = await lab.addHost('quiet', '192.0.2.14/24')
  const device = await registerDevice(culvert.acme, 'quiet')
  const folder = await scratchFolder()
  bench.atEnd(async () => fs.rmSync(folder, { recursive: true, force: true }))
  const simulated = startSimulatedDevice(far, device, folder)
  bench.atEnd(() => simulated.stop())
  await waitAttached(culvert.acme, device.id)
  const quiet: Endpoints = { ...ours, far, farAddress: device.address4 }
  const places = { internet: lab.internet, server: culvert.server, tun: culvert.tun, flooded: ours.far, quiet: far }
  const strangers = async (): Promise<undefined> => {
    const words = ['192.0.2.200', SERVER_ADDRESS, '4500', String(UNKNOWN_SPI_BYTES), String(LOAD_SECONDS * 1000)]
    await culvert.customer.exec(process.execPath, ['--conditions=source', DATAGRAMS, ...words], { timeoutMs: 60_000 })
  }
  for (const [name, overload] of [
    ['into_tunnel', () => runIperf(ours, INTO_TUNNEL)],
    ['out_of_tunnel', () => runIperf(ours, OUT_OF_TUNNEL)],
    ['unknown_spi', strangers],
  ] as const) {
    const figure = `esp.overload.${name}`
    const before = await readLosses(places)
    const threads = readThreadTimes(concentrator)
    const [{ times, lostShare }, run] = await Promise.all([echoes(quiet), overload()])
    const { ranMs, waitedMs } = busiestSince(concentrator, threads)
    const lost = JSON.stringify(lossesBetween(before, await readLosses(places)))
    report(`${figure}.other_tunnel`, times, 'echoes through another tunnel')
    printFigure({
      figure: `${figure}.other_tunnel_lost`,
      values: [lostShare],
      unit: 'share',
      note: `lost anywhere: ${lost}`,
    })
    const note = 'of the data thread, in the time that it wanted one'
    printFigure({ figure: `${figure}.without_cpu`, values: [waitedMs / (ranMs + waitedMs)], unit: 'share', note })
    if (run === undefined) continue
    printFigure({ figure: `${figure}.lost`, values: [run.lostShare], unit: 'share', note: 'of the overload itself' })
  }
}

interface Echoes {
  /** Milliseconds, one for each answered echo. */
  readonly times: number[]
  readonly lostShare: number
}

async function echoes({
  near,
  nearAddress,
  farAddress,
}: Pick<Endpoints, 'near' | 'nearAddress' | 'farAddress'>): Promise<Echoes> {
  const { env } = await peer('ping')
  const args = ['-n', '-I', nearAddress, '-i', String(INTERVAL_SEC), '-c', String(ECHOES), '-W', '2', farAddress]
  const { stdout } = await near.exec('ping', args, { env, timeoutMs: 60_000, check: false })
  const times = [...stdout.matchAll(/time=([\d.]+) ms/g)].map((match) => Number(match[1]))
  return { times, lostShare: 1 - times.length / ECHOES }
}

function report(figure: string, times: readonly number[], note: string): void {
  printFigure({ figure: `${figure}_ms.p50`, values: times, unit: 'ms', note })
  printFigure({ figure: `${figure}_ms.p99`, values: times, unit: 'ms', note }, quantile(times, 0.99))
}
