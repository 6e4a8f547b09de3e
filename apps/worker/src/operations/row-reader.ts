/**
 * Rows out of what was sent, NDJSON or CSV (RFC 4180, first line names the columns), as a stream from any place between two
 * rows. One row that cannot be read does not keep the others back; a CSV whose quotes do not match has no rows any more.
 */
import { Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'

export type RowFormat = 'ndjson' | 'csv'

export interface RowPlace {
  /** Octets before it. */
  readonly byte: number
  /** Rows before it, the header of a CSV not counted. */
  readonly row: number
}

export interface ReadRow {
  /** Behind the row: where to go on. */
  readonly next: RowPlace
  /** What is in the row, or null with `fault`. */
  readonly value: unknown
  readonly fault: string | null
}

/** Nothing of what follows can be told apart any more. */
export class UnreadableRowsError extends Error {}

export const maxRowBytes = 65_536
const newline = 0x0a
const noObject = 'is no JSON object in UTF-8'

/** @param blocks of what was sent, from `start.byte` on */
export async function* readNdjson(blocks: AsyncIterable<Buffer>, start: RowPlace): AsyncGenerator<ReadRow> {
  let { byte, row } = start
  let rest: Buffer = Buffer.alloc(0)
  /** Octets of a row that is too long already. */
  let dropped = 0
  const take = (line: Buffer, ending: number): ReadRow | null => {
    byte += dropped + line.length + ending
    const isLong = dropped + line.length > maxRowBytes
    dropped = 0
    if (!isLong && isBlank(line)) return null
    row += 1
    const read = isLong ? { value: null, fault: `is longer than ${maxRowBytes} octets` } : jsonObject(line)
    return { next: { byte, row }, ...read }
  }
  for await (const block of blocks) {
    let from = 0
    for (let end = block.indexOf(newline); end !== -1; end = block.indexOf(newline, from)) {
      const line = Buffer.concat([rest, block.subarray(from, end)])
      rest = Buffer.alloc(0)
      from = end + 1
      const read = take(line, 1)
      if (read) yield read
    }
    rest = Buffer.concat([rest, block.subarray(from)])
    if (rest.length > maxRowBytes) {
      dropped += rest.length
      rest = Buffer.alloc(0)
    }
  }
  const read = dropped + rest.length > 0 ? take(rest, 0) : null
  if (read) yield read
}

function isBlank(line: Buffer): boolean {
  return line.every((octet) => octet === 0x20 || octet === 0x09 || octet === 0x0d)
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function jsonObject(line: Buffer): Pick<ReadRow, 'value' | 'fault'> {
  try {
    const value: unknown = JSON.parse(utf8.decode(line))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { value, fault: null }
  } catch {
    // Said below, without what was in it.
  }
  return { value: null, fault: noObject }
}

/** @throws UnreadableRowsError when there is no header */
export async function readCsvHeader(blocks: AsyncIterable<Buffer>): Promise<{ columns: string[]; byte: number }> {
  for await (const { record, bytes } of csvRecords(blocks, true)) {
    const columns = record.map((name) => name.trim())
    if (new Set(columns).size !== columns.length) throw new UnreadableRowsError('The header names a column twice.')
    return { columns, byte: bytes }
  }
  throw new UnreadableRowsError('There is no header.')
}

/** Cells become what the schema of a device has: lists are separated by semicolons, an empty cell is left out. */
export async function* readCsv(
  blocks: AsyncIterable<Buffer>,
  columns: readonly string[],
  start: RowPlace,
): AsyncGenerator<ReadRow> {
  let { row } = start
  for await (const { record, bytes } of csvRecords(blocks, false)) {
    row += 1
    const next = { byte: start.byte + bytes, row }
    if (record.length !== columns.length)
      yield { next, value: null, fault: `has ${record.length} cells, the header has ${columns.length}` }
    else if (record.some((cell) => cell.includes('\ufffd'))) yield { next, value: null, fault: 'is not UTF-8' }
    else yield { next, value: objectOf(columns, record), fault: null }
  }
}

const lists = new Set(['tags', 'lanPrefixes', 'proposalTiers'])

function objectOf(columns: readonly string[], record: readonly string[]): Record<string, unknown> {
  const entries = columns.flatMap((column, index): [string, unknown][] => {
    const cell = record[index] ?? ''
    if (cell === '') return []
    if (lists.has(column)) return [[column, cell.split(';').map((item) => item.trim())]]
    if (column === 'tunnelable' && (cell === 'true' || cell === 'false')) return [[column, cell === 'true']]
    return [[column, cell]]
  })
  return Object.fromEntries(entries)
}

async function* csvRecords(
  blocks: AsyncIterable<Buffer>,
  isStart: boolean,
): AsyncGenerator<{ record: string[]; bytes: number }> {
  const source = Readable.from(blocks)
  const parser = parse({
    bom: isStart,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: maxRowBytes,
    record_delimiter: ['\r\n', '\n'],
  })
  source.on('error', (error) => parser.destroy(error))
  source.pipe(parser)
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { bytes: number } }>)
      yield { record, bytes: info.bytes }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw new UnreadableRowsError(
      error.code === 'CSV_MAX_RECORD_SIZE'
        ? `A row is longer than ${maxRowBytes} octets.`
        : 'A quote is not closed, or stands inside of a cell without quotes.',
    )
  } finally {
    source.destroy()
    parser.destroy()
  }
}
