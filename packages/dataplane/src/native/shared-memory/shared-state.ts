/**
 * What threads see of each other without a message.
 *
 * Of each worker: control words, node counters and one line of counters per SA. Control words are accessed atomically. Counters are
 * doubles (exact up to 2^53) with one writer, their worker; a reader on another thread sees each of them whole, but not all of the
 * same instant, and adds up those of all workers. A line keeps its last values after the SA was removed, until its index is used
 * again; `SPI` says whose they are.
 *
 * Of all workers: the sequence numbers and the path credit of every SA, the policies of subjects, the flow table, and the rings by which datagrams change workers.
 */
import {
  DROP_CODE_COUNT,
  flowTableBytes,
  SHARED_SA_WORDS,
  spiGeneration,
  spiIndex,
  subjectPolicyBytes,
} from '@culvert/esp'
import { HANDOFF_RING_BYTES } from './handoff-ring.ts'

export const ControlWord = {
  /** Set by the owner: leave. */
  stop: 0,
  /** Set by the worker when it touches no descriptor any more. */
  stopped: 1,
  /** Set by the owner with every message, cleared by the worker before it reads them. */
  mail: 2,
  /** IKE datagrams on their way to the owner. */
  ikeBacklog: 3,
  /** And their octets. */
  ikeBacklogBytes: 4,
  /** Set by the worker while it sleeps or is about to: whoever hands it something must wake it. */
  asleep: 5,
  /** Counted on by the worker as long as it goes round. */
  pulse: 6,
} as const
const CONTROL_WORDS = 8

export const SaField = {
  spi: 0,
  packetsIn: 1,
  bytesIn: 2,
  packetsOut: 3,
  bytesOut: 4,
  /** Longest outer packet on the way to the peer, in octets; 0 when it is not limited. */
  pathMtu: 5,
  /** First of the drop counters, by DropCode. */
  drops: 8,
} as const
/** Whole cache lines of 64 bytes per SA. */
export const SA_LINE_FIELDS: number = SaField.drops + 8 * Math.ceil(DROP_CODE_COUNT / 8)

export const NodeField = {
  packetsIn: 0,
  bytesIn: 1,
  packetsOut: 2,
  bytesOut: 3,
  /** Runs of datagrams that the kernel refused to cut and that were sent one by one. */
  refusedRuns: 4,
  /** First of the drop counters, by DropCode. */
  drops: 8,
} as const

/** What is handed to the worker. */
export interface SharedBuffers {
  readonly control: SharedArrayBuffer
  readonly node: SharedArrayBuffer
  readonly sas: SharedArrayBuffer
  /** For `SubjectPolicies` of both threads. */
}

export class SharedState {
  readonly buffers: SharedBuffers
  readonly control: Int32Array
  readonly node: Float64Array
  readonly sas: Float64Array

  constructor(buffers: SharedBuffers) {
    this.buffers = buffers
    this.control = new Int32Array(buffers.control)
    this.node = new Float64Array(buffers.node)
    this.sas = new Float64Array(buffers.sas)
  }

  static create(maxSas: number): SharedState {
    return new SharedState({
      control: new SharedArrayBuffer(CONTROL_WORDS * 4),
      node: new SharedArrayBuffer((NodeField.drops + DROP_CODE_COUNT) * 8),
      sas: new SharedArrayBuffer(maxSas * SA_LINE_FIELDS * 8),
    })
  }
}

/** What all workers share. */
export interface CommonBuffers {
  /** Sequence numbers and path credit of every SA. */
  readonly sharedSas: SharedArrayBuffer
  /** Lines of `SubjectPolicies`, written by the owner too. */
  readonly subjects: SharedArrayBuffer
  /** Null in the role of a device. */
  readonly flows: SharedArrayBuffer | null
  readonly flowHashSeed: number
  /** By receiving, then by handing worker; none to itself. */
  readonly rings: readonly (readonly (SharedArrayBuffer | null)[])[]
}

export const MOST_FLOWS: number = 1 << 17

export function createCommonBuffers(options: {
  readonly maxSas: number
  readonly maxSubjects: number
  readonly threads: number
  readonly hasFlows: boolean
  readonly flowHashSeed: number
}): CommonBuffers {
  const { maxSas, maxSubjects, threads, hasFlows, flowHashSeed } = options
  const all = Array.from({ length: threads }, (_, thread) => thread)
  return {
    sharedSas: new SharedArrayBuffer(2 * maxSas * SHARED_SA_WORDS * 4),
    subjects: new SharedArrayBuffer(subjectPolicyBytes(maxSubjects, threads)),
    flows: hasFlows ? new SharedArrayBuffer(flowTableBytes(MOST_FLOWS)) : null,
    flowHashSeed,
    rings: all.map((to) => all.map((from) => (to === from ? null : new SharedArrayBuffer(HANDOFF_RING_BYTES)))),
  }
}

/**
 * What threads count together of an SA. The next SA of the same index has the other of two: a worker that has not yet heard that this one was
 * removed takes no numbers from it.
 */
export function sharedSaWords(sharedSas: SharedArrayBuffer, spiIn: number): Int32Array {
  const slot = 2 * spiIndex(spiIn) + (spiGeneration(spiIn) & 1)
  return new Int32Array(sharedSas, slot * SHARED_SA_WORDS * 4, SHARED_SA_WORDS)
}
