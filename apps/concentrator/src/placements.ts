/**
 * Where the data plane keeps the Child SAs of an attachment: the number of its device, and the addresses it was leased.
 *
 * An attachment holds the number of its device from admission until it is closed. What the data plane shall hold the device to is said
 * before its first SA.
 */
import type { SubjectTable } from '@culvert/concentrator-core'
import type { Placement } from '@culvert/esp'
import type { AttachmentKey } from '@culvert/ikev2'
import type { DeviceLimits } from '@culvert/lifecycle'
import type { DevicePolicies } from './device-policies.ts'

export interface PlacedDevice {
  readonly deviceId: string
  readonly limits: DeviceLimits
  /** Leased for this attachment, textual. */
  readonly addresses: readonly string[]
}

export interface Placements {
  /** @returns false when every number is held: nobody more may attach */
  hold(key: AttachmentKey, device: PlacedDevice): boolean
  release(key: AttachmentKey): void
  /** What a device may was read again. */
  limit(deviceId: string, limits: DeviceLimits): void
  of(key: AttachmentKey): Placement | null
}

export function createPlacements(
  subjects: SubjectTable,
  policies: Pick<DevicePolicies, 'admit' | 'update'>,
): Placements {
  const placed = new Map<AttachmentKey, { readonly deviceId: string; readonly placement: Placement }>()

  function release(key: AttachmentKey): void {
    const former = placed.get(key)
    if (former === undefined) return
    placed.delete(key)
    subjects.release(former.deviceId)
  }

  return {
    hold(key, device) {
      const { deviceId, addresses } = device
      const held = subjects.hold(deviceId)
      if (held === null) return false
      release(key)
      policies.admit(device, held.subject, held.evicted)
      placed.set(key, { deviceId, placement: { subject: held.subject, addresses } })
      return true
    },
    release,
    limit: (deviceId, limits) => policies.update(deviceId, limits),
    of: (key) => placed.get(key)?.placement ?? null,
  }
}
