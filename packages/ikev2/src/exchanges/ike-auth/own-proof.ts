/**
 * How we prove ourselves in IKE_AUTH: the shared key of the peer, or a signature with certificates (RFC 7296 2.15, 3.6, 3.8).
 */
import { authKeyOf } from '../../keys/authentication.ts'
import { chooseSignature, type PeerAbilities, type PeerSignature, signatureData } from '../../keys/signature-choice.ts'
import type { FoundCredential, InitiatorProof, Signer } from '../../endpoint/contract.ts'
import type { Payload } from '../../message/model.ts'
import { AUTH_METHOD, CERT_ENCODING } from '../../message/numbers.ts'
import { compareBytes, concatBytes, type Pieces } from '../../message/octets.ts'
import type { InitExchange, OwnProof } from '../../sa/ike-sa.ts'
import type { Prf } from '@culvert/crypto'

/** Whether this peer may use what only old devices need. */
export function allowsCompat({ tiers }: Pick<FoundCredential, 'tiers'>): boolean {
  return tiers === undefined || tiers.includes('compat')
}

/** @returns a proof with this key; null when the peer could not check it. */
function signatureProof(signer: Signer, peer: PeerAbilities): OwnProof | null {
  const choice = chooseSignature(signer.key.kind, peer)
  return choice === null ? null : { kind: 'signature', signer, choice }
}

/** What there is to prove ourselves with, to a peer that may use these tiers. */
export type OwnMeans = Pick<FoundCredential, 'signer' | 'otherSigners' | 'tiers'>

/** What is known of a peer that shall check a signature of ours. */
export interface PeerWishes {
  readonly hashes: InitExchange['hashes']
  /** How the peer signed; null when it has not. */
  readonly theirs: PeerSignature | null
  /** As in `AuthClaim`. */
  readonly authorities: readonly Uint8Array[]
}

/**
 * Who signs with RSA is taken to check RSA; so is, where nothing of the peer is signed, one that knows no method 14 and may use SHA-1:
 * of the methods before (RFC 7296 3.8) ECDSA came late. Among keys that are as good, one comes first that is certified by an authority
 * the peer names (3.7): while one authority takes the place of another, there are devices of both.
 *
 * @returns null without a signer, and when the peer could check none.
 */
export function chosenProof(means: OwnMeans, { hashes, theirs, authorities }: PeerWishes): OwnProof | null {
  const { signer, otherSigners = [] } = means
  if (signer === undefined) return null
  const allowsSha1 = allowsCompat(means)
  const scheme = theirs?.schemes[0]?.kind
  const wantsRsa = theirs === null ? hashes === null && allowsSha1 : scheme === 'rsaPkcs1' || scheme === 'rsaPss'
  const peer = { hashes, allowsSha1, rsa: scheme === 'rsaPss' ? 'rsaPss' : 'rsaPkcs1' } as const
  const all = [signer, ...otherSigners]
  const signers = [...all.filter(isNamedBy(authorities)), ...all]
  const first = wantsRsa ? signers.filter(({ key }) => key.kind === 'rsa') : []
  for (const each of [...first, ...signers]) {
    const proof = signatureProof(each, peer)
    if (proof !== null) return proof
  }
  return null
}

function isNamedBy(authorities: readonly Uint8Array[]): (signer: Signer) => boolean {
  return ({ authority }) => authority !== undefined && authorities.some((each) => compareBytes(each, authority) === 0)
}

/** The proof of an attempt of ours: never with SHA-1, and PSS, which every responder takes that takes method 14 (RFC 8247 3.2.1). */
export function initiatorProof(prf: Prf, proof: InitiatorProof, init: InitExchange): OwnProof | null {
  if (init.isResumed) return { kind: 'sharedKey', authKey: init.skPi.slice() }
  if (proof.kind === 'psk') return { kind: 'sharedKey', authKey: authKeyOf(prf, proof.secret) }
  return signatureProof(proof, { hashes: init.hashes, allowsSha1: false, rsa: 'rsaPss' })
}

/** CERT payloads, our own certificate first, none with a shared key. */
export function certificatePayloads(proof: OwnProof): readonly Payload[] {
  if (proof.kind !== 'signature') return []
  return proof.signer.certificates.map((data) => ({ kind: 'cert', encoding: CERT_ENCODING.X509_SIGNATURE, data }))
}

/** @param octets what our AUTH payload covers. */
export function authPayload(prf: Prf, proof: OwnProof, octets: Pieces): Extract<Payload, { kind: 'auth' }> {
  if (proof.kind === 'sharedKey') {
    return { kind: 'auth', method: AUTH_METHOD.SHARED_KEY_MIC, data: prf.compute(proof.authKey, ...octets) }
  }
  const { signer, choice } = proof
  const data = signatureData(choice, signer.key.sign(choice.scheme, concatBytes(...octets)))
  return { kind: 'auth', method: choice.method, data }
}

/** Zeroes what must not outlive the exchange. */
export function wipeOwnProof(proof: OwnProof): void {
  if (proof.kind === 'sharedKey') proof.authKey.fill(0)
}
