/** Counters of all workers added up, read while they run. */
import { DROP_CODE_NAMES, spiIndex } from '@culvert/esp'
import type { Spi } from '@culvert/ikev2'
import type { NodeCounters, SaCounters } from '../../contract.ts'
import { NodeField, SA_LINE_FIELDS, SaField, type SharedState } from './shared-state.ts'

/** @returns null when no worker has an SA with this SPI, or has had one since its index was used again */
export function readSa(workers: readonly SharedState[], spiIn: Spi): SaCounters | null {
  const line = spiIndex(spiIn) * SA_LINE_FIELDS
  const lines = workers.filter(({ sas }) => sas[line + SaField.spi] === spiIn).map(({ sas }) => sas)
  if (lines.length === 0) return null
  const sum = (field: number): number => {
    let total = 0
    for (const sas of lines) total += sas[line + field] ?? 0
    return total
  }
  const drops: Record<string, number> = {}
  for (let code = 0; code < DROP_CODE_NAMES.length; code++) {
    const count = sum(SaField.drops + code)
    if (count > 0) drops[DROP_CODE_NAMES[code]!] = count
  }
  return {
    spiIn,
    packetsIn: sum(SaField.packetsIn),
    bytesIn: sum(SaField.bytesIn),
    packetsOut: sum(SaField.packetsOut),
    bytesOut: sum(SaField.bytesOut),
    drops,
  }
}

export function readNode(workers: readonly SharedState[]): NodeCounters {
  const sum = (field: number): number => workers.reduce((total, { node }) => total + (node[field] ?? 0), 0)
  const drops: Record<string, number> = {}
  for (const [code, name] of DROP_CODE_NAMES.entries()) {
    if (code > 0) drops[name] = sum(NodeField.drops + code)
  }
  return {
    packetsIn: sum(NodeField.packetsIn),
    bytesIn: sum(NodeField.bytesIn),
    packetsOut: sum(NodeField.packetsOut),
    bytesOut: sum(NodeField.bytesOut),
    drops,
  }
}
