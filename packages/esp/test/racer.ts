/**
 * One of several threads that race on the same shared state, for tests. All start at the same moment, as far as that is possible.
 *
 *   seal   takes sequence numbers and IVs of one SA, in superpackets of changing size; answers with all of them
 *   flows  opens flows of its own in one small table, and looks for flows that nobody ever opens; answers how many it found
 *   rate   sends packets of one octet through the buckets of subject 1; answers how many passed
 */
import { parentPort, workerData } from 'node:worker_threads'
import {
  createFlowKey,
  Direction,
  DropCode,
  FlowTable,
  IvCounter,
  OutboundSequence,
  SubjectPolicies,
} from '../src/index.ts'

export interface RacerData {
  readonly race: 'seal' | 'flows' | 'rate'
  readonly thread: number
  readonly threads: number
  readonly rounds: number
  /** How many are at the start. */
  readonly gate: SharedArrayBuffer
  readonly memory: SharedArrayBuffer
}

export const RACE_FLOWS = { maxFlows: 8, hashSeed: 1 } as const
/** More than there is room for: entries change hands all the time. */
const KEYS = 24

function seal({ thread, rounds, memory }: RacerData): Uint8Array {
  const sequence = new OutboundSequence(true)
  sequence.share(new Int32Array(memory))
  const ivs = new IvCounter(0xabcdef, thread)
  const taken = new Uint8Array(rounds * 16)
  const view = new DataView(taken.buffer)
  for (let round = 0; round < rounds; round++) {
    if (round % 7 === 0) sequence.reserve(1 + ((round + thread) % 45))
    sequence.take()
    view.setUint32(16 * round, sequence.high)
    view.setUint32(16 * round + 4, sequence.low)
    ivs.next(taken, 16 * round + 8)
  }
  return taken
}

/** All words of a key that is opened are made of one number; a key with two of them was put together from two flows. */
function flows({ thread, rounds, memory }: RacerData): number {
  const table = new FlowTable({ ...RACE_FLOWS, memory })
  const key = createFlowKey()
  const set = (device: number, rest: number): void => {
    key.protocol = 17
    key.deviceAddress = device
    key.devicePort = rest
    key.dialPort = rest
    key.dialAddress = rest
  }
  let foreign = 0
  for (let round = 0; round < rounds; round++) {
    const own = 1 + ((round * 7 + thread * 3) % KEYS)
    table.advanceTo(round) // so that every entry is soon the oldest
    set(own, own)
    table.open(key, true)
    for (let step = 1; step < KEYS; step += 5) {
      set(own, 1 + ((own + step) % KEYS))
      if (table.has(key)) foreign++
    }
  }
  return foreign
}

function rate({ thread, threads, rounds, memory }: RacerData): number {
  const policies = new SubjectPolicies(memory, () => {}, { threads, thread })
  let passed = 0
  for (let round = 0; round < rounds; round++) {
    if (policies.admit(1, Direction.in, 1) === DropCode.none) passed++
  }
  return passed
}

const RACES = { seal, flows, rate }

if (workerData !== null && parentPort !== null) {
  const data = workerData as RacerData
  const gate = new Int32Array(data.gate)
  Atomics.add(gate, 0, 1)
  while (Atomics.load(gate, 0) < data.threads);
  parentPort.postMessage(RACES[data.race](data))
}
