/**
 * What both threads see without a message: control words, node counters and one line of counters per SA.
 *
 * Control words are accessed atomically. Counters are doubles (exact up to 2^53) with one writer, the worker; a reader on another
 * thread sees each of them whole, but not all of the same instant. A line keeps its last values after the SA was removed, until
 * its index is used again; `SPI` says whose they are.
 */
import { DROP_CODE_COUNT, subjectPolicyBytes } from '@culvert/esp'

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
} as const
/** 64 bytes: one cache line per SA. */
export const SA_LINE_FIELDS = 8

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
  readonly subjects: SharedArrayBuffer
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

  static create(maxSas: number, maxSubjects = maxSas): SharedState {
    return new SharedState({
      control: new SharedArrayBuffer(CONTROL_WORDS * 4),
      node: new SharedArrayBuffer((NodeField.drops + DROP_CODE_COUNT) * 8),
      sas: new SharedArrayBuffer(maxSas * SA_LINE_FIELDS * 8),
      subjects: new SharedArrayBuffer(subjectPolicyBytes(maxSubjects)),
    })
  }
}
