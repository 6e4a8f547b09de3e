/**
 * The AlgorithmIdentifiers printed in RFC 7427 appendix A: those we sign and check with are read as what they are, SHA-1, DSA and the
 * default parameters of PSS are refused (RFC 8247 3.2.1).
 */
import { readSignature } from '@culvert/ikev2'
import { expect, it } from 'vitest'
import { hex, readJson } from './vector-file.ts'

const { cases } = readJson<{ cases: { name: string; der: string }[] }>('rfc/rfc7427_algorithm_identifiers.json')

const TAKEN: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['sha256WithRSAEncryption', { kind: 'rsaPkcs1', hash: 'sha256' }],
  ['sha384WithRSAEncryption', { kind: 'rsaPkcs1', hash: 'sha384' }],
  ['sha512WithRSAEncryption', { kind: 'rsaPkcs1', hash: 'sha512' }],
  ['ecdsa-with-sha256', { kind: 'ecdsa', hash: 'sha256', form: 'der' }],
  ['ecdsa-with-sha384', { kind: 'ecdsa', hash: 'sha384', form: 'der' }],
  ['ecdsa-with-sha512', { kind: 'ecdsa', hash: 'sha512', form: 'der' }],
  ['RSASSA-PSS with sha-256', { kind: 'rsaPss', hash: 'sha256', saltBytes: 32 }],
])

it.each(cases)('RFC 7427 $name', ({ name, der }) => {
  const identifier = hex(der)
  const data = Uint8Array.of(identifier.length, ...identifier, 1, 2, 3)
  expect(readSignature(data)?.scheme).toEqual(TAKEN.get(name))
})

it('has all twelve', () => {
  expect(cases).toHaveLength(12)
})
