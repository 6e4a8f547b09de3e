import { describe, expect, it } from 'vitest'
import { DearProofs } from './dear-proofs.ts'

const BURST = 20
const STRANGER = '203.0.113.7'
const NEIGHBOUR = '203.0.113.9'

/** How many of `n` are looked at. */
function heard(proofs: DearProofs, address: string, nowMs: number, n = 1_000): number {
  return Array.from({ length: n }, () => proofs.take(address, nowMs)).filter(Boolean).length
}

describe('N26 signatures that are dear to check', () => {
  it('are checked for a source a few times, then ten times a second, whatever else comes from there', () => {
    const proofs = new DearProofs()
    expect(heard(proofs, STRANGER, 0)).toBe(BURST)
    expect(proofs.take('203.0.113.200', 0), 'another address of the same source').toBe(false)
    expect(heard(proofs, STRANGER, 1_000)).toBe(10)
    expect(heard(proofs, STRANGER, 1_099)).toBe(0)
    expect(heard(proofs, STRANGER, 1_100)).toBe(1)
    const far = ['2001:db8:1:1::1', '2001:db8:1:2::1', '2001:db8:2:1::1']
    expect(
      far.map((address) => heard(proofs, address, 0)),
      'an IPv6 /48 is one source',
    ).toEqual([BURST, 0, BURST])
  })

  it('are checked for other sources while one misbehaves, and for an address there where somebody has proven himself', () => {
    const proofs = new DearProofs()
    proofs.proven('crd_psk', NEIGHBOUR)
    heard(proofs, STRANGER, 0)
    expect(proofs.take('198.51.100.1', 0)).toBe(true)
    expect(proofs.take(NEIGHBOUR, 0)).toBe(true)
    expect(proofs.take('203.0.113.10', 0)).toBe(false)
  })

  it('cost a fleet behind one address nothing while they are good, however many come at one moment', () => {
    const proofs = new DearProofs()
    for (let n = 0; n < 1_000; n += 1) {
      expect(proofs.take(STRANGER, 0)).toBe(true)
      proofs.claimed(`crd_${n}`, STRANGER)
      proofs.proven(`crd_${n}`, STRANGER)
    }
  })

  it('are given back once, where they were taken, and only for what was taken', () => {
    const proofs = new DearProofs()
    proofs.proven('crd_psk', STRANGER)
    heard(proofs, STRANGER, 0)
    proofs.proven('crd_psk', STRANGER)
    expect(proofs.take(STRANGER, 0), 'one that took nothing').toBe(false)
    proofs.claimed('crd_a', STRANGER)
    proofs.claimed('crd_a', STRANGER)
    proofs.proven('crd_a', '198.51.100.1')
    expect(proofs.take(STRANGER, 0), 'one that came from elsewhere').toBe(false)
    proofs.proven('crd_a', STRANGER)
    proofs.proven('crd_a', STRANGER)
    expect(heard(proofs, STRANGER, 0)).toBe(1)
  })

  it('are counted in a bounded memory', () => {
    const proofs = new DearProofs()
    for (let n = 0; n < 30_000; n += 1) {
      const address = `2001:db8:${(n % 65_536).toString(16)}:${(n >>> 16).toString(16)}::1`
      proofs.take(address, 0)
      proofs.claimed(`crd_${n}`, address)
      proofs.proven(null, address)
    }
    expect(proofs.size).toBeLessThanOrEqual(2 * 4_096 + 16_384)
  })
})
