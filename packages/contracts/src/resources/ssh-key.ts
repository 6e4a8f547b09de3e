/** REST: SSH keys, the public ones of members and of automations. */
import { Type, type Static } from 'typebox'
import {
  ApiKeyId,
  line,
  MemberId,
  nullable,
  oneOf,
  pageOf,
  pageQuery,
  partOf,
  sortBy,
  SshKeyId,
  Timestamp,
  Version,
} from '../fields.ts'

const Name = line({ minLength: 1, maxLength: 100, description: 'A name for people.' })
const ExpiresAt = nullable(
  Type.String({
    format: 'date-time',
    maxLength: 40,
    description: 'At most ten years from now; null: as long as its owner stays.',
  }),
)
const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFR62A1kkwgehwcUQTBaAZeqZWW77LX/xRSmsYPxxRTj'
const fingerprint = 'SHA256:cJOYG78TxUz3USzdCi7GktZSKzBsurc3FX/mS03195k'
const Fingerprint = Type.String({
  pattern: '^SHA256:[A-Za-z0-9+/]{43}$',
  description: 'As `ssh-keygen -l` shows it.',
  examples: [fingerprint],
})

export const SshKeyInput = Type.Object(
  {
    publicKey: Type.String({
      minLength: 1,
      maxLength: 20_000,
      description:
        'One line of a file that ends in `.pub`: Ed25519, ECDSA (P-256, P-384, P-521), RSA from 2048 bits, or a key in a security key (`sk-`). A comment behind it is kept.',
      examples: [`${publicKey} ada@laptop`],
    }),
    name: Type.Optional(Name),
    memberId: Type.Optional(MemberId),
    apiKeyId: Type.Optional(ApiKeyId),
    expiresAt: Type.Optional(ExpiresAt),
  },
  {
    additionalProperties: false,
    description: 'Without `memberId` and `apiKeyId` it is a key of the caller. Without `name` its comment is the name.',
    'x-example': { publicKey: `${publicKey} ada@laptop`, name: 'laptop' },
  },
)
export type SshKeyInput = Static<typeof SshKeyInput>

export const SshKeyPatch = Type.Object(
  { name: Type.Optional(Name), expiresAt: Type.Optional(ExpiresAt) },
  { additionalProperties: false, minProperties: 1, 'x-example': { name: 'old laptop' } },
)
export type SshKeyPatch = Static<typeof SshKeyPatch>

export const SshKey = Type.Object(
  {
    id: SshKeyId,
    name: Type.String({ examples: ['laptop'] }),
    memberId: nullable(MemberId),
    apiKeyId: nullable(ApiKeyId),
    type: Type.String({ examples: ['ssh-ed25519'] }),
    bits: Type.Integer({ examples: [256] }),
    fingerprint: Fingerprint,
    publicKey: Type.String({ description: 'Without a comment.', examples: [publicKey] }),
    comment: Type.String({ examples: ['ada@laptop'] }),
    state: oneOf(['active', 'expired']),
    expiresAt: nullable(Timestamp),
    lastUsedAt: nullable(Timestamp),
    lastUsedAddress: nullable(Type.String({ examples: ['203.0.113.7'] })),
    createdBy: Type.Object(
      { kind: oneOf(['api_key', 'user']), id: Type.String({ examples: ['key_9fXkP2mQ7rT4vW8z'] }) },
      { additionalProperties: false },
    ),
    version: Version,
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { $id: 'SshKey', additionalProperties: false },
)
export type SshKey = Static<typeof SshKey>

export const SshKeyPage = pageOf('SshKey')

export const SshKeyQuery = Type.Object(
  {
    ...pageQuery,
    memberId: Type.Optional(MemberId),
    apiKeyId: Type.Optional(ApiKeyId),
    fingerprint: Type.Optional(Fingerprint),
    name: partOf('the name'),
    sort: sortBy(['-createdAt', 'createdAt', 'name', '-name']),
  },
  { additionalProperties: false },
)
