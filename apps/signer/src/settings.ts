/** What the signer process reads from its environment. */
import { databaseSettings, logSettings, redisSettings } from '@culvert/config'
import { Type, type Static } from 'typebox'

export const SignerSettings = Type.Object({
  ...databaseSettings,
  ...redisSettings,
  ...logSettings,
  SIGNER_KEY_FILE: Type.String({
    minLength: 1,
    description: 'the file with the key and certificate of the authority, made at the first start',
  }),
  SIGNER_PASSPHRASE_FILE: Type.Optional(
    Type.String({ minLength: 1, description: 'the file with the passphrase that seals the key of the authority' }),
  ),
  SIGNER_FORMER_KEY_FILE: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'the file of the authority whose place the one of SIGNER_KEY_FILE takes',
    }),
  ),
  SIGNER_DEVICE_DAYS: Type.Integer({
    minimum: 1,
    maximum: 3_650,
    default: 365,
    description: 'the longest life of a device certificate in days',
  }),
  SIGNER_GATEWAY_DAYS: Type.Integer({
    minimum: 1,
    maximum: 825,
    default: 90,
    description: 'the life of a concentrator certificate in days',
  }),
  SIGNER_CRL_URL: Type.Optional(
    Type.String({
      pattern: '^http://[^\\s"<>]{1,200}$',
      description: 'where devices certificates say that the revocation list lies',
      examples: ['http://ca.example/v1/ca/crl'],
    }),
  ),
})
export type SignerSettings = Static<typeof SignerSettings>
