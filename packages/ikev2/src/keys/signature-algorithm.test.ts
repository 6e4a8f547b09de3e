import { toHex } from '@culvert/bytes'
import type { SignatureScheme } from '@culvert/crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readSignature, writeSignature } from './signature-algorithm.ts'

const VALUE = Uint8Array.of(1, 2, 3)

const SCHEMES: readonly SignatureScheme[] = [
  { kind: 'ed25519' },
  ...(['sha256', 'sha384', 'sha512'] as const).flatMap((hash, index): readonly SignatureScheme[] => [
    { kind: 'rsaPkcs1', hash },
    { kind: 'rsaPss', hash, saltBytes: 32 + 16 * index },
    { kind: 'ecdsa', hash, form: 'der' },
  ]),
]

describe('AUTH data of method 14', () => {
  it.each(SCHEMES.map((scheme) => [JSON.stringify(scheme), scheme] as const))(
    '%s is read as written',
    (_name, scheme) => {
      const data = writeSignature(scheme, VALUE)
      expect(data && readSignature(data)).toEqual({ scheme, value: VALUE })
    },
  )

  it('RFC 7427 has no place for SHA-1, raw ECDSA or other salts', () => {
    const others: readonly SignatureScheme[] = [
      { kind: 'rsaPkcs1', hash: 'sha1' },
      { kind: 'rsaPss', hash: 'sha1', saltBytes: 20 },
      { kind: 'rsaPss', hash: 'sha256', saltBytes: 20 },
      { kind: 'ecdsa', hash: 'sha1', form: 'der' },
      { kind: 'ecdsa', hash: 'sha256', form: 'raw' },
    ]
    for (const scheme of others) expect(writeSignature(scheme, VALUE)).toBeNull()
  })

  it('N14 no octet of an AlgorithmIdentifier can be changed, left out or added', () => {
    for (const scheme of SCHEMES) {
      const data = writeSignature(scheme, VALUE) ?? VALUE
      const length = data[0] ?? 0
      for (let index = 1; index <= length; index += 1) {
        for (const bit of [1, 2, 128]) {
          const changed = data.slice()
          changed[index] = (changed[index] ?? 0) ^ bit
          expect(readSignature(changed)?.scheme ?? null).not.toEqual(scheme)
        }
      }
      for (const wrong of [0, length - 1, length + 1, 255]) {
        const changed = data.slice()
        changed[0] = wrong
        expect(readSignature(changed)).toBeNull()
      }
      for (let cut = 0; cut <= length; cut += 1) expect(readSignature(data.subarray(0, cut))).toBeNull()
    }
  })

  it('N14 PSS is taken with and without NULL and trailer field, and with nothing else', () => {
    const hash = { null: '300d06096086480165030402010500', none: '300b0609608648016503040201' }
    const pss = (hashes: readonly [string, string], salt: string, trailer: string): string => {
      const mgf = sequence(`06092a864886f70d010108${hashes[1]}`)
      const fields = sequence(`${tagged('a0', hashes[0])}${tagged('a1', mgf)}${salt}${trailer}`)
      return sequence(`06092a864886f70d01010a${fields}`)
    }
    const taken = [
      pss([hash.null, hash.null], 'a203020120', 'a303020101'),
      pss([hash.null, hash.null], 'a203020120', ''),
      pss([hash.none, hash.none], 'a203020120', 'a303020101'),
      pss([hash.none, hash.none], 'a203020120', ''),
    ]
    for (const identifier of taken) {
      expect(read(identifier)).toEqual({ kind: 'rsaPss', hash: 'sha256', saltBytes: 32 })
    }
    const sha512 = '300d06096086480165030402030500'
    const refused = [
      pss([hash.null, sha512], 'a203020120', ''),
      pss([hash.null, hash.null], 'a203020100', ''),
      pss([hash.null, hash.null], 'a2040202ffff', ''),
      pss([hash.null, hash.null], '', ''),
      pss([hash.null, hash.null], 'a203020120', 'a303020102'),
      sequence(`06092a864886f70d01010a${tagged('a0', hash.null)}`),
      sequence('06092a864886f70d01010a3000'),
      sequence('06092a864886f70d01010a'),
      sequence('06092a864886f70d01010a0500'),
    ]
    for (const identifier of refused) expect(read(identifier)).toBeNull()
  })

  it('totality: any octets are read without a throw', () => {
    const outcome = fc.check(
      fc.property(fc.uint8Array({ maxLength: 90 }), (data) => {
        const signature = readSignature(data)
        return signature === null || signature.value.length < data.length
      }),
      { seed: 14 },
    )
    expect(outcome.failed).toBe(false)
  })
})

function read(identifier: string): SignatureScheme | null {
  const der = Buffer.from(identifier, 'hex')
  return readSignature(Uint8Array.of(der.length, ...der, ...VALUE))?.scheme ?? null
}

function sequence(content: string): string {
  return tagged('30', content)
}

function tagged(tag: string, content: string): string {
  return `${tag}${toHex(Uint8Array.of(content.length / 2))}${content}`
}

it('writes RSASSA-PSS without the default trailer field, as DER has it and libreswan expects it', () => {
  const written = writeSignature({ kind: 'rsaPss', hash: 'sha256', saltBytes: 32 }, new Uint8Array(0))
  expect(Buffer.from(written ?? []).toString('hex')).toBe(
    '43304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120',
  )
})
