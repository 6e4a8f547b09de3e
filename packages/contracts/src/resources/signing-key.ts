/** REST: keys that sign access tokens, for who runs the installation; their public halves are at /.well-known/jwks.json. */
import { Type, type Static } from 'typebox'
import { Timestamp } from '../fields.ts'

export const SigningKeyId = Type.String({
  pattern: '^[A-Za-z0-9_-]{43}$',
  description: 'Its name in tokens and in the JWK Set (`kid`).',
  examples: ['NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs'],
})

export const SigningKey = Type.Object(
  {
    kid: SigningKeyId,
    signs: Type.Boolean({ description: 'It signs now.' }),
    signsFrom: Timestamp,
    signsUntil: Timestamp,
    verifiesUntil: Timestamp,
  },
  { $id: 'SigningKey', additionalProperties: false },
)
export type SigningKey = Static<typeof SigningKey>

export const SigningKeyList = Type.Object(
  { data: Type.Array(Type.Ref('SigningKey')) },
  { $id: 'SigningKeyList', additionalProperties: false },
)

export const SigningKeyRotation = Type.Object(
  {
    revoke: Type.Optional(
      Type.Boolean({
        default: false,
        description:
          'Tokens that other keys have signed are refused at once: people get new ones with their refresh tokens. False when left out: they are good until they expire.',
      }),
    ),
  },
  { additionalProperties: false, 'x-optional': true, 'x-example': { revoke: true } },
)
export type SigningKeyRotation = Static<typeof SigningKeyRotation>
