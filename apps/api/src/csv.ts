/** Cells and lines of CSV (RFC 4180). A cell that a spreadsheet would take for a formula gets an apostrophe before it. */

/** Signs that make a formula at the start of a cell; a tab or line end before one is none in our texts. */
const formula = /^[=+\-@\t\r\n＝＋－＠]/

/** Lists are separated by semicolons. */
export type CsvValue = string | number | boolean | readonly (string | number)[] | null | undefined

export function csvLineOf(values: readonly CsvValue[]): string {
  return `${values.map(cellOf).join(',')}\r\n`
}

function cellOf(value: CsvValue): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number') return String(value)
  const text = typeof value === 'object' ? value.join(';') : String(value)
  const safe = formula.test(text) ? `'${text}` : text
  return /[",;\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
