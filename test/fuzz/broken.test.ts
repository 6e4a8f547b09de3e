/** What is told of an input that broke a rule. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { toHex } from '@culvert/bytes'
import { afterEach, describe, expect, it } from 'vitest'
import { broken } from './broken.ts'

describe('an input that broke a rule', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'culvert-broken-'))
  const cause = new Error('passes twice')

  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('is shown whole when it is short, with the rule as the cause', () => {
    const error = broken('datagram', [Uint8Array.of(1, 2), Uint8Array.of(255)], cause, folder)
    expect(error.message).toBe('broken by datagram 0102 ff')
    expect(error.cause).toBe(cause)
  })

  it('is shown by its beginning and its length when it is long, and lies in a file to its last octet', () => {
    const [long, short] = [new Uint8Array(65_535).fill(0xab), Uint8Array.of(7)]
    const { message } = broken('chain', [long, short], cause, folder)
    expect(message.length).toBeLessThan(500)
    expect(message).toContain(`abab... (65535 octets) 07; whole in ${folder}`)
    const [file = ''] = readdirSync(folder)
    expect(message.endsWith(file)).toBe(true)
    expect(readFileSync(path.join(folder, file), 'utf8')).toBe(`${toHex(long)}\n07\n`)
  })

  it('is told with its rule where it cannot be kept', () => {
    const error = broken('datagram', [new Uint8Array(1000)], cause, path.join(import.meta.filename, 'no-folder'))
    expect(error.message).toMatch(/000\.\.\. \(1000 octets\); not kept, the seed makes it again: Error: ENOTDIR/)
    expect(error.cause).toBe(cause)
  })

  it('is kept once however often it breaks a rule', () => {
    const input = [new Uint8Array(1000)]
    expect(broken('x', input, cause, folder).message).toBe(broken('x', input, cause, folder).message)
    expect(readdirSync(folder)).toHaveLength(1)
  })
})
