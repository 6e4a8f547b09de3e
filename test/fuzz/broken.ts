/**
 * What a fuzzer throws at the input that broke a rule. People are shown its beginning and its length; the whole, which becomes a test,
 * lies in a file below `.data/fuzz`. There is nothing else in the error: a console would print it once more.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { toHex } from '@culvert/bytes'

const SHOWN_BYTES = 128
const KEPT = path.join(import.meta.dirname, '../../.data/fuzz')

/**
 * @param by where the input went in
 * @param objects the input; of several objects each is a line of the file
 * @param cause what the rule says
 */
export function broken(by: string, objects: readonly Uint8Array[], cause: unknown, folder = KEPT): Error {
  const shown = objects.map(shownInput).join(' ')
  const isWhole = objects.every(({ length }) => length <= SHOWN_BYTES)
  return new Error(`broken by ${by} ${shown}${isWhole ? '' : `; ${keep(objects, folder)}`}`, { cause })
}

/** In hexadecimal, with its length where it is not shown to its end. */
export function shownInput(octets: Uint8Array): string {
  if (octets.length <= SHOWN_BYTES) return toHex(octets)
  return `${toHex(octets.subarray(0, SHOWN_BYTES))}... (${octets.length} octets)`
}

/** @returns where it is: the file is named for what is in it, so the same input is kept once. Never throws: the rule is what matters. */
function keep(objects: readonly Uint8Array[], folder: string): string {
  const text = `${objects.map(toHex).join('\n')}\n`
  const file = path.join(folder, `${createHash('sha256').update(text).digest('hex').slice(0, 16)}.hex`)
  try {
    mkdirSync(folder, { recursive: true })
    writeFileSync(file, text)
    return `whole in ${file}`
  } catch (error) {
    return `not kept, the seed makes it again: ${String(error)}`
  }
}
