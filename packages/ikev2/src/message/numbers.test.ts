import * as crypto from '@culvert/crypto'
import { describe, expect, it } from 'vitest'
import * as numbers from './numbers.ts'

describe('IANA numbers', () => {
  it.each([
    ['ENCR', numbers.ENCR, crypto.ENCR],
    ['PRF', numbers.PRF, crypto.PRF],
    ['INTEG', numbers.INTEG, crypto.INTEG],
    ['KE', numbers.KE, crypto.KE],
    ['TRANSFORM_TYPE', numbers.TRANSFORM_TYPE, crypto.TRANSFORM_TYPE],
  ])('%s agrees with what the crypto package calls the same transforms', (_, ours, theirs) => {
    expect(ours).toMatchObject(theirs)
  })

  it('names no number twice', () => {
    const tables = Object.values(numbers).filter((table) => typeof table === 'object')
    expect(tables.length).toBeGreaterThan(12)
    for (const table of tables) expect(new Set(Object.values(table)).size).toBe(Object.keys(table).length)
  })

  it('splits notify types into errors and status (RFC 7296 3.10.1)', () => {
    const status = Object.entries(numbers.NOTIFY).filter(([, type]) => type >= numbers.FIRST_STATUS_NOTIFY)
    expect(status[0]).toEqual(['INITIAL_CONTACT', 16_384])
    expect(status).toHaveLength(61)
  })
})
