import { createHmac } from 'node:crypto'
import { opensslProvider } from '@culvert/crypto'
import { expect, it } from 'vitest'
import { PRF } from '../message/numbers.ts'
import { sharedKeyAuth } from './authentication.ts'

function hmac(key: Uint8Array | string, data: Uint8Array | string): Uint8Array {
  return new Uint8Array(createHmac('sha256', key).update(data).digest())
}

it.each([1, 63, 64, 65, 512])('C28 every octet of a secret of %i octets counts, through the key pad', (length) => {
  const prf = opensslProvider.prf(PRF.HMAC_SHA2_256)
  if (prf === null) throw new Error('HMAC-SHA2-256 is always there')
  const octets = Uint8Array.of(1, 2, 3)
  const secret = Uint8Array.from({ length }, (_, index) => index * 7)
  const auth = sharedKeyAuth(prf, secret, octets)
  expect(auth).toEqual(hmac(hmac(secret, 'Key Pad for IKEv2'), octets))
  const other = secret.slice()
  other[length - 1] = (other[length - 1] ?? 0) ^ 1
  expect(sharedKeyAuth(prf, other, octets)).not.toEqual(auth)
})
