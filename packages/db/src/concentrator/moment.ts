/**
 * The SQL of a moment that a JSON row carries as milliseconds since 1970: as a text every date of a crowd would cost this process
 * several times what the rest of its row costs.
 */
export function moment(column: string): string {
  return `to_timestamp(${column} / 1000.0)`
}
