/**
 * Reads the vector files in this folder: JSON as it is, and the NIST "rsp" form of sections and `name = value` lines.
 */
import { readFileSync } from 'node:fs'
import { fromHex } from '@culvert/bytes'

/** Octets of a hexadecimal field. @throws when the vector file is damaged. */
export function hex(text: string): Uint8Array {
  const bytes = fromHex(text)
  if (bytes === undefined) throw new Error(`no hexadecimal: ${text}`)
  return bytes
}

/** @param path below test/vectors. */
export function readJson<T>(path: string): T {
  return JSON.parse(readText(path)) as T
}

export interface RspRecord {
  /** The bracketed lines in force: `[Keylen = 128]` as a name and value, `[ENCRYPT]` as a name with an empty value. */
  readonly section: Readonly<Record<string, string>>
  /** Names in upper case; a line without "=" such as `FAIL` has an empty value. */
  readonly fields: ReadonlyMap<string, string>
}

/** @param path below test/vectors. @returns one record per block of lines between blank lines. */
export function readRsp(path: string): RspRecord[] {
  const records: RspRecord[] = []
  let section: Record<string, string> = {}
  let inSectionBlock = false
  for (const block of readText(path).replaceAll('\r', '').split(/\n\n+/)) {
    const fields = new Map<string, string>()
    for (const line of block.split('\n').filter((text) => text !== '' && !text.startsWith('#'))) {
      const [name = '', value = ''] = line
        .replace(/^\[|\]$/g, '')
        .split('=')
        .map((part) => part.trim())
      if (line.startsWith('[')) {
        section = inSectionBlock ? { ...section, [name]: value } : { [name]: value }
        inSectionBlock = true
      } else {
        fields.set(name.toUpperCase(), value)
        inSectionBlock = false
      }
    }
    if (fields.size > 0) records.push({ section, fields })
  }
  return records
}

/** Octets of a field that must be there. */
export function octets(record: RspRecord, name: string): Uint8Array {
  const value = record.fields.get(name)
  if (value === undefined) throw new Error(`vector without ${name}`)
  return hex(value)
}

function readText(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8')
}
