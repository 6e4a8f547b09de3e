/**
 * Certificates of other authorities as they arrive: judged when they are registered, so that the caller hears what is wrong with them.
 * A concentrator judges them again whenever a device shows one.
 */
import { DomainError, type ErrorCode } from '@culvert/contracts'
import type { DeviceAuthorityRecord, NewCredential } from '@culvert/db'
import { looksLikePrivateKey } from '@culvert/identity'
import {
  FAULTS,
  fromPem,
  MAX_CHAIN_CERTIFICATES,
  nameText,
  readCertificate,
  spkiOf,
  toPem,
  trustAnchors,
  validateChain,
} from '@culvert/pki'
import { createHash } from 'node:crypto'

type Refusal = Extract<ErrorCode, 'authority_refused' | 'certificate_refused'>
type ForeignCertificate = Omit<Extract<NewCredential, { authorityId: string }>, 'id' | 'organizationId' | 'deviceId'>

const longestSubject = 300

/**
 * @param pem one certificate
 * @param own those of this installation, PEM: whose keys are no customer's
 * @throws private_key_given, authority_refused
 */
export function readAuthority(
  pem: string,
  own: readonly string[],
): Pick<DeviceAuthorityRecord, 'certificate' | 'fingerprint' | 'subject' | 'notAfter'> {
  const refuse = refusing('authority_refused')
  const [der, ...more] = blocksOf(pem, refuse)
  if (der === undefined || more.length > 0) throw refuse('must be one certificate in PEM')
  const anchors = trustAnchors([der])
  if (!anchors.ok) throw refuse(sentence(anchors.fault.code))
  const read = readCertificate(der)
  if (!read.ok) throw refuse(sentence(read.fault.code))
  const { notBeforeMs, notAfterMs, spki, subject } = read.value
  const now = Date.now()
  if (now < notBeforeMs) throw refuse(sentence('notYetValid'))
  if (now > notAfterMs) throw refuse(sentence('expired'))
  const ours = own.flatMap((each) => fromPem(each, 'CERTIFICATE') ?? []).map(spkiOf)
  if (ours.some((key) => key !== null && Buffer.compare(key, spki) === 0))
    throw refuse('is the authority of this installation, which issues certificates by request')
  return {
    certificate: toPem(der, 'CERTIFICATE'),
    fingerprint: sha256(der),
    subject: printable(nameText(subject).slice(0, longestSubject)),
    notAfter: new Date(notAfterMs),
  }
}

/**
 * @param pem the certificate of a device, then those between it and the authority
 * @param until when the caller wants it to end; it never outlives a certificate of its path
 * @throws private_key_given, certificate_refused
 */
export function readForeignCertificate(
  pem: string,
  authority: DeviceAuthorityRecord,
  until: Date | null,
): ForeignCertificate {
  const refuse = refusing('certificate_refused')
  const chain = blocksOf(pem, refuse)
  const anchors = trustAnchors(fromPem(authority.certificate, 'CERTIFICATE') ?? [])
  if (!anchors.ok) throw refuse('is of an authority that cannot be used')
  if (chain.some((der) => anchors.value.isAnchor(der))) throw refuse('has the authority itself in it: leave it out')
  const valid = validateChain(chain, { anchors: anchors.value, atMs: Date.now(), purpose: 'device' })
  const [own] = chain
  if (!valid.ok || own === undefined) throw refuse(valid.ok ? 'is empty' : sentence(valid.fault.code))
  const { path, anchor } = valid.value
  const ends = [...path, anchor].map(({ notAfterMs }) => notAfterMs)
  return {
    kind: 'certificate',
    authorityId: authority.id,
    certificates: chain.map((der) => toPem(der, 'CERTIFICATE')).join(''),
    fingerprint: sha256(own),
    pathSerials: path.map(({ serial }) => serial),
    expiresAt: new Date(Math.min(...ends, ...(until ? [until.getTime()] : []))),
  }
}

function blocksOf(pem: string, refuse: (message: string) => DomainError): Uint8Array[] {
  if (looksLikePrivateKey(pem)) throw new DomainError('private_key_given')
  const blocks = fromPem(pem, 'CERTIFICATE')
  if (blocks === null || blocks.length === 0) throw refuse('must be certificates in PEM')
  if (blocks.length > MAX_CHAIN_CERTIFICATES) throw refuse(`has more than ${MAX_CHAIN_CERTIFICATES} certificates`)
  return blocks
}

/** A sentence of `FAULTS` behind the name of the field. */
function sentence(code: keyof typeof FAULTS): string {
  return `is refused: ${FAULTS[code]}`
}

function refusing(code: Refusal): (message: string) => DomainError {
  return (message) =>
    new DomainError(code, {
      publicDetail: `body /certificate ${message.replace(/\.$/, '')}.`,
      errors: [{ in: 'body', pointer: '/certificate', message }],
    })
}

/** Names in a certificate are what its maker likes: no control characters, no change of direction, no half of a pair. */
function printable(text: string): string {
  return text.replaceAll(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '?')
}

function sha256(octets: Uint8Array): string {
  return createHash('sha256').update(octets).digest('hex')
}
