/**
 * `npm run bench -- esp`: ESP through both endpoints of ours against both endpoints strongSwan (user space), interleaved on the
 * same bridge, with the same cipher and iperf3 server on the device. `--quick` makes fewer and shorter runs and leaves out what
 * no bar asks for.
 *
 * ```
 *   ours:   iperf3 ─ TUN ─ concentrator 192.0.2.1 ══ device-sim 192.0.2.11 ─ TUN ─ iperf3 -s
 *   theirs: iperf3 ─ TUN ─ charon       192.0.2.2 ══ charon     192.0.2.12 ─ TUN ─ iperf3 -s
 * ```
 */
import { type Lab } from '@culvert/testkit'
import { printFigure } from './figure.ts'
import { runIperf, startIperfServer, type Endpoints, type Load, type Run } from './iperf.ts'
import { openOurs, openTheirs } from './esp-endpoints.ts'
import { compareLatency } from './esp-latency.ts'
import { compareDatagrams } from './esp-datagrams.ts'
import { withBenchLab } from './bench-lab.ts'

const quick = process.argv.includes('--quick')
const ROUNDS = quick ? 3 : 5
const SECONDS = quick ? 3 : 6

const SMALL: Load = { seconds: SECONDS, reverse: false, streams: 1, udp: { bytes: 64, mbitPerSec: 40 } }

await withBenchLab(async (bench) => {
  const ours = await openOurs(bench)
  const theirs = await openTheirs(bench)
  await startIperfServer(ours)
  await startIperfServer(theirs)
  await compareTcp('esp.tcp1', 1, ours, theirs)
  await smallPackets(ours)
  if (!quick) {
    await compareTcp('esp.tcp4', 4, ours, theirs)
    await compareDatagrams(ours, theirs, { rounds: 3, seconds: 3 })
    await compareLatency(ours, theirs)
  }
  await setWireSegments(bench.lab, 1)
  await compareTcp('esp.tcp1_wire', 1, ours, theirs)
})

/** Both directions count: a round's throughput is the mean of sending to the device and receiving from it. */
async function compareTcp(figure: string, streams: number, ours: Endpoints, theirs: Endpoints): Promise<void> {
  const ratios: number[] = []
  const own: number[] = []
  const peer: number[] = []
  const cpu: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const mine = await bothWays(ours, streams)
    const other = await bothWays(theirs, streams)
    own.push(mine.gbitPerSec)
    peer.push(other.gbitPerSec)
    ratios.push(mine.gbitPerSec / other.gbitPerSec)
    cpu.push(mine.cpuUs)
  }
  printFigure({
    figure: `${figure}.ratio`,
    values: ratios,
    unit: 'x',
    note: 'ours : strongSwan 5.9.8, AES-256-GCM, both directions',
  })
  printFigure({ figure: `${figure}.ours`, values: own, unit: 'Gbit/s' })
  printFigure({ figure: `${figure}.strongswan`, values: peer, unit: 'Gbit/s' })
  if (figure === 'esp.tcp1')
    printFigure({ figure: 'esp.cpu_bulk_us', values: cpu, unit: 'us', note: 'concentrator, per full-size data packet' })
}

async function bothWays(ends: Endpoints, streams: number): Promise<{ gbitPerSec: number; cpuUs: number }> {
  const bulk: Load = { seconds: SECONDS, reverse: false, streams, udp: null }
  const down: Run = await runIperf(ends, bulk)
  const up: Run = await runIperf(ends, { ...bulk, reverse: true })
  return { gbitPerSec: (down.gbitPerSec + up.gbitPerSec) / 2, cpuUs: (down.nearCpuUs + up.nearCpuUs) / 2 }
}

async function smallPackets(ours: Endpoints): Promise<void> {
  const cpu: number[] = []
  for (let round = 0; round < ROUNDS; round++) cpu.push((await runIperf(ours, SMALL)).nearCpuUs)
  printFigure({
    figure: 'esp.cpu_small_us',
    values: cpu,
    unit: 'us',
    note: 'concentrator, per 64-byte UDP packet to the device',
  })
}

/** One datagram per segment on every wire: nothing coalesces between the endpoints. */
async function setWireSegments(lab: Lab, segments: number): Promise<void> {
  const { stdout } = await lab.internet.ip('-o', 'link', 'show', 'type', 'veth')
  for (const line of stdout.split('\n')) {
    const name = /^\d+: ([^@:]+)/.exec(line)?.[1]
    if (name) await lab.internet.ip('link', 'set', name, 'gso_max_segs', String(segments))
  }
}
