/** REST: members of the organization, and the caller itself. */
import { Type, type Static } from 'typebox'
import {
  idPattern,
  MemberId,
  nullable,
  oneOf,
  pageOf,
  pageQuery,
  partOf,
  sortBy,
  Timestamp,
  Version,
} from '../fields.ts'
import { permissions, roles } from '../permissions.ts'

const RoleField = oneOf(roles, {
  description:
    '`owner`: everything; `admin`: everything but owners; `operator`: devices, credentials and tunnels; `viewer`: reads, and opens tunnels that a grant allows.',
})

export const MemberInput = Type.Object(
  {
    email: Type.String({
      format: 'email',
      maxLength: 254,
      examples: ['ada@acme.example'],
      description: 'Who logs in with this address, verified by the identity provider, becomes the member.',
    }),
    role: RoleField,
  },
  { additionalProperties: false },
)
export type MemberInput = Static<typeof MemberInput>

export const MemberPatch = Type.Object(
  {
    role: Type.Optional(RoleField),
    locked: Type.Optional(
      Type.Boolean({
        description:
          'The person is kept out of this organization: tokens for it are refused at once, tunnels that it opened end, rules that it made rest. Grants and SSH keys stay, and are good again when it is let in. API keys that it made go on: look at `createdBy`.',
      }),
    ),
  },
  { additionalProperties: false, minProperties: 1, 'x-example': { role: 'operator' } },
)
export type MemberPatch = Static<typeof MemberPatch>

export const memberStates = ['invited', 'invitation_expired', 'active', 'locked'] as const

export const Member = Type.Object(
  {
    id: MemberId,
    userId: nullable(
      Type.String({ pattern: idPattern('usr'), description: 'Null: nobody has accepted the invitation yet.' }),
    ),
    email: Type.String({ description: 'The address that was invited.', examples: ['ada@acme.example'] }),
    name: nullable(Type.String({ description: 'As the identity provider says.' })),
    role: oneOf(roles),
    state: oneOf(memberStates, {
      description:
        '`locked`: the person is a member still, but gets in nowhere here; who only was invited cannot accept.',
    }),
    invitationExpiresAt: nullable(Timestamp),
    acceptUrl: nullable(
      Type.String({
        description:
          'Where the person accepts the invitation; null once it is over or accepted, and while it is locked.',
        examples: ['https://api.example.com/v1/auth/login?invitation=mem_k3v5mxq2h7c4tnwz6yba'],
      }),
    ),
    version: Version,
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { $id: 'Member', additionalProperties: false },
)
export type Member = Static<typeof Member>

export const MemberPage = pageOf('Member')

export const MemberQuery = Type.Object(
  {
    ...pageQuery,
    role: Type.Optional(oneOf(roles)),
    state: Type.Optional(oneOf(memberStates)),
    email: partOf('the address'),
    name: partOf('the name'),
    sort: sortBy(['-createdAt', 'createdAt', 'email', '-email']),
  },
  { additionalProperties: false },
)

export const Caller = Type.Object(
  {
    kind: oneOf(['api_key', 'user']),
    id: Type.String({ description: 'Of the API key or of the person.', examples: ['key_9fXkP2mQ7rT4vW8z'] }),
    organizationId: Type.String({ pattern: idPattern('org') }),
    role: nullable(oneOf(roles, { description: 'Of a person in this organization; null for an API key.' })),
    permissions: Type.Array(oneOf(permissions)),
  },
  { $id: 'Caller', additionalProperties: false },
)
export type Caller = Static<typeof Caller>
