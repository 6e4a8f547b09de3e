import type { VerifyingKey } from '@culvert/crypto'
import { expect, it } from 'vitest'
import { signatureFault } from './check-signature.ts'

const key = (kind: 'p256' | 'p521'): VerifyingKey & { asked: number } => ({
  kind,
  bits: kind === 'p256' ? 256 : 521,
  asked: 0,
  verify() {
    this.asked++
    return true
  },
})
const signed = (bytes: number): Parameters<typeof signatureFault>[0] => ({
  tbs: Uint8Array.of(1),
  signatureAlgorithm: { kind: 'known', scheme: { kind: 'ecdsa', hash: 'sha256', form: 'der' } },
  signature: new Uint8Array(bytes),
})

it('a signature that does not look as dear as its key makes it is not checked', () => {
  const [dear, usual] = [key('p521'), key('p256')]
  expect(signatureFault(signed(8), dear, 0)).toMatchObject({ fault: { code: 'badSignature' } })
  expect([dear.asked, signatureFault(signed(138), dear, 0), dear.asked]).toEqual([0, null, 1])
  expect([signatureFault(signed(8), usual, 0), usual.asked]).toEqual([null, 1])
})
