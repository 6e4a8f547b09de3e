/** REST: credentials. A secret leaves the API once, in the answer that made it; the key of a certificate is never here. */
import { credentialKinds, credentialStates, type CredentialKind } from '@culvert/lifecycle'
import { Type, type Static } from 'typebox'
import {
  CredentialId,
  DeviceAuthorityId,
  DeviceId,
  moment,
  nullable,
  oneOf,
  pageOf,
  pageQuery,
  sortBy,
  Timestamp,
} from '../fields.ts'

export const CredentialInput = Type.Object(
  {
    kind: Type.Optional(
      oneOf(credentialKinds, {
        description:
          '`psk` (default when left out), `certificate`, `eap`, or `ppk`, a post-quantum key (RFC 8784) that is mixed into the others.',
      }),
    ),
    psk: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 128,
        pattern: '^[\\x21-\\x7e]+$',
        description:
          'psk: a key of your own, visible ASCII, at least 128 bits by estimate. Left out: 256 random bits are made.',
      }),
    ),
    csr: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 16_384,
        description:
          'certificate: a certificate request (PKCS#10) in PEM, made on the device with its own key. Names in it are not looked at.',
      }),
    ),
    authorityId: Type.Optional(DeviceAuthorityId),
    certificate: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 49_152,
        description:
          "certificate, with `authorityId` and instead of `csr`: the device's certificate in PEM, issued by that authority of the organization, then those between, if any. It need not name the device, which claims its `ikeIdentity` all the same.",
      }),
    ),
    method: Type.Optional(
      oneOf(['mschapv2'], {
        description: 'eap: the method, mschapv2 when left out. EAP-TLS takes a credential of kind certificate.',
      }),
    ),
    required: Type.Optional(
      Type.Boolean({ description: 'ppk: refuse the device when it does not use it; false when left out.' }),
    ),
    expiresAt: Type.Optional(Timestamp),
  },
  { additionalProperties: false, 'x-example': { kind: 'psk' } },
)
export type CredentialInput = Static<typeof CredentialInput>

/** Fields of the input that only one kind has. */
export const credentialInputFields: Readonly<
  Record<'psk' | 'csr' | 'authorityId' | 'certificate' | 'method' | 'required', CredentialKind>
> = {
  psk: 'psk',
  csr: 'certificate',
  authorityId: 'certificate',
  certificate: 'certificate',
  method: 'eap',
  required: 'ppk',
}

const certificateFields = {
  authorityId: nullable(
    Type.String({
      description:
        'The authority of the organization that issued it, also one that was deleted since; null: the one of `GET /v1/ca`.',
    }),
  ),
  serial: nullable(Type.String({ description: 'Hexadecimal.' })),
  fingerprint: nullable(Type.String({ description: 'SHA-256 of the certificate, hexadecimal.' })),
  refusal: nullable(Type.String({ description: 'Why no certificate was made.' })),
}
const CertificateSummary = Type.Object(certificateFields, { additionalProperties: false })
const CertificateDetails = Type.Object(
  {
    chain: nullable(
      Type.String({
        description:
          "PEM: the device's certificate, then what leads to a root of `GET /v1/ca` or to `authorityId`. One of `authorityId` is forgotten a day after the credential is over; `fingerprint` and `serial` stay.",
      }),
    ),
    ...certificateFields,
  },
  { additionalProperties: false },
)

const summaryFields = {
  id: CredentialId,
  deviceId: DeviceId,
  kind: oneOf(credentialKinds),
  state: oneOf(credentialStates, {
    description: '`pending` and `refused` are of certificates: not signed yet, and not to be signed.',
  }),
  inUse: Type.Boolean({ description: 'The device is attached with it now.' }),
  method: nullable(oneOf(['mschapv2'], { description: 'eap.' })),
  identity: nullable(Type.String({ description: 'eap: the user name; ppk: the PPK_ID.' })),
  required: nullable(Type.Boolean({ description: 'ppk.' })),
  certificate: nullable(CertificateSummary),
  createdAt: Timestamp,
  expiresAt: nullable(Timestamp),
  revokedAt: nullable(Timestamp),
}

const credentialFields = { ...summaryFields, certificate: nullable(CertificateDetails) }

export const Credential = Type.Object(credentialFields, {
  $id: 'Credential',
  additionalProperties: false,
  'x-example': { kind: 'psk', state: 'active', inUse: true },
})
export type Credential = Static<typeof Credential>

export const CredentialSummary = Type.Object(summaryFields, {
  $id: 'CredentialSummary',
  additionalProperties: false,
  description: 'As lists have it: the chain of a certificate is left out.',
  'x-example': { kind: 'psk', state: 'active', inUse: true },
})
export type CredentialSummary = Static<typeof CredentialSummary>

export const IssuedCredential = Type.Object(
  {
    ...credentialFields,
    ikeIdentity: Type.String({ description: 'FQDN that the device claims in IKE_AUTH (IDi).' }),
    psk: Type.Optional(
      Type.String({
        description: 'psk: the pre-shared key as text: its bytes are these characters. Shown only now.',
      }),
    ),
    password: Type.Optional(Type.String({ description: 'eap: the password for `identity`. Shown only now.' })),
    ppk: Type.Optional(
      Type.String({ description: 'ppk: the key as text: its bytes are these characters. Shown only now.' }),
    ),
    swanctl: Type.Optional(
      Type.Object(
        {
          placeholder: Type.String({
            description: 'The marker in `GET /v1/devices/{deviceId}/config?target=swanctl`.',
          }),
          secret: Type.String({ description: 'What to put in its place.' }),
        },
        { additionalProperties: false, description: 'All but certificate.' },
      ),
    ),
  },
  {
    $id: 'IssuedCredential',
    additionalProperties: false,
    'x-example': {
      kind: 'psk',
      state: 'active',
      ikeIdentity: 'ajaic76ztpqad76h2tn2.acme.fleet.culvert.internal',
      psk: 'A-pre-shared-key-is-43-characters-like-this',
      swanctl: { placeholder: '@CULVERT-PSK@', secret: '0x412d7072652d7368617265642d6b6579' },
    },
  },
)
export type IssuedCredential = Static<typeof IssuedCredential>

export const CredentialList = Type.Object(
  { data: Type.Array(Type.Ref('CredentialSummary')) },
  { $id: 'CredentialList', additionalProperties: false },
)

export const CredentialQuery = Type.Object(
  { kind: Type.Optional(oneOf(credentialKinds)), state: Type.Optional(oneOf(credentialStates)) },
  { additionalProperties: false },
)

export const CredentialPage = pageOf('CredentialSummary', 'CredentialPage')

export const CredentialListQuery = Type.Object(
  {
    ...pageQuery,
    kind: Type.Optional(oneOf(credentialKinds)),
    state: Type.Optional(oneOf(credentialStates)),
    deviceId: Type.Optional(DeviceId),
    expiresFrom: moment('It expires then or later'),
    expiresBefore: moment('It expires before'),
    sort: sortBy(
      ['-createdAt', 'createdAt', 'expiresAt', '-expiresAt'],
      ' By the time when they expire only those are listed that do.',
    ),
  },
  { additionalProperties: false },
)
