/**
 * iperf3 between a sender on the concentrator's side and a server on the device, and what the two endpoints spent on it.
 */
import fs from 'node:fs'
import { peer, waitFor, type LabProcess, type Namespace } from '@culvert/testkit'

export interface Endpoints {
  readonly name: string
  /** Namespace and inner address of the concentrator's side. */
  readonly near: Namespace
  readonly nearAddress: string
  readonly far: Namespace
  readonly farAddress: string
  /** Processes whose CPU is counted: concentrator, device. */
  readonly pids: readonly [number, number]
}

export interface Run {
  readonly gbitPerSec: number
  /** CPU microseconds per full-size data packet of the concentrator and of the device. */
  readonly nearCpuUs: number
  readonly farCpuUs: number
  readonly lostShare: number
}

export interface Load {
  readonly seconds: number
  /** True: the device sends. */
  readonly reverse: boolean
  readonly streams: number
  /** Bytes of UDP payload at the given rate; null is TCP. */
  readonly udp: { readonly bytes: number; readonly mbitPerSec: number } | null
}

const SERVER_PORT = 5201
const TCP_PAYLOAD_BYTES = 1348

export async function startIperfServer({ far, farAddress }: Endpoints): Promise<LabProcess> {
  const { env } = await peer('iperf3')
  const server = far.spawn('iperf3', ['-s', '-B', farAddress, '-p', String(SERVER_PORT), '--forceflush'], { env })
  await waitFor(() => server.output().includes('Server listening'), { message: `iperf3: ${server.output()}` })
  return server
}

export async function runIperf(ends: Endpoints, load: Load): Promise<Run> {
  const { env } = await peer('iperf3')
  const { seconds, reverse, streams, udp } = load
  const args = ['-c', ends.farAddress, '-B', ends.nearAddress, '-p', String(SERVER_PORT), '-t', String(seconds), '-J']
  args.push('-P', String(streams), ...(reverse ? ['-R'] : []))
  if (udp) args.push('-u', '-l', String(udp.bytes), '-b', `${udp.mbitPerSec}M`)
  const before = ends.pids.map(cpuMicroseconds)
  const { stdout } = await ends.near.exec('iperf3', args, { env, timeoutMs: (seconds + 20) * 1000 })
  const after = ends.pids.map(cpuMicroseconds)
  const report = JSON.parse(stdout) as IperfReport
  const { sum_received: received, sum } = report.end
  const bytes = received?.bytes ?? 0
  const packets = udp ? (sum?.packets ?? 0) - (sum?.lost_packets ?? 0) : bytes / TCP_PAYLOAD_BYTES
  const cpu = (index: number): number => ((after[index] ?? 0) - (before[index] ?? 0)) / packets
  return {
    gbitPerSec: (udp ? packets * udp.bytes * 8 : bytes * 8) / seconds / 1e9,
    nearCpuUs: cpu(0),
    farCpuUs: cpu(1),
    lostShare: (sum?.lost_percent ?? 0) / 100,
  }
}

interface IperfReport {
  readonly end: {
    readonly sum_received?: { readonly bytes: number }
    readonly sum?: { readonly packets?: number; readonly lost_packets?: number; readonly lost_percent?: number }
  }
}

/** CPU time of all threads of a process so far. */
export function cpuMicroseconds(pid: number): number {
  let nanoseconds = 0
  for (const task of fs.readdirSync(`/proc/${pid}/task`)) {
    try {
      nanoseconds += Number(fs.readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0])
    } catch {
      // the thread ended meanwhile
    }
  }
  return nanoseconds / 1000
}
