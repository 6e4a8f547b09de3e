/**
 * Brings the counters of Child SAs to their rows. Most SAs are quiet most of the time: only those that carried something since are
 * written, and again until there is a row to write to.
 */
import type { AttachmentRegistry } from '@culvert/concentrator-core'
import type { DataPlane, SaCounters } from '@culvert/dataplane'
import type { ChildCounters } from '@culvert/db'
import type { Spi } from '@culvert/ikev2'

const COUNTED_AT_ONCE = 5000

export interface SaCounting {
  /** @throws what the database throws; what was not written is written the next time */
  count(): Promise<void>
}

export function createSaCounting({
  registry,
  dataPlane,
  write,
}: {
  registry: Pick<AttachmentRegistry, 'attached'>
  dataPlane: Pick<DataPlane, 'readSaCounters'>
  /** @returns the inbound SPIs of those that have a row */
  write: (counters: readonly ChildCounters[]) => Promise<ReadonlySet<number>>
}): SaCounting {
  /** Octets of both directions that stand in the row of an SA. */
  const written = new Map<Spi, number>()

  return {
    async count() {
      const owners = new Map<Spi, string>()
      for (const record of registry.attached()) {
        for (const { summary } of record.children) owners.set(summary.spiIn, record.deviceId)
      }
      for (const spiIn of written.keys()) if (!owners.has(spiIn)) written.delete(spiIn)
      const spis = [...owners.keys()]
      for (let start = 0; start < spis.length; start += COUNTED_AT_ONCE) {
        const counters = await dataPlane.readSaCounters(spis.slice(start, start + COUNTED_AT_ONCE))
        const changed = counters.filter((counter) => octetsOf(counter) !== (written.get(counter.spiIn) ?? 0))
        if (changed.length === 0) continue
        const rows = changed.map((counter) => ({ ...counter, deviceId: owners.get(counter.spiIn) ?? '' }))
        const found = await write(rows)
        for (const counter of changed) if (found.has(counter.spiIn)) written.set(counter.spiIn, octetsOf(counter))
      }
    },
  }
}

/** Grows with every packet: none is empty. */
function octetsOf({ bytesIn, bytesOut }: SaCounters): number {
  return bytesIn + bytesOut
}
