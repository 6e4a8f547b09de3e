/**
 * Datagrams of the sizes that devices send, through ours and strongSwan's endpoints: CPU of the concentrator per packet at a rate
 * that both carry, and what arrives of a rate that strongSwan does not.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { printFigure } from './figure.ts'
import { cpuMicroseconds, runIperf, type Endpoints, type Load } from './iperf.ts'

const SIZES = [64, 200, 1340]
/** Packets per second. */
const EASY = 10_000
const HARD = 100_000
const BUSY_SHARE = 0.1

export interface Rounds {
  readonly rounds: number
  readonly seconds: number
}

/** Prints `esp.udp<bytes>.<down|up>...` for every size and direction. */
export async function compareDatagrams(ours: Endpoints, theirs: Endpoints, { rounds, seconds }: Rounds): Promise<void> {
  for (const bytes of SIZES) {
    for (const direction of ['down', 'up'] as const) {
      const load = (rate: number): Load => ({
        seconds,
        reverse: direction === 'up',
        streams: 1,
        udp: { bytes, mbitPerSec: (rate * bytes * 8) / 1e6 },
      })
      const cpu: [number[], number[]] = [[], []]
      const delivered: [number[], number[]] = [[], []]
      for (let round = 0; round < rounds; round++) {
        for (const [index, ends] of [ours, theirs].entries()) {
          cpu[index]!.push((await runIperf(ends, load(EASY))).nearCpuUs)
          const hard = await runIperf(ends, load(HARD))
          delivered[index]!.push((hard.gbitPerSec * 1e6) / (bytes * 8))
          await untilIdle(ends)
        }
      }
      const figure = `esp.udp${bytes}.${direction}`
      const note = `${EASY / 1000} kpps offered`
      printFigure({ figure: `${figure}.cpu_us.ours`, values: cpu[0], unit: 'us', note })
      printFigure({ figure: `${figure}.cpu_us.strongswan`, values: cpu[1], unit: 'us', note })
      const offered = `delivered of ${HARD / 1000} kpps offered`
      printFigure({ figure: `${figure}.kpps.ours`, values: delivered[0], unit: 'kpps', note: offered })
      printFigure({ figure: `${figure}.kpps.strongswan`, values: delivered[1], unit: 'kpps', note: offered })
    }
  }
}

/** strongSwan queues without bound what it cannot carry, and works it off afterwards. */
async function untilIdle({ pids }: Endpoints): Promise<void> {
  for (let seconds = 0; seconds < 60; seconds++) {
    const before = pids.map(cpuMicroseconds)
    await sleep(1000)
    if (pids.every((pid, index) => cpuMicroseconds(pid) - (before[index] ?? 0) < BUSY_SHARE * 1e6)) return
  }
}
