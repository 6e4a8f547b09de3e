/**
 * Gives hosts on LANs behind this node's devices the synthetic addresses that tunnels need, and takes them back.
 *
 *   notice, job, timer ──▶ wanted hosts (Postgres) ──▶ allocate, write row (tells the gateways) ──▶ data plane
 *   attached, detached ──────────────────────────────────────────────────────────────────────────▶ data plane
 *
 * An address belongs to (device, host) while a tunnel wants it, through detachments and restarts of this process, and as long as it
 * rests afterwards: streams find their host again. In the data plane it stands only while the device is attached, under the number the device has then. A host
 * whose LAN no Child SA of the attached device carries gets a failure instead, which ends the tunnel that waits for it.
 */
import {
  type AddressHolder,
  type AttachmentRegistry,
  selectorsHold,
  SyntheticAddresses,
} from '@culvert/concentrator-core'
import type { DataPlane } from '@culvert/dataplane'
import type { HostFailure, HostKey, MappedHost, StoredHost } from '@culvert/db'
import type { Logger } from '@culvert/observability'

/**
 * A late packet, and a gateway that has not heard the news, live shorter than this. So does a TCP connection of a gateway whose host is
 * gone: its kernel goes on for 15 minutes, and would hand data and sequence numbers to whoever has the address then.
 */
export const HOST_QUARANTINE_MS = 1_200_000

/** The first Child SA of an attachment comes with it, or this much later. */
const CHILD_DELAY_MS = 3_000

export interface HostStore {
  readWanted(): Promise<readonly HostKey[]>
  readMapped(): Promise<readonly StoredHost[]>
  write(mapped: MappedHost): Promise<void>
  free(key: HostKey): Promise<void>
  /** Drops the rows of addresses that have rested. */
  forgetRested(): Promise<void>
}

export interface HostKeeper {
  /** Makes the mappings what tunnels want; resolves when the run that saw this call's state is over. Rejects when Postgres is away. */
  reconcile(): Promise<void>
  /** The device attached, detached, or has other Child SAs. */
  deviceChanged(deviceId: string): void
}

interface Mapping {
  readonly key: HostKey
  readonly synthetic: string
  /** Under which number it stands in the data plane; null: it does not. */
  subject: number | null
}

export interface HostKeeperOptions {
  readonly store: HostStore
  readonly registry: Pick<AttachmentRegistry, 'byDevice'>
  readonly subjectOf: (deviceId: string) => number | undefined
  readonly dataPlane: Pick<DataPlane, 'mapHost' | 'unmapHost'>
  /** Milliseconds of a monotonic clock. */
  readonly nowMs: () => number
  readonly log: Logger
  readonly addresses?: SyntheticAddresses
}

