/**
 * What IKE_SA_INIT says about the authentication to come: hashes for signatures (RFC 7427 4), post-quantum preshared keys
 * (RFC 8784 3), and whose certificates we take (RFC 7296 3.7).
 */
import type { Context } from '../../endpoint/context.ts'
import { ownHashes, readHashes } from '../../keys/signature-hashes.ts'
import type { InitExchange } from '../../sa/ike-sa.ts'
import type { Payload } from '../../message/model.ts'
import { CERT_ENCODING, NOTIFY } from '../../message/numbers.ts'
import { concatBytes } from '../../message/octets.ts'
import { findNotify } from '../../sa/payload-shape.ts'
import { notify } from '../notify.ts'

/** As responder `signatures` only when the peer spoke of them, so that old peers see nothing new. */
export function authAbilities(abilities: { readonly signatures: boolean; readonly ppk: boolean }): readonly Payload[] {
  return [
    ...(abilities.signatures ? [notify(NOTIFY.SIGNATURE_HASH_ALGORITHMS, ownHashes())] : []),
    ...(abilities.ppk ? [notify(NOTIFY.USE_PPK)] : []),
  ]
}

/** A message that cannot be fragmented has no room for more; 20 octets each. */
const MAX_AUTHORITIES = 32

/** One CERTREQ that names the authorities; none without. */
export function certificateRequest({ config, tables }: Context): readonly Payload[] {
  const authorities = tables.acceptedAuthorities ?? config.certificateAuthorities ?? []
  if (authorities.length === 0) return []
  return [
    {
      kind: 'certReq',
      encoding: CERT_ENCODING.X509_SIGNATURE,
      data: concatBytes(...authorities.slice(0, MAX_AUTHORITIES)),
    },
  ]
}

/** @returns null without SIGNATURE_HASH_ALGORITHMS. */
export function announcedHashes(payloads: readonly Payload[]): InitExchange['hashes'] {
  const announcement = findNotify(payloads, NOTIFY.SIGNATURE_HASH_ALGORITHMS)
  return announcement === null ? null : readHashes(announcement.data)
}

export function takesPpk(payloads: readonly Payload[]): boolean {
  return findNotify(payloads, NOTIFY.USE_PPK) !== null
}
