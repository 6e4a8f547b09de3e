import { describe, expect, it } from 'vitest'
import type { SealedPayload } from './model.ts'
import { addFragment, type FragmentSet } from './reassembly.ts'

describe('fragments of a message (RFC 7383 2.6)', () => {
  it('come together in any order, with the inner type of the first', () => {
    let set = addFragment(null, fragment(3, 3), Uint8Array.of(5)).set
    set = addFragment(set, fragment(1, 3, 35), Uint8Array.of(1, 2)).set
    const added = addFragment(set, fragment(2, 3), Uint8Array.of(3, 4))
    expect(added).toEqual({ set: null, complete: { innerType: 35, bytes: Uint8Array.of(1, 2, 3, 4, 5) } })
  })

  it('may be a single one', () => {
    const added = addFragment(null, fragment(1, 1, 40), Uint8Array.of(9))
    expect(added.complete).toEqual({ innerType: 40, bytes: Uint8Array.of(9) })
  })

  it('count once: a duplicate changes nothing, even with other content (N10)', () => {
    const { set } = addFragment(null, fragment(1, 2, 35), Uint8Array.of(1))
    expect(addFragment(set, fragment(1, 2, 36), Uint8Array.of(7, 7))).toEqual({ set, complete: null })
    expect(addFragment(set, fragment(2, 2), Uint8Array.of(2)).complete?.bytes).toEqual(Uint8Array.of(1, 2))
  })

  it('start over when the total grows', () => {
    const { set } = addFragment(null, fragment(1, 2, 35), Uint8Array.of(1))
    const grown = addFragment(set, fragment(2, 3), Uint8Array.of(2))
    expect(grown.set).toMatchObject({ total: 3, received: 1, bytes: 1, innerType: 0 })
    expect(grown.set?.parts[1]).toBeUndefined()
  })

  it('are dropped when their total is lower', () => {
    const { set } = addFragment(null, fragment(1, 3, 35), Uint8Array.of(1))
    expect(addFragment(set, fragment(2, 2), Uint8Array.of(2))).toEqual({ set, complete: null })
    expect(addFragment(set, fragment(1, 1, 35), Uint8Array.of(2))).toEqual({ set, complete: null })
  })

  it('do not change the set they are added to', () => {
    const { set } = addFragment(null, fragment(1, 3, 35), Uint8Array.of(1))
    const before = structuredClone(set)
    addFragment(set, fragment(2, 3), Uint8Array.of(2))
    expect(set).toEqual(before)
  })

  it.each([
    ['number 0', 0, 3],
    ['a number above the total', 4, 3],
    ['more fragments than any message needs', 1, 129],
    ['a total of 65535', 65_535, 65_535],
  ])('with %s are dropped (N10)', (_, number, total) => {
    expect(addFragment(null, fragment(number, total), Uint8Array.of(1))).toEqual({ set: null, complete: null })
  })

  it('are bounded in octets: the one that would pass the bound is dropped', () => {
    let set: FragmentSet | null = null
    for (let number = 1; number <= 4; number++) {
      set = addFragment(set, fragment(number, 100), new Uint8Array(16_383)).set
    }
    expect(set?.bytes).toBe(65_532)
    expect(addFragment(set, fragment(5, 100), new Uint8Array(4))).toEqual({ set, complete: null })
    expect(addFragment(set, fragment(5, 100), new Uint8Array(3)).set?.bytes).toBe(65_535)
  })
})

function fragment(fragmentNumber: number, totalFragments: number, innerType = 0): SealedPayload {
  return { innerType, fragmentNumber, totalFragments, bodyOffset: 36 }
}