export function createHostKeeper(options: HostKeeperOptions): HostKeeper {
  const { store, registry, subjectOf, dataPlane, nowMs, log } = options
  const addresses = options.addresses ?? new SyntheticAddresses({ quarantineMs: HOST_QUARANTINE_MS })
  /** By device and host. */
  const mappings = new Map<string, Map<string, Mapping>>()
  /** Rows that say why there is no address. */
  const failed = new Map<string, HostKey>()
  /** Writes that failed: a row may stand all the same, which would lead a gateway to whoever had the address next. */
  const unsure = new Map<HostKey, number>()
  /** Devices with a host that could not be judged yet. */
  const undecided = new Set<string>()
  let isLoaded = false
  let running: Promise<void> | null = null
  let again: Promise<void> | null = null

  async function run(): Promise<void> {
    if (!isLoaded) await load()
    for (const [key, address] of unsure) {
      await store.free(key)
      unsure.delete(key)
      addresses.free(address, nowMs())
    }
    const wanted = await store.readWanted()
    undecided.clear()
    for (const key of wanted) if (mappingOf(key) === undefined) await decide(key)
    const kept = new Set(wanted.map(nameOf))
    for (const mapping of [...mappings.values()].flatMap((hosts) => [...hosts.values()])) {
      if (!kept.has(nameOf(mapping.key))) await free(mapping)
    }
    for (const [name, key] of failed) {
      if (kept.has(name)) continue
      await store.free(key)
      failed.delete(name)
    }
    await store.forgetRested()
  }

  /** What this node gave out in an earlier life. */
  async function load(): Promise<void> {
    const rows = await store.readMapped()
    const resting = (row: StoredHost): number => row.restingMs ?? 0
    for (const row of [...rows].sort((a, b) => resting(b) - resting(a))) {
      const { synthetic, restingMs } = row
      if (synthetic === null) failed.set(nameOf(row), row)
      else if (addresses.reserve(numberOf(synthetic), holderOf(row))) {
        if (restingMs === null) keep({ key: row, synthetic, subject: null })
        else addresses.free(numberOf(synthetic), nowMs() - restingMs)
      }
    }
    isLoaded = true
    for (const deviceId of mappings.keys()) apply(deviceId)
  }

  async function decide(key: HostKey): Promise<void> {
    const record = registry.byDevice(key.deviceId)
    if (record?.state === 'attached') {
      const { children } = record
      if (children.length === 0 && nowMs() - record.attachedAtMs < CHILD_DELAY_MS) {
        undecided.add(key.deviceId)
        return
      }
      if (!children.some(({ summary }) => selectorsHold(summary.tsRemote, key.host)))
        return refuse(key, 'lan_not_carried')
    }
    const address = addresses.allocate(holderOf(key), nowMs())
    if (address === null) return refuse(key, 'no_host_address')
    const synthetic = textOf(address)
    try {
      await store.write({ ...key, synthetic, failure: null })
    } catch (error) {
      unsure.set(key, address)
      throw error
    }
    failed.delete(nameOf(key))
    keep({ key, synthetic, subject: null })
    apply(key.deviceId)
    log.debug({ deviceId: key.deviceId, synthetic }, 'a host on a LAN has an address here')
  }

  async function refuse(key: HostKey, failure: HostFailure): Promise<void> {
    await store.write({ ...key, synthetic: null, failure })
    failed.set(nameOf(key), key)
    log.info({ deviceId: key.deviceId, failure }, 'a host on a LAN cannot be reached')
  }

  async function free(mapping: Mapping): Promise<void> {
    const { key, synthetic } = mapping
    await store.free(key)
    const hosts = mappings.get(key.deviceId)
    hosts?.delete(key.host)
    if (hosts?.size === 0) mappings.delete(key.deviceId)
    if (mapping.subject !== null) dataPlane.unmapHost(synthetic) // it may have been mapped meanwhile
    addresses.free(numberOf(synthetic), nowMs())
  }

  function keep(mapping: Mapping): void {
    const { deviceId, host } = mapping.key
    mappings.set(deviceId, (mappings.get(deviceId) ?? new Map<string, Mapping>()).set(host, mapping))
  }

  function mappingOf({ deviceId, host }: HostKey): Mapping | undefined {
    return mappings.get(deviceId)?.get(host)
  }

  /** Brings the data plane in step: a number that another device may get must not lead to this one's hosts. */
  function apply(deviceId: string): void {
    const isAttached = registry.byDevice(deviceId)?.state === 'attached'
    const subject = (isAttached ? subjectOf(deviceId) : undefined) ?? null
    for (const mapping of mappings.get(deviceId)?.values() ?? []) {
      if (mapping.subject === subject) continue
      if (subject === null) dataPlane.unmapHost(mapping.synthetic)
      else dataPlane.mapHost({ synthetic: mapping.synthetic, subject, host: mapping.key.host })
      mapping.subject = subject
    }
  }

  function begin(): Promise<void> {
    running = run().finally(() => {
      running = null
    })
    return running
  }

  function reconcile(): Promise<void> {
    if (!running) return begin()
    again ??= running
      .catch(() => {})
      .then(() => {
        again = null
        return begin()
      })
    return again
  }

  return {
    reconcile,
    deviceChanged(deviceId) {
      apply(deviceId)
      // What fails now is tried again by the timer.
      if (undecided.has(deviceId)) reconcile().catch(() => {})
    },
  }
}

/** Organizations share the addresses of a node: none takes them from the others. */
function holderOf(key: HostKey): AddressHolder {
  return { name: nameOf(key), group: key.organizationId }
}

function nameOf({ deviceId, host }: HostKey): string {
  return `${deviceId} ${host}`
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0)
}

function textOf(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.')
}
