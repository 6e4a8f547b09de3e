import * as crypto from '@culvert/crypto'
import { expect, it } from 'vitest'
import { ENCR, INTEG, KE, PRF, TRANSFORM_TYPE } from './numbers.ts'

// The pure core takes only types from @culvert/crypto, so IANA's numbers stand in both packages: here they are held together.
it.each([
  ['TRANSFORM_TYPE', TRANSFORM_TYPE, crypto.TRANSFORM_TYPE],
  ['ENCR', ENCR, crypto.ENCR],
  ['PRF', PRF, crypto.PRF],
  ['INTEG', INTEG, crypto.INTEG],
  ['KE', KE, crypto.KE],
])('%s has the same number under the same name here and in the crypto package', (_table, here, there) => {
  const shared = Object.entries(here).filter(([name]) => name in there)
  expect(shared.length).toBeGreaterThan(3)
  expect(Object.fromEntries(shared)).toEqual(
    Object.fromEntries(shared.map(([name]) => [name, (there as Record<string, number>)[name]])),
  )
})
