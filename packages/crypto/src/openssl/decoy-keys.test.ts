import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createDecoyKeys, signingKey, type SignatureScheme } from '../index.ts'

const decoys = createDecoyKeys()
const message = new TextEncoder().encode('a certificate')
const ecdsa = (form: 'der' | 'raw', hash: 'sha256' | 'sha384' | 'sha512'): SignatureScheme => ({
  kind: 'ecdsa',
  hash,
  form,
})
const curve = (namedCurve: string): KeyObject => generateKeyPairSync('ec', { namedCurve }).privateKey
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

describe('decoys', () => {
  it.each<[string, KeyObject, SignatureScheme]>([
    ['RSA', rsa, { kind: 'rsaPkcs1', hash: 'sha256' }],
    ['RSA with PSS', rsa, { kind: 'rsaPss', hash: 'sha384', saltBytes: 48 }],
    ['P-256', curve('P-256'), ecdsa('der', 'sha256')],
    ['P-256 as r | s', curve('P-256'), ecdsa('raw', 'sha256')],
    ['P-384', curve('P-384'), ecdsa('der', 'sha384')],
    ['P-521', curve('P-521'), ecdsa('der', 'sha512')],
    ['Ed25519', generateKeyPairSync('ed25519').privateKey, { kind: 'ed25519' }],
  ])('are of the kind and size of the key that made a signature: %s', (_name, privateKey, scheme) => {
    const key = signingKey(new Uint8Array(privateKey.export({ format: 'der', type: 'pkcs8' })))
    const signature = key?.sign(scheme, message) ?? new Uint8Array(0)
    decoys.need(scheme, signature.length)
    const decoy = decoys.of(scheme, signature.length)
    expect(decoy).toMatchObject({ kind: key?.kind, bits: key?.bits })
    expect(decoy?.verify(scheme, message, signature)).toBe(false)
  })

  it('are few: not of every size that somebody could choose', () => {
    for (const bytes of [0, 128, 255, 257, 1024])
      expect(decoys.of({ kind: 'rsaPkcs1', hash: 'sha256' }, bytes)).toBe(null)
    expect(decoys.of(ecdsa('der', 'sha256'), 1000)).toBe(null)
  })

  it.each([
    ['P-384', 'sha384', 96],
    ['P-521', 'sha512', 132],
  ] as const)('of %s, which cost ten times as much, are none before one was needed', (_name, hash, bytes) => {
    const fresh = createDecoyKeys()
    const scheme = ecdsa('raw', hash)
    expect(fresh.of(scheme, bytes)).toBe(null)
    expect(fresh.of(ecdsa('raw', 'sha256'), 64), 'P-256 costs little').not.toBe(null)
    fresh.need(scheme, bytes)
    expect(fresh.of(scheme, bytes)).not.toBe(null)
    expect([96, 132].filter((other) => fresh.of(scheme, other) !== null)).toEqual([bytes])
  })
})
