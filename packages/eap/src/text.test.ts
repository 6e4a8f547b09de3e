import { describe, expect, it } from 'vitest'
import { decodeName } from './text.ts'

const octets = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('names', () => {
  it.each(['d1@dev.example', 'LAB\\d1', 'zoë', '', 'x'.repeat(256)])('takes %j', (name) => {
    expect(decodeName(octets(name))).toBe(name)
  })

  it.each(['a\0b', 'a\r\nb', '\u0085', 'x'.repeat(257)])('refuses %j', (name) => {
    expect(decodeName(octets(name))).toBeNull()
  })

  it('refuses what is no UTF-8', () => {
    expect(decodeName(new Uint8Array([0xc0, 0xaf]))).toBeNull()
  })
})
