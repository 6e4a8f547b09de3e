/** REST: grants. Who may not open any tunnel may open those that a grant allows. */
import { Type, type Static } from 'typebox'
import {
  ApiKeyId,
  GrantId,
  line,
  MemberId,
  nullable,
  oneOf,
  pageOf,
  pageQuery,
  partOf,
  sortBy,
  tagPattern,
  Timestamp,
} from '../fields.ts'
import { Tag } from './device.ts'

const Tags = (description: string) =>
  Type.Array(Tag, {
    examples: [['env=test']],
    maxItems: 32,
    uniqueItems: true,
    description,
  })
const Ports = Type.Array(Type.Integer({ minimum: 1, maximum: 65_535 }), {
  minItems: 1,
  maxItems: 64,
  uniqueItems: true,
  description: 'Ports that tunnels may lead to; null: every port.',
  examples: [[22, 443]],
})

export const GrantInput = Type.Object(
  {
    name: line({ minLength: 1, maxLength: 100, description: 'What it is for, for people.' }),
    memberId: Type.Optional(MemberId),
    apiKeyId: Type.Optional(ApiKeyId),
    anyTags: Type.Optional(Tags('The device has one of them at least.')),
    allTags: Type.Optional(Tags('The device has all of them. There is one tag at least in one of both lists.')),
    ports: nullable(Ports),
    hosts: Type.Optional(
      Type.Array(Type.String({ format: 'cidr', maxLength: 43 }), {
        maxItems: 16,
        description:
          'Addresses and prefixes of hosts on LANs behind the devices; without any, tunnels lead to the devices themselves alone.',
      }),
    ),
    expiresAt: Type.String({ format: 'date-time', maxLength: 40, description: 'At most a year from now.' }),
  },
  {
    additionalProperties: false,
    'x-example': {
      name: 'Maintenance in Berlin',
      memberId: 'mem_k3v5mxq2h7c4tnwz6yba',
      allTags: ['site:berlin'],
      ports: [22],
    },
  },
)
export type GrantInput = Static<typeof GrantInput>

export const Grant = Type.Object(
  {
    id: GrantId,
    name: Type.String({ examples: ['Maintenance in Berlin'] }),
    memberId: nullable(MemberId),
    apiKeyId: nullable(ApiKeyId),
    anyTags: Type.Array(Type.String({ examples: ['env=test'] })),
    allTags: Type.Array(Type.String({ examples: ['site:berlin'] })),
    ports: nullable(Ports),
    hosts: Type.Array(Type.String({ examples: ['192.168.1.0/24'] })),
    state: oneOf(['active', 'expired', 'revoked']),
    expiresAt: Timestamp,
    createdBy: Type.Object(
      { kind: oneOf(['api_key', 'user', 'system']), id: Type.String({ examples: ['key_9fXkP2mQ7rT4vW8z'] }) },
      { additionalProperties: false },
    ),
    createdAt: Timestamp,
    revokedAt: nullable(Timestamp),
  },
  { $id: 'Grant', additionalProperties: false },
)
export type Grant = Static<typeof Grant>

export const GrantPage = pageOf('Grant')

export const GrantQuery = Type.Object(
  {
    ...pageQuery,
    memberId: Type.Optional(MemberId),
    apiKeyId: Type.Optional(ApiKeyId),
    name: partOf('the name'),
    tag: Type.Optional(Type.String({ pattern: tagPattern, description: 'It asks for this tag.' })),
    active: Type.Optional(Type.Boolean({ description: 'It has not ended; false: it has.' })),
    sort: sortBy(['-createdAt', 'createdAt', 'expiresAt', '-expiresAt']),
  },
  { additionalProperties: false },
)
