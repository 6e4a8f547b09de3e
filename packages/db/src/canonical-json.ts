/** JSON with one form for one value (RFC 8785): members in order of the UTF-16 code units of their names, no spaces. */

/** @param value what JSON can say; members that are undefined are left out, dates become ISO 8601 */
export function canonicalJson(value: unknown): string {
  return written(JSON.parse(JSON.stringify(value)))
}

function written(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(written).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${written(member)}`).join(',')}}`
}
