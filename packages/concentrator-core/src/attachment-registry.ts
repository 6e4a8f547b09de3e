/**
 * Which devices are attached to this node: one attachment per device, the newest wins (DESIGN 7).
 *
 * Keeps what the state writer and the reconciler need to know about an attachment, keyed by device and by the IKE core's
 * attachment key. Holds no key material. A device that left stays as a `detached` record until its row was written.
 */
import type { AttachmentKey, ChildSaSummary, CloseReason, IkeSaSummary, SocketAddress } from '@culvert/ikev2'

export interface AttachmentRecord {
  readonly key: AttachmentKey
  readonly deviceId: string
  readonly organizationId: string
  /** Leased this time; null for a family that was not asked for or cannot be had. */
  readonly address4: string | null
  readonly address6: string | null
  /** LANs it was granted to speak for. */
  lanPrefixes: readonly string[]
  /** Pools of its network that it was granted to reach. */
  neighbours: readonly string[]
  /** What it was offered since and has not answered; null for nothing. */
  offered: Offer | null
  /** The credential that was proven; when it goes, so does the attachment. */
  readonly credentialId: string
  readonly attachedAtMs: number
  state: 'attached' | 'detached'
  ike: IkeSaSummary
  ikeEstablishedAtMs: number
  initiatedIke: boolean
  /** Few. */
  children: readonly AttachedChild[]
  remote: SocketAddress
  /** Rekeys that were not written yet. */
  ikeRekeys: number
  childRekeys: number
  lastSeenAtMs: number
  detachedAtMs: number | null
  detachReason: CloseReason | null
}

/** It may take any of it at any time. */
export interface Offer {
  readonly lanPrefixes: readonly string[]
  readonly neighbours: readonly string[]
  readonly atMs: number
}

export interface AttachedChild {
  readonly summary: ChildSaSummary
  readonly installedAtMs: number
}

export interface AttachmentRegistry {
  readonly attachedCount: number
  byDevice(deviceId: string): AttachmentRecord | undefined
  byKey(key: AttachmentKey): AttachmentRecord | undefined
  /** Registers a new attachment; an older one of the same device is forgotten here (its SAs are closed by the IKE core). */
  attach(record: AttachmentRecord): void
  /** Marks the attachment as gone; a no-op when a newer one took its place. @returns the record when it was current. */
  detach(key: AttachmentKey, reason: CloseReason, nowMs: number): AttachmentRecord | undefined
  /** Forgets a detached device after its row was written. */
  forget(deviceId: string, key: AttachmentKey): void
  attached(): Iterable<AttachmentRecord>
}

export function createAttachmentRegistry(): AttachmentRegistry {
  const devices = new Map<string, AttachmentRecord>()
  const keys = new Map<AttachmentKey, AttachmentRecord>()
  let attachedCount = 0
  return {
    get attachedCount() {
      return attachedCount
    },
    byDevice: (deviceId) => devices.get(deviceId),
    byKey: (key) => keys.get(key),
    attach(record) {
      const older = devices.get(record.deviceId)
      if (older) {
        keys.delete(older.key)
        if (older.state === 'attached') attachedCount--
      }
      devices.set(record.deviceId, record)
      keys.set(record.key, record)
      attachedCount++
    },
    detach(key, reason, nowMs) {
      const record = keys.get(key)
      if (!record || record.state === 'detached') return undefined
      record.state = 'detached'
      record.detachedAtMs = nowMs
      record.detachReason = reason
      record.children = []
      attachedCount--
      return record
    },
    forget(deviceId, key) {
      const record = devices.get(deviceId)
      if (!record || record.key !== key || record.state !== 'detached') return
      devices.delete(deviceId)
      keys.delete(key)
    },
    *attached() {
      for (const record of devices.values()) if (record.state === 'attached') yield record
    },
  }
}
