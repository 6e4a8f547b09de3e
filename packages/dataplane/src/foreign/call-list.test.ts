/** Lists of calls against the real functions: what is passed arrives, and nothing happens behind a step that went wrong. */
import { beforeEach, describe, expect, it } from 'vitest'
import { CallList } from './call-list.ts'
import { opensslFunctions } from './library.ts'
import { addressIn, PacketMemory } from './packet-memory.ts'

const BLOCK = 64
const memory = new PacketMemory(1 << 16)
const [key, text, out] = [0, 1, 2].map(() => memory.allocate(BLOCK)) as [number, number, number]
const at = (offset: number): number => addressIn(memory, offset, BLOCK)
const written = (): boolean => memory.copyOut(out, BLOCK).some((octet) => octet !== 0)

describe.runIf(process.arch === 'x64')('a list of calls', () => {
  const { newContext, fetchCipher, encryptInit, version } = opensslFunctions()
  const context = newContext()
  const list = new CallList(memory, 3)

  beforeEach(() => {
    memory.bytes.fill(0, out, out + BLOCK)
    encryptInit(context, fetchCipher(0, 'AES-128-CTR', 0), 0, at(key), at(key))
    list.call(0, 'version')
    list.expect(0, version())
    list.call(1, 'cipherUpdate')
    for (const [index, value] of [context, at(out), at(text), BLOCK].entries()) list.pass(1, index, value)
    list.expect(1, BLOCK)
    list.call(2, 'version')
    list.expect(2, version())
  })

  it('calls one function after the other with its arguments', () => {
    expect(list.run(0, 3)).toBe(true)
    expect(written()).toBe(true)
  })

  it('ends with the first that gives something else, and does not make the calls behind it', () => {
    list.expect(0, version() + 1)
    expect(list.run(0, 3)).toBe(false)
    expect(written()).toBe(false)
  })

  it('tells that the last one gave something else', () => {
    list.expect(2, -1)
    expect(list.run(0, 3)).toBe(false)
    expect(written()).toBe(true)
  })

  it('runs the steps it is asked for, none too', () => {
    expect(list.run(2, 1)).toBe(true)
    expect(list.run(0, 0)).toBe(true)
    expect(written()).toBe(false)
    expect(list.run(1, 1)).toBe(true)
    expect(written()).toBe(true)
  })

  it('forgets the arguments of a step that calls another function from now on', () => {
    list.call(1, 'clearErrors')
    list.call(1, 'version')
    list.expect(1, version())
    expect(list.run(0, 3)).toBe(true)
    expect(written()).toBe(false)
  })

  it('leaves registers that belong to its caller as they were, however often it is run', () => {
    let sum = 0
    for (let round = 1; round <= 20_000; round++) sum += list.run(0, 3) ? round * 0.5 : 0
    expect(sum).toBe((20_000 * 20_001) / 4)
  })
})
