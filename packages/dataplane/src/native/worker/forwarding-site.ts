/** What both directions of the worker work with. */
import type { DeviceIsolation, SubjectPolicies } from '@culvert/esp'
import type { Checksum } from '../superpackets/checksum.ts'
import type { Faults } from './faults.ts'
import type { Handoff } from '../lanes/handoff.ts'
import type { NativeSad } from '../sa/native-sad.ts'
import type { Notices } from './notices.ts'
import type { PacketMemory } from '../../foreign/index.ts'
import type { PathMtus } from '../path-mtu/path-mtus.ts'
import type { SharedState } from '../shared-memory/shared-state.ts'

export interface ForwardingSite {
  readonly memory: PacketMemory
  readonly checksum: Checksum
  readonly sads: NativeSad
  readonly shared: SharedState
  readonly notices: Notices
  readonly faults: Faults
  /** Null in the role of a device. */
  readonly isolation: DeviceIsolation | null
  /** Null in the role of a device. */
  readonly policies: SubjectPolicies | null
  readonly tunMtuBytes: number
  readonly paths: PathMtus
  /** Which bits of an inner TOS or traffic class the outer header shows. */
  readonly tosMask: number
  /** Outer packets are sized to their path. */
  readonly dontFragment: boolean
  readonly handoff: Handoff
  /** Lines of counters of the other workers. */
  readonly others: readonly Float64Array[]
}
