import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TrafficSelector } from '../message/model.ts'
import { covers, narrow } from './narrow.ts'
import { contains, fromCidr, toText } from './selector.ts'

describe('narrowing (RFC 7296 2.9)', () => {
  it.each<[string, string[], string[], string[] | null]>([
    ['everything to what policy has', ['0.0.0.0/0'], ['10.98.0.0/24'], ['10.98.0.0/24']],
    ['to the offer when policy is wider', ['10.98.0.5'], ['10.98.0.0/24'], ['10.98.0.5/32']],
    ['both families apart', ['0.0.0.0/0', '::/0'], ['10.99.0.1', 'fd99::1'], ['10.99.0.1/32', 'fd99::1/128']],
    ['one family when only one is offered', ['0.0.0.0/0'], ['10.99.0.1', 'fd99::1'], ['10.99.0.1/32']],
    [
      'several prefixes, in the order of the offer',
      ['10.2.0.0/16', '10.1.0.0/16'],
      ['10.0.0.0/8'],
      ['10.2.0.0/16', '10.1.0.0/16'],
    ],
    ['one wide offer into several', ['10.0.0.0/8'], ['10.1.0.0/16', '10.3.0.0/16'], ['10.1.0.0/16', '10.3.0.0/16']],
    [
      'the specific first selector away when the next covers it',
      ['10.1.0.5', '10.1.0.0/16'],
      ['10.0.0.0/8'],
      ['10.1.0.0/16'],
    ],
    ['to nothing when nothing is shared', ['10.1.0.0/16'], ['10.2.0.0/16'], null],
    ['to nothing when nothing is offered', [], ['10.2.0.0/16'], null],
    ['to nothing when nothing is allowed', ['10.2.0.0/16'], [], null],
  ])('%s', (_, offered, allowed, expected) => {
    const result = narrow(offered.map(of), allowed.map(of))
    expect(result?.map(toText) ?? null).toEqual(expected)
  })

  it('gives the list of the policy itself when all of it is agreed on: one for all Child SAs of a peer', () => {
    const allowed = [of('10.1.0.0/16'), of('10.3.0.0/16')]
    expect(narrow([of('0.0.0.0/0')], allowed)).toBe(allowed)
    expect(narrow([of('10.1.0.0/16')], allowed)).toEqual([allowed[0]])
  })

  it('keeps what is allowed of the first selector, and nothing outside offer or policy (C38)', () => {
    const prefix = fc
      .tuple(fc.nat(3), fc.nat(255), fc.integer({ min: 6, max: 32 }))
      .map(([a, b, length]) => of(`10.${a}.${b}.0/${length}`))
    const list = fc.array(prefix, { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(list, list, (offered, allowed) => {
        const agreed = narrow(offered, allowed)
        for (const selector of agreed ?? []) {
          expect(offered.some((outer) => contains(outer, selector))).toBe(true)
          expect(allowed.some((outer) => contains(outer, selector))).toBe(true)
        }
        const first = offered[0]!
        const mayPass = allowed.some((outer) => contains(outer, first))
        expect(!mayPass || covers(agreed ?? [], [first])).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })

  it('bounds the answer, whatever is offered (N20)', () => {
    const offered = Array.from({ length: 255 }, (_, index) => of(`10.0.${index}.0/25`))
    const agreed = narrow(offered, [of('10.0.0.0/8'), of('0.0.0.0/0')])
    expect(agreed).toHaveLength(32)
    expect(toText(agreed![0]!)).toBe('10.0.0.0/25')
  })
})

describe('covering (C40)', () => {
  it('is true when every selector lies within one of the others', () => {
    expect(covers([of('10.0.0.0/8'), of('fd00::/8')], [of('10.1.0.0/16'), of('fd99::1')])).toBe(true)
    expect(covers([of('10.0.0.0/9')], [of('10.0.0.0/8')])).toBe(false)
    expect(covers([], [of('10.0.0.0/8')])).toBe(false)
    expect(covers([], [])).toBe(true)
  })
})

function of(cidr: string): TrafficSelector {
  const selector = fromCidr(cidr)
  if (selector === null) throw new Error(`no prefix: ${cidr}`)
  return selector
}
