/** Devices as CSV. */
import type { Device } from '@culvert/contracts'
import { csvLineOf } from './csv.ts'

const columns = [
  'id',
  'name',
  'iccid',
  'imsi',
  'imei',
  'eid',
  'tags',
  'networkId',
  'address',
  'address6',
  'ikeIdentity',
  'tunnelable',
  'lanPrefixes',
  'proposalTiers',
  'state',
  'lastSeenAt',
  'createdAt',
] as const satisfies readonly (keyof Device)[]

export const csvHeader = csvLineOf(columns)

export function csvLine(device: Device): string {
  return csvLineOf(columns.map((column) => device[column]))
}
