/** REST: API keys, what they may do, and their rotation. */
import { Type, type Static } from 'typebox'
import {
  ApiKeyId,
  line,
  moment,
  nullable,
  oneOf,
  pageOf,
  pageQuery,
  partOf,
  sortBy,
  Timestamp,
  Version,
} from '../fields.ts'
import { permissions } from '../permissions.ts'

const Name = line({ minLength: 1, maxLength: 100, description: 'A name for people.' })
const Scopes = Type.Array(oneOf(permissions), {
  minItems: 1,
  maxItems: permissions.length,
  uniqueItems: true,
  description: 'What the key may do; nothing that its maker may not do.',
})
const AllowFrom = Type.Array(Type.String({ format: 'cidr', maxLength: 43 }), {
  maxItems: 32,
  description: 'Addresses and prefixes that the key may be used from; none: from anywhere.',
})
const ExpiresAt = Type.String({
  format: 'date-time',
  maxLength: 40,
  description: 'At most two years from now; a year when left out.',
})

export const ApiKeyInput = Type.Object(
  {
    name: Name,
    scopes: Scopes,
    allowFrom: Type.Optional(AllowFrom),
    expiresAt: Type.Optional(ExpiresAt),
  },
  {
    additionalProperties: false,
    'x-example': { name: 'provisioning', scopes: ['devices:read', 'devices:write', 'credentials:write'] },
  },
)
export type ApiKeyInput = Static<typeof ApiKeyInput>

export const ApiKeyPatch = Type.Object(
  {
    name: Type.Optional(Name),
    scopes: Type.Optional(Scopes),
    allowFrom: Type.Optional(AllowFrom),
    expiresAt: Type.Optional(ExpiresAt),
  },
  { additionalProperties: false, minProperties: 1, 'x-example': { allowFrom: ['203.0.113.0/24'] } },
)
export type ApiKeyPatch = Static<typeof ApiKeyPatch>

export const ApiKeyRotation = Type.Object(
  {
    overlapSec: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 604_800,
        default: 86_400,
        description: 'Seconds for which the secret so far stays good; 0: it ends at once.',
      }),
    ),
    expiresAt: Type.Optional(ExpiresAt),
  },
  { additionalProperties: false, 'x-optional': true, 'x-example': { overlapSec: 86_400 } },
)
export type ApiKeyRotation = Static<typeof ApiKeyRotation>

const fields = {
  id: ApiKeyId,
  name: Type.String(),
  scopes: nullable(
    Type.Array(oneOf(permissions), {
      description:
        'What it may do; null: everything in the organization, which only keys of who runs the installation have.',
    }),
  ),
  allowFrom: Type.Array(Type.String()),
  createdBy: nullable(
    Type.Object(
      { kind: oneOf(['api_key', 'user', 'system']), id: Type.String() },
      { additionalProperties: false, description: 'Null: who runs the installation.' },
    ),
  ),
  formerSecretUntil: nullable(
    Type.String({ format: 'date-time', description: 'Until when the secret before the last rotation is good.' }),
  ),
  lastUsedAt: nullable(Type.String({ format: 'date-time', description: 'To the minute.' })),
  lastUsedAddress: nullable(Type.String()),
  expiresAt: nullable(Timestamp),
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
}

const example = {
  name: 'provisioning',
  scopes: ['devices:read', 'devices:write', 'credentials:write'],
  allowFrom: ['203.0.113.0/24'],
  expiresAt: '2027-11-21T20:10:50.179Z',
  version: 1,
}

export const ApiKey = Type.Object(fields, { $id: 'ApiKey', additionalProperties: false, 'x-example': example })
export type ApiKey = Static<typeof ApiKey>

export const IssuedApiKey = Type.Object(
  { ...fields, key: Type.String({ description: 'The key itself. It is in this answer only.' }) },
  {
    $id: 'IssuedApiKey',
    additionalProperties: false,
    'x-example': { ...example, key: 'culvert_ajaic76ztpqad76h_and-the-secret-part-of-it' },
  },
)
export type IssuedApiKey = Static<typeof IssuedApiKey>

export const ApiKeyPage = pageOf('ApiKey')

export const ApiKeyQuery = Type.Object(
  {
    ...pageQuery,
    name: partOf('the name'),
    createdBy: Type.Optional(
      Type.String({ pattern: '^(key_[0-9A-Za-z]{16}|usr_[a-z2-7]{20})$', description: 'Who made it: key or person.' }),
    ),
    expiresBefore: moment('It expires before'),
    unusedSince: moment('It was not used since then, or never'),
    sort: sortBy(['-createdAt', 'createdAt', 'name', '-name']),
  },
  { additionalProperties: false },
)
export type ApiKeyQuery = Static<typeof ApiKeyQuery>
