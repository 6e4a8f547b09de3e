/**
 * `npm run bench -- esp-limit`: how far ESP is from what this machine can do at all. Interleaved on one bridge: iperf3 over the bare
 * veth, through a forwarder that does everything but security, and through both endpoints of ours.
 *
 * ```
 *   veth:       iperf3 ─ 192.0.2.3 ══ 192.0.2.15 ─ iperf3 -s
 *   forwarder:  iperf3 ─ TUN ─ plain 192.0.2.3 ══ plain 192.0.2.15 ─ TUN ─ iperf3 -s
 *   ours:       iperf3 ─ TUN ─ concentrator 192.0.2.1 ══ device-sim 192.0.2.11 ─ TUN ─ iperf3 -s
 * ```
 */
import path from 'node:path'
import { waitFor, type LabProcess, type Namespace } from '@culvert/testkit'
import { withBenchLab, type BenchLab } from './bench-lab.ts'
import { openOurs } from './esp-endpoints.ts'
import { printFigure } from './figure.ts'
import { runIperf, startIperfServer, type Endpoints, type Load } from './iperf.ts'

const quick = process.argv.includes('--quick')
const ROUNDS = quick ? 3 : 5
const SECONDS = quick ? 3 : 6
const FORWARDER = path.resolve(import.meta.dirname, '../../packages/dataplane/test/plain-forwarder.ts')
const OUTER = ['192.0.2.3', '192.0.2.15'] as const
const INNER = ['10.96.0.1', '10.96.0.2'] as const
const PORT = 4500

const BULK: Load = { seconds: SECONDS, reverse: false, streams: 1, udp: null }
const SMALL: Load = { seconds: SECONDS, reverse: false, streams: 1, udp: { bytes: 64, mbitPerSec: 40 } }

await withBenchLab(async (bench) => {
  const forwarder = await openForwarders(bench)
  const veth: Endpoints = { ...forwarder, name: 'veth', nearAddress: OUTER[0], farAddress: OUTER[1] }
  const ours = await openOurs(bench)
  const all = [veth, forwarder, ours]
  for (const ends of all) await startIperfServer(ends)
  const gbit: number[][] = all.map(() => [])
  const bulk: number[][] = all.map(() => [])
  const small: number[][] = all.map(() => [])
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, ends] of all.entries()) {
      const down = await runIperf(ends, BULK)
      const up = await runIperf(ends, { ...BULK, reverse: true })
      gbit[index]!.push((down.gbitPerSec + up.gbitPerSec) / 2)
      bulk[index]!.push((down.nearCpuUs + up.nearCpuUs) / 2)
      if (ends !== veth) small[index]!.push((await runIperf(ends, SMALL)).nearCpuUs)
    }
  }
  for (const [index, { name }] of all.entries()) {
    printFigure({
      figure: `esp.limit.${name}`,
      values: gbit[index]!,
      unit: 'Gbit/s',
      note: 'one TCP stream, both directions',
    })
  }
  const share = (index: number): number[] => gbit[2]!.map((value, round) => value / gbit[index]![round]!)
  printFigure({ figure: 'esp.limit.of_veth', values: share(0), unit: 'share' })
  printFigure({ figure: 'esp.limit.of_forwarder', values: share(1), unit: 'share' })
  for (const index of [1, 2]) {
    const { name } = all[index]!
    printFigure({
      figure: `esp.limit.${name}.cpu_bulk_us`,
      values: bulk[index]!,
      unit: 'us',
      note: 'per full-size packet',
    })
    printFigure({
      figure: `esp.limit.${name}.cpu_small_us`,
      values: small[index]!,
      unit: 'us',
      note: 'per 64-byte packet',
    })
  }
})

async function openForwarders({ lab, atEnd }: BenchLab): Promise<Endpoints> {
  const near = await lab.addHost('plain', `${OUTER[0]}/24`)
  const far = await lab.addHost('plaindev', `${OUTER[1]}/24`)
  const programs = [await startForwarder(near, 0), await startForwarder(far, 1)] as const
  for (const program of programs) atEnd(() => program.stop())
  return {
    name: 'forwarder',
    near,
    nearAddress: INNER[0],
    far,
    farAddress: INNER[1],
    pids: [programs[0].pid, programs[1].pid],
  }
}

async function startForwarder(host: Namespace, end: 0 | 1): Promise<LabProcess> {
  const options = {
    bind: { address: OUTER[end], port: PORT },
    remote: { address: OUTER[1 - end], port: PORT },
    inner: [INNER[end], INNER[1 - end]],
  }
  const program = host.spawn(process.execPath, ['--conditions=source', FORWARDER, JSON.stringify(options)])
  await waitFor(() => program.output().includes('ready'), { message: `the forwarder: ${program.output()}` })
  return program
}
