/**
 * Checks the AUTH payload of a peer: a shared key, or a signature (RFC 7296 2.15, RFC 7427).
 *
 * The work is the same for an unknown identity, a wrong secret and a good one: every candidate is computed with and compared, and
 * a decoy stands in for what is not there (N26, A11).
 */
import type { Prf, VerifyingKey } from '@culvert/crypto'
import type { Candidate, Env, ProofKind } from '../../endpoint/contract.ts'
import { authKeyOf, sharedKeyAuth } from '../../keys/authentication.ts'
import { isSignedBy, peerSignature } from '../../keys/signature-choice.ts'
import { AUTH_METHOD } from '../../message/numbers.ts'
import { concatBytes, constantTimeEqual, type Pieces } from '../../message/octets.ts'
import type { InitExchange } from '../../sa/ike-sa.ts'

/** Rotation makes two secrets good at once; an unknown identity costs as much as one with two. */
const CANDIDATES = 2
const DECOY_BYTES = 32

type PskCandidate = Extract<Candidate, { kind: 'psk' }>
/** A secret that the peer proved, and what AUTH data are made with of it: the caller zeroes that. */
export type ProvenPsk = PskCandidate & { readonly authKey: Uint8Array }
export type KeyCandidate = Extract<Candidate, { kind: 'publicKey' }>

const KINDS: ReadonlyMap<number, ProofKind> = new Map<number, ProofKind>([
  [0, 'eap'],
  [AUTH_METHOD.SHARED_KEY_MIC, 'psk'],
  [AUTH_METHOD.RSA_SIGNATURE, 'signature'],
  [AUTH_METHOD.ECDSA_SHA256_P256, 'signature'],
  [AUTH_METHOD.ECDSA_SHA384_P384, 'signature'],
  [AUTH_METHOD.ECDSA_SHA512_P521, 'signature'],
  [AUTH_METHOD.DIGITAL_SIGNATURE, 'signature'],
])

/** @param method of the AUTH payload; 0 without one: the peer wants EAP (RFC 7296 2.16). */
export function proofKindOf(method: number): ProofKind {
  return KINDS.get(method) ?? 'other'
}

/**
 * Finds the secret the peer proved.
 *
 * @param candidates all that are good now; empty for an unknown identity.
 * @param octets what the peer's AUTH payload covers.
 * @returns null when none fits.
 */
export function findProvenPsk(
  env: Env,
  prf: Prf,
  { octets, data }: { readonly octets: Pieces; readonly data: Uint8Array },
  candidates: readonly Candidate[],
): ProvenPsk | null {
  const psks = candidates.filter((candidate) => candidate.kind === 'psk')
  let proven: ProvenPsk | null = null
  for (let index = 0; index < Math.max(CANDIDATES, psks.length); index += 1) {
    const candidate = psks[index]
    const authKey = authKeyOf(prf, candidate?.secret ?? env.rng(DECOY_BYTES))
    const isMade = constantTimeEqual(prf.compute(authKey, ...octets), data)
    if (isMade && candidate !== undefined && proven === null) proven = { ...candidate, authKey }
    else authKey.fill(0)
  }
  return proven
}

/** Whether `data` is the AUTH data this secret gives; compared in constant time. */
export function isSharedKeyAuth(prf: Prf, secret: Uint8Array, octets: Pieces, data: Uint8Array): boolean {
  return constantTimeEqual(sharedKeyAuth(prf, secret, ...octets), data)
}

export interface SignedClaim {
  readonly method: number
  readonly data: Uint8Array
  readonly octets: Pieces
  readonly hashes: InitExchange['hashes']
  /** Method 1 may be taken. */
  readonly allowsLegacyRsa: boolean
}

/**
 * Finds the key that made the peer's signature.
 *
 * @param decoy computed with when there is no candidate, and never found.
 */
export function findProvenKey(
  claim: SignedClaim,
  candidates: readonly Candidate[],
  decoy: VerifyingKey | undefined,
): KeyCandidate | null {
  const signature = peerSignature(claim.method, claim.data, claim.hashes)
  if (signature === null) return null
  const keys = candidates.filter((candidate) => candidate.kind === 'publicKey')
  const octets = concatBytes(...claim.octets)
  if (keys.length === 0 && decoy !== undefined) isSignedBy(decoy, signature, octets)
  let proven: KeyCandidate | null = null
  for (const candidate of keys) if (isSignedBy(candidate.key, signature, octets)) proven ??= candidate
  return signature.isLegacyRsa && !claim.allowsLegacyRsa ? null : proven
}
