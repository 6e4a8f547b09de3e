/**
 * Writes a list of revoked certificates (RFC 5280 5), version 2, in time and memory that grow with its entries and not faster: a
 * fleet revokes thousands, and the authority signs devices in the same process.
 */
import { concatBytes } from '@culvert/bytes'
import type { SignatureKeyKind, SignatureScheme, SigningKey } from '@culvert/crypto'
import { OID } from '../der/object-identifier.ts'
import { constructed, primitive } from '../der/reader.ts'
import { bitString, integer, NULL, objectId, octetString, sequence, time, tlv } from '../der/writer.ts'

export interface CrlPlan {
  /** A whole Name, octet for octet as it stands in the authority. */
  readonly issuer: Uint8Array
  /** Subject key identifier of the authority; null when it has none. */
  readonly issuerKeyId: Uint8Array | null
  readonly number: number
  readonly thisUpdateMs: number
  readonly nextUpdateMs: number
  readonly revoked: readonly { readonly serial: string; readonly atMs: number }[]
}

const VERSION_2 = integer(1)
const EXTENSIONS = constructed(0)
const KEY_IDENTIFIER = primitive(0)

const ALGORITHMS: Readonly<Record<SignatureKeyKind, { readonly der: Uint8Array; readonly scheme: SignatureScheme }>> = {
  rsa: { der: sequence(objectId(OID.sha256WithRsa), NULL), scheme: { kind: 'rsaPkcs1', hash: 'sha256' } },
  p256: { der: sequence(objectId(OID.ecdsaWithSha256)), scheme: { kind: 'ecdsa', hash: 'sha256', form: 'der' } },
  p384: { der: sequence(objectId(OID.ecdsaWithSha384)), scheme: { kind: 'ecdsa', hash: 'sha384', form: 'der' } },
  p521: { der: sequence(objectId(OID.ecdsaWithSha512)), scheme: { kind: 'ecdsa', hash: 'sha512', form: 'der' } },
  ed25519: { der: sequence(objectId(OID.ed25519)), scheme: { kind: 'ed25519' } },
}

/** @returns the list in DER. */
export function encodeCrl(plan: CrlPlan, key: SigningKey): Uint8Array {
  const { der: algorithm, scheme } = ALGORITHMS[key.kind]
  const entries = plan.revoked.map(({ serial, atMs }) => sequence(integer(serial), time(atMs)))
  const extensions = sequence(
    ...(plan.issuerKeyId === null
      ? []
      : [extension(OID.authorityKeyIdentifier, sequence(tlv(KEY_IDENTIFIER, plan.issuerKeyId)))]),
    extension(OID.crlNumber, integer(plan.number)),
  )
  const list = sequence(
    VERSION_2,
    algorithm,
    plan.issuer,
    time(plan.thisUpdateMs),
    time(plan.nextUpdateMs),
    ...(entries.length === 0 ? [] : [sequence(concatBytes(...entries))]),
    tlv(EXTENSIONS, extensions),
  )
  return sequence(list, algorithm, bitString(key.sign(scheme, list)))
}

function extension(id: string, value: Uint8Array): Uint8Array {
  return sequence(objectId(id), octetString(value))
}
