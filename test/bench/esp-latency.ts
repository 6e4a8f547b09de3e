/**
 * Round-trip times through a tunnel: idle, beside a TCP stream in the same tunnel, and of one tunnel while another is overloaded.
 */
import { peer } from '@culvert/testkit'
import { registerDevice, waitAttached } from '../support/fleet.ts'
import { scratchFolder } from '@culvert/services'
import fs from 'node:fs'
import type { BenchLab } from './bench-lab.ts'
import { startSimulatedDevice, type OurEndpoints } from './esp-endpoints.ts'
import { printFigure, quantile } from './figure.ts'
import { runIperf, type Endpoints, type Load } from './iperf.ts'

const ECHOES = 400
const INTERVAL_SEC = 0.01
const LOAD_SECONDS = ECHOES * INTERVAL_SEC + 2
const STREAM: Load = { seconds: LOAD_SECONDS, reverse: false, streams: 1, udp: null }
/** More than two cores carry. */
const OVERLOAD: Load = { seconds: LOAD_SECONDS, reverse: false, streams: 2, udp: { bytes: 1340, mbitPerSec: 4000 } }

export async function compareLatency(ours: Endpoints, theirs: Endpoints): Promise<void> {
  for (const [name, ends] of [
    ['ours', ours],
    ['strongswan', theirs],
  ] as const) {
    report(`esp.latency_idle.${name}`, await echoTimes(ends), 'nothing else')
    const [times] = await Promise.all([echoTimes(ends), runIperf(ends, STREAM)])
    report(`esp.latency_beside_tcp.${name}`, times, 'a TCP stream in the same tunnel')
  }
}

/** A second device that only answers echoes, while the first gets more than can be carried. */
export async function latencyBesideOverload(bench: BenchLab, ours: OurEndpoints): Promise<void> {
  const far = await bench.lab.addHost('quiet', '192.0.2.14/24')
  const device = await registerDevice(ours.culvert.acme, 'quiet')
  const folder = await scratchFolder()
  bench.atEnd(async () => fs.rmSync(folder, { recursive: true, force: true }))
  const simulated = startSimulatedDevice(far, device, folder)
  bench.atEnd(() => simulated.stop())
  await waitAttached(ours.culvert.acme, device.id)
  const quiet: Endpoints = { ...ours, far, farAddress: device.address4 }
  const [times, flood] = await Promise.all([echoTimes(quiet), runIperf(ours, OVERLOAD)])
  report('esp.overload.other_tunnel', times, `beside ${OVERLOAD.udp?.mbitPerSec} Mbit/s twice into one tunnel`)
  printFigure({ figure: 'esp.overload.lost', values: [flood.lostShare], unit: 'share', note: 'of the overload itself' })
}

/** Milliseconds, one for each answered echo; an unanswered one counts as the whole time waited. */
async function echoTimes({ near, nearAddress, farAddress }: Endpoints): Promise<number[]> {
  const { env } = await peer('ping')
  const args = ['-n', '-I', nearAddress, '-i', String(INTERVAL_SEC), '-c', String(ECHOES), '-W', '2', farAddress]
  const { stdout } = await near.exec('ping', args, { env, timeoutMs: 60_000, check: false })
  const times = [...stdout.matchAll(/time=([\d.]+) ms/g)].map((match) => Number(match[1]))
  return [...times, ...Array.from({ length: ECHOES - times.length }, () => 2000)]
}

function report(figure: string, times: readonly number[], note: string): void {
  printFigure({ figure: `${figure}_ms.p50`, values: times, unit: 'ms', note })
  printFigure({ figure: `${figure}_ms.p99`, values: times, unit: 'ms', note }, quantile(times, 0.99))
}
