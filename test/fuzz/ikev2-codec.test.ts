/**
 * Replays the corpus of the codec fuzzer and runs it for 10^5 inputs from a fixed seed. The corpus (`corpus/ikev2/refusals.txt`) is
 * one small input for every refusal the fuzzer has seen: entry, expected code, payload type, first payload type, octets.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { checkDatagram, checkInside, fuzzIkev2Codec, loadSeeds } from './ikev2-codec-fuzz.ts'

const corpus = readFileSync(new URL('corpus/ikev2/refusals.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split(' '))

describe('fuzzing the IKEv2 codec', () => {
  it('has seeds from every recorded scenario, clear and opened', () => {
    const { datagrams, insides } = loadSeeds()
    expect(datagrams).toHaveLength(525)
    expect(insides.length).toBeGreaterThan(300)
    for (const datagram of datagrams) expect(checkDatagram(datagram)).toEqual({ ok: true })
    for (const inside of insides) expect(checkInside(inside)).toEqual({ ok: true })
  })

  it('N28 refuses every input of the corpus with the code it always had', () => {
    expect(corpus.length).toBeGreaterThan(50)
    const outcomes = corpus.map(([entry = '', , , firstType = '', hex = '']) => {
      const bytes = new Uint8Array(Buffer.from(hex, 'hex'))
      const outcome = entry === 'datagram' ? checkDatagram(bytes) : checkInside({ firstType: Number(firstType), bytes })
      return outcome.ok ? 'ok' : `${outcome.code} ${outcome.payloadType}`
    })
    expect(outcomes).toEqual(corpus.map(([, code, payloadType]) => `${code} ${payloadType}`))
  })

  it('N28 breaks no rule in 100000 inputs, half of them inside SK', () => {
    const tally = fuzzIkev2Codec(0x1cef22, 100_000)
    expect(tally.inputs).toBe(100_000)
    expect(tally.decoded).toBeGreaterThan(20_000)
    expect(tally.refusals.size).toBeGreaterThan(60)
  })
})
