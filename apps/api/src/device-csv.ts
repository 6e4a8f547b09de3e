/** Devices as CSV (RFC 4180). A cell that a spreadsheet would take for a formula gets an apostrophe before it. */
import type { Device } from '@culvert/contracts'

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

export const csvHeader = `${columns.join(',')}\r\n`

export function csvLine(device: Device): string {
  return `${columns.map((column) => cellOf(device[column])).join(',')}\r\n`
}

/** Signs that make a formula at the start of a cell; a tab or line end before one is none in our texts. */
const formula = /^[=+\-@\t\r\n＝＋－＠]/

function cellOf(value: Device[(typeof columns)[number]]): string {
  if (value === null || value === undefined) return ''
  const text = Array.isArray(value) ? value.join(';') : String(value)
  const safe = formula.test(text) ? `'${text}` : text
  return /[",;\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
