import type { SigningKey } from '@culvert/crypto'
import { expect, it } from 'vitest'
import type { Signer } from '../../endpoint/contract.ts'
import type { Payload } from '../../message/model.ts'
import { namedAuthorities } from './certificates.ts'
import { chosenProof, type PeerWishes } from './own-proof.ts'

const NEW = new Uint8Array(20).fill(1)
const FORMER = new Uint8Array(20).fill(2)
const signerOf = (kind: 'p256' | 'rsa', authority: Uint8Array): Signer => ({
  key: { kind, ...(kind === 'rsa' && { bits: 3072 }) } as unknown as SigningKey,
  certificates: [],
  authority,
})
const signers = {
  ecdsa: signerOf('p256', NEW),
  ecdsaFormer: signerOf('p256', FORMER),
  rsa: signerOf('rsa', NEW),
  rsaFormer: signerOf('rsa', FORMER),
}
const means = { signer: signers.ecdsa, otherSigners: [signers.ecdsaFormer, signers.rsa, signers.rsaFormer] }
const peer = (authorities: Uint8Array[], more: Partial<PeerWishes> = {}): PeerWishes => ({
  hashes: ['sha256'],
  theirs: null,
  authorities,
  ...more,
})
const chosen = (wishes: PeerWishes): Signer | null => {
  const proof = chosenProof(means, wishes)
  return proof?.kind === 'signature' ? proof.signer : null
}

it('proves us with a certificate of an authority that the peer names, else with the first (RFC 7296 3.7)', () => {
  expect(chosen(peer([]))).toBe(signers.ecdsa)
  expect(chosen(peer([new Uint8Array(20).fill(9)]))).toBe(signers.ecdsa)
  expect(chosen(peer([FORMER]))).toBe(signers.ecdsaFormer)
  expect(chosen(peer([FORMER, NEW]))).toBe(signers.ecdsa)
})

it('gives a peer that signs with RSA an RSA key, of an authority that it names', () => {
  const theirs = { schemes: [{ kind: 'rsaPkcs1', hash: 'sha256' }] } as unknown as PeerWishes['theirs']
  expect(chosen(peer([], { theirs }))).toBe(signers.rsa)
  expect(chosen(peer([FORMER], { theirs }))).toBe(signers.rsaFormer)
})

it('reads what CERTREQ payloads name: of X.509 alone, whole names, at most 64', () => {
  const request = (data: Uint8Array, encoding = 4): Payload => ({ kind: 'certReq', encoding, data })
  const two = Uint8Array.of(...NEW, ...FORMER, 7)
  expect(namedAuthorities([request(two), request(NEW, 13)])).toEqual([NEW, FORMER])
  expect(namedAuthorities([])).toEqual([])
  expect(namedAuthorities([request(new Uint8Array(20 * 100)), request(NEW)])).toHaveLength(64)
})
