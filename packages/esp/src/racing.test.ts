/** State that threads share, raced for by real ones. */
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { RACE_FLOWS, type RacerData } from '../test/racer.ts'
import {
  Direction,
  DropCode,
  flowTableBytes,
  OutboundSequence,
  SEQUENCE_WORDS,
  SubjectPolicies,
  subjectPolicyBytes,
  UNLIMITED_POLICY,
} from './index.ts'

const THREADS = 3

function race<T>(kind: RacerData['race'], rounds: number, memory: SharedArrayBuffer): Promise<T[]> {
  const gate = new SharedArrayBuffer(4)
  const url = new URL('../test/racer.ts', import.meta.url)
  const racers = Array.from({ length: THREADS }, (_, thread) => {
    const workerData: RacerData = { race: kind, thread, threads: THREADS, rounds, gate, memory }
    const worker = new Worker(url, { workerData, execArgv: ['--conditions=source'] })
    return new Promise<T>((resolve, reject) => worker.once('message', resolve).once('error', reject))
  })
  return Promise.all(racers)
}

describe('threads that share an SA', () => {
  it('never take a sequence number or an IV twice, nor one with a wrong high half while the low one wraps (C66)', async () => {
    const memory = new SharedArrayBuffer(SEQUENCE_WORDS * 4)
    const start = new OutboundSequence(true)
    start.share(new Int32Array(memory))
    const from = { high: 6, low: 0xffff_fff0 }
    start.skipTo(from.high, from.low)
    const rounds = 60_000
    const numbers = new Set<bigint>()
    const ivs = new Set<bigint>()
    let backwards = 0
    for (const taken of await race<Uint8Array>('seal', rounds, memory)) {
      const view = new DataView(taken.buffer)
      let last = 0n
      for (let at = 0; at < taken.length; at += 16) {
        const number = view.getBigUint64(at)
        if (number <= last) backwards++
        last = number
        numbers.add(number)
        ivs.add(view.getBigUint64(at + 8))
      }
    }
    expect([numbers.size, ivs.size, backwards]).toEqual([THREADS * rounds, THREADS * rounds, 0])
    const span = BigInt(THREADS * rounds * 46)
    const begin = (BigInt(from.high) << 32n) | BigInt(from.low)
    expect([...numbers].every((number) => number > begin && number <= begin + span)).toBe(true)
  })
})

describe('threads that share a flow table', () => {
  it('never find a flow that is half of one and half of another', async () => {
    const memory = new SharedArrayBuffer(flowTableBytes(RACE_FLOWS.maxFlows))
    expect(await race<number>('flows', 300_000, memory)).toEqual(Array<number>(THREADS).fill(0))
  })
})

describe('threads that share the buckets of a subject', () => {
  it('let no packet more pass than the burst, and count each that passes once', async () => {
    const memory = new SharedArrayBuffer(subjectPolicyBytes(1, THREADS))
    const owner = new SubjectPolicies(memory, () => {}, { threads: THREADS, thread: 0 })
    const burst = 200_000
    const rateIn = { bytes: null, packets: { perSec: 1e-9, burst } }
    owner.set(1, { ...UNLIMITED_POLICY, rateIn })
    const passed = await race<number>('rate', burst, memory)
    const sum = passed.reduce((total, one) => total + one, 0)
    expect(owner.usedBytes(1)).toBe(sum)
    let rest = 0
    while (owner.admit(1, Direction.in, 1) === DropCode.none) rest++
    expect(sum + rest).toBe(burst)
  })
})
