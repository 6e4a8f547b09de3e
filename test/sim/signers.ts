/**
 * Key pairs for signatures, made for the test run and used nowhere else. The "certificates" that go with them are names: what is in a
 * certificate is not the core's business.
 */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { type SignatureKeyKind, type SigningKey, signingKey, type VerifyingKey, verifyingKey } from '@culvert/crypto'
import type { Signer } from '@culvert/ikev2'

export interface KeyPair {
  readonly signing: SigningKey
  readonly verifying: VerifyingKey
}

const made = new Map<string, KeyPair>()

/** @param owner the same owner has the same key of a kind. */
export function keyPair(kind: SignatureKeyKind, owner: string): KeyPair {
  const name = `${kind} ${owner}`
  const known = made.get(name)
  if (known !== undefined) return known
  const { publicKey, privateKey } = generate(kind)
  const signing = signingKey(new Uint8Array(privateKey.export({ format: 'der', type: 'pkcs8' })))
  const verifying = verifyingKey(new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })))
  if (signing === null || verifying === null) throw new Error(`no key of kind ${kind}`)
  const pair = { signing, verifying }
  made.set(name, pair)
  return pair
}

export function signer(kind: SignatureKeyKind, owner: string, chain: readonly string[] = [owner]): Signer {
  return { key: keyPair(kind, owner).signing, certificates: chain.map((name) => new TextEncoder().encode(name)) }
}

function generate(kind: SignatureKeyKind): { publicKey: KeyObject; privateKey: KeyObject } {
  switch (kind) {
    case 'rsa':
      return generateKeyPairSync('rsa', { modulusLength: 2048 })
    case 'p256':
    case 'p384':
    case 'p521':
      return generateKeyPairSync('ec', { namedCurve: `P-${kind.slice(1)}` })
    case 'ed25519':
      return generateKeyPairSync('ed25519')
  }
}
