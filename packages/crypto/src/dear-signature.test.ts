import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { fromHex } from '@culvert/bytes'
import { p521 } from '@noble/curves/nist.js'
import { describe, expect, it } from 'vitest'
import { hidesItsCost, isDearKey, isDearSignature } from './dear-signature.ts'
import { verifyingKey } from './openssl/signature.ts'

const spkiOf = (key: KeyObject): Uint8Array => new Uint8Array(key.export({ format: 'der', type: 'spki' }))
const curve = (namedCurve: string): Uint8Array => spkiOf(generateKeyPairSync('ec', { namedCurve }).publicKey)
/** Of any odd modulus. */
function rsa(bits: number, exponent: readonly number[]): Uint8Array {
  const n = Buffer.alloc(bits / 8, 0xff).toString('base64url')
  return spkiOf(
    createPublicKey({ key: { kty: 'RSA', n, e: Buffer.from(exponent).toString('base64url') }, format: 'jwk' }),
  )
}

describe('dear to check', () => {
  it.each([
    ['P-256', () => curve('P-256'), false],
    ['P-384', () => curve('P-384'), true],
    ['P-521', () => curve('P-521'), true],
    ['Ed25519', () => spkiOf(generateKeyPairSync('ed25519').publicKey), false],
    ['RSA 2048', () => rsa(2048, [1, 0, 1]), false],
    ['RSA 4096 with the largest exponent', () => rsa(4096, [0xff, 0xff, 0xff, 0xff]), false],
    ['RSA 4224', () => rsa(4224, [3]), true],
    ['RSA 8192', () => rsa(8192, [1, 0, 1]), true],
    ['no key', () => Uint8Array.of(0x30, 0), false],
  ])('is what a key of %s makes: %s', (_name, make, isDear) => {
    expect(isDearKey(make())).toBe(isDear)
  })

  it('is a signature by its length, so that none of P-384 or P-521 is taken for one of P-256', () => {
    const der = { kind: 'ecdsa', hash: 'sha256', form: 'der' } as const
    const raw = { kind: 'ecdsa', hash: 'sha256', form: 'raw' } as const
    const pkcs1 = { kind: 'rsaPkcs1', hash: 'sha256' } as const
    expect([72, 73, 104, 139].map((bytes) => isDearSignature(der, bytes))).toEqual([false, true, true, true])
    expect([64, 96, 132].map((bytes) => isDearSignature(raw, bytes))).toEqual([false, true, true])
    expect([256, 512, 528, 1024].map((bytes) => isDearSignature(pkcs1, bytes))).toEqual([false, false, true, true])
    expect(isDearSignature({ kind: 'rsaPss', hash: 'sha256', saltBytes: 32 }, 1024)).toBe(true)
    expect(isDearSignature({ kind: 'ed25519' }, 64)).toBe(false)
  })

  it('is a good signature of P-521 in eight octets too, by a key that was computed from it, and that it hides', () => {
    const der = { kind: 'ecdsa', hash: 'sha256', form: 'der' } as const
    const octets = Uint8Array.of(1, 2, 3)
    const { BASE, Fn } = p521.Point
    const digest = BigInt(`0x${createHash('sha256').update(octets).digest('hex')}`)
    // The point whose x is 1: with r and s of 1, Q = R - digest * G.
    const point = p521.Point.fromHex(`02${'1'.padStart(132, '0')}`).subtract(BASE.multiply(Fn.create(digest)))
    const key = verifyingKey(
      fromHex(`30819b301006072a8648ce3d020106052b8104002303818600${point.toHex(false)}`) ?? new Uint8Array(),
    )
    const signature = Uint8Array.of(0x30, 6, 2, 1, 1, 2, 1, 1)
    expect(key?.verify(der, octets, signature)).toBe(true)
    expect(isDearSignature(der, signature.length)).toBe(false)
    expect((['p256', 'p384', 'p521'] as const).map((kind) => hidesItsCost(kind, der, signature.length))).toEqual([
      false,
      true,
      true,
    ])
    expect([hidesItsCost('p384', der, 102), hidesItsCost('rsa', { kind: 'rsaPkcs1', hash: 'sha256' }, 256)]).toEqual([
      false,
      false,
    ])
  })
})
