/** REST: certificate authorities of an organization, whose certificates its devices may have. */
import { Type, type Static } from 'typebox'
import {
  DeviceAuthorityId,
  line,
  nullable,
  oneOf,
  pageOf,
  pageQuery,
  partOf,
  sortBy,
  Timestamp,
  Version,
} from '../fields.ts'

const certificate = '-----BEGIN CERTIFICATE-----\nMIIB...\n-----END CERTIFICATE-----\n'
const fingerprint = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'

const Name = line({ minLength: 1, maxLength: 100, description: 'A name for people.' })
const Fingerprint = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: 'SHA-256 of the certificate, hexadecimal.',
  examples: [fingerprint],
})
const Mode = oneOf(['off', 'soft', 'hard'], {
  description:
    '`off`: no list of revoked certificates is fetched, and a certificate counts until its credential is revoked or it expires. `soft`: what a list names is revoked; one that is late or cannot be had changes nothing. `hard`: as `soft`, and nobody stays or is let in without a list that is fresh.',
})
const Url = Type.String({
  minLength: 1,
  maxLength: 1_024,
  pattern: '^http://',
  description:
    'Of the list that this very authority signs, in DER: `http` alone, as lists are signed. Who runs the installation says which hosts may be asked (`CRL_HOSTS`), none of itself.',
  examples: ['http://crl.acme.example/devices.crl'],
})

const RevocationInput = Type.Object(
  { mode: Mode, url: Type.Optional(Url) },
  {
    additionalProperties: false,
    description: '`url` is needed unless the mode is `off`.',
    'x-example': { mode: 'soft', url: 'http://crl.acme.example/devices.crl' },
  },
)

export const DeviceAuthorityInput = Type.Object(
  {
    name: Name,
    certificate: Type.String({
      minLength: 1,
      maxLength: 16_384,
      description:
        'One certificate in PEM, of a root or of any authority below one: it may sign certificates, is valid now, and has an RSA key from 2048 bits, P-256, P-384, P-521 or Ed25519.',
      examples: [certificate],
    }),
    revocation: Type.Optional(RevocationInput),
  },
  { additionalProperties: false, 'x-example': { name: 'Router factory' } },
)
export type DeviceAuthorityInput = Static<typeof DeviceAuthorityInput>

export const DeviceAuthorityPatch = Type.Object(
  { name: Type.Optional(Name), revocation: Type.Optional(RevocationInput) },
  { additionalProperties: false, minProperties: 1, 'x-example': { name: 'Old router factory' } },
)
export type DeviceAuthorityPatch = Static<typeof DeviceAuthorityPatch>

const Revocation = Type.Object(
  {
    mode: Mode,
    url: nullable(Url),
    number: nullable(
      Type.String({
        description:
          'Of the latest list that was good, decimal. It never falls, and is forgotten when another `url` is given or the mode is set to `off`: so you get on from an authority that once wrote too large a number. The date of the next list must not be before `thisUpdate` all the same.',
        examples: ['42'],
      }),
    ),
    revokedCount: Type.Integer({ description: 'Serials on that list.' }),
    thisUpdate: nullable(Timestamp),
    nextUpdate: nullable(Timestamp),
    fetchedAt: nullable(Timestamp),
    fault: nullable(
      Type.String({
        description:
          'Why the latest attempt gave no list; null when it did, and before the first one. `fetchingOff`: this installation fetches none. `notAllowed`: none from that host. `olderThanKnown`: it has less than `number`, or none any more, or its date is before `thisUpdate`.',
        examples: ['fetchFailed'],
      }),
    ),
  },
  {
    additionalProperties: false,
    description: 'Its list of revoked certificates (RFC 5280).',
    'x-example': { mode: 'off' },
  },
)

export const DeviceAuthority = Type.Object(
  {
    id: DeviceAuthorityId,
    name: Type.String({ examples: ['Router factory'] }),
    subject: Type.String({ description: 'For people.', examples: ['Acme, Router factory'] }),
    fingerprint: Fingerprint,
    certificate: Type.String({ description: 'PEM.', examples: [certificate] }),
    notAfter: Timestamp,
    state: oneOf(['active', 'expired'], { description: 'Of `expired` nobody is let in.' }),
    credentialCount: Type.Integer({ description: 'Credentials of it that are neither revoked nor expired.' }),
    revocation: Revocation,
    version: Version,
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { $id: 'DeviceAuthority', additionalProperties: false },
)
export type DeviceAuthority = Static<typeof DeviceAuthority>

export const DeviceAuthorityPage = pageOf('DeviceAuthority')

export const DeviceAuthorityQuery = Type.Object(
  {
    ...pageQuery,
    fingerprint: Type.Optional(Fingerprint),
    name: partOf('the name'),
    sort: sortBy(['-createdAt', 'createdAt', 'name', '-name']),
  },
  { additionalProperties: false },
)
