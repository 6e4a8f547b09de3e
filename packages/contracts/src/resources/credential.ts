/** REST: credentials. A secret leaves the API once, in the answer that made it. */
import { credentialStates } from '@culvert/lifecycle'
import { Type, type Static } from 'typebox'
import { CredentialId, DeviceId, nullable, oneOf, Timestamp } from '../fields.ts'

export const CredentialInput = Type.Object(
  {
    kind: Type.Optional(Type.Literal('psk', { default: 'psk' })),
    psk: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 128,
        pattern: '^[\\x21-\\x7e]+$',
        description:
          'A pre-shared key of your own, visible ASCII, at least 128 bits by estimate. Left out: 256 random bits are made.',
      }),
    ),
    expiresAt: Type.Optional(Timestamp),
  },
  { additionalProperties: false },
)
export type CredentialInput = Static<typeof CredentialInput>

const credentialFields = {
  id: CredentialId,
  deviceId: DeviceId,
  kind: Type.Literal('psk'),
  state: oneOf(credentialStates),
  createdAt: Timestamp,
  expiresAt: nullable(Timestamp),
  revokedAt: nullable(Timestamp),
}

export const Credential = Type.Object(credentialFields, { $id: 'Credential', additionalProperties: false })
export type Credential = Static<typeof Credential>

export const IssuedCredential = Type.Object(
  {
    ...credentialFields,
    ikeIdentity: Type.String({ description: 'FQDN that the device claims in IKE_AUTH (IDi).' }),
    psk: Type.String({ description: 'The pre-shared key as text: its bytes are these characters. Shown only now.' }),
    swanctl: Type.Object(
      {
        placeholder: Type.String({ description: 'The marker in `GET /v1/devices/{deviceId}/config?target=swanctl`.' }),
        secret: Type.String({ description: 'What to put in its place.' }),
      },
      { additionalProperties: false },
    ),
  },
  { $id: 'IssuedCredential', additionalProperties: false },
)
export type IssuedCredential = Static<typeof IssuedCredential>

export const CredentialList = Type.Object(
  { data: Type.Array(Type.Ref('Credential')) },
  { $id: 'CredentialList', additionalProperties: false },
)
