/** REST: tokens of people who log in. */
import { Type, type Static } from 'typebox'
import { idPattern } from '../fields.ts'

const RefreshToken = Type.String({
  pattern: '^culvert_rt_[A-Za-z0-9_-]{1,200}$',
  maxLength: 211,
  description: 'Good once.',
  examples: ['culvert_rt_k3v5mxq2h7c4tnwz6yba_1_Zp3n0f8c1Wq7'],
})

export const LoginQuery = Type.Object(
  {
    invitation: Type.Optional(
      Type.String({
        pattern: idPattern('mem'),
        description: 'The invitation that the person accepts by this login: `acceptUrl` of the member has it.',
      }),
    ),
  },
  { additionalProperties: false },
)

export const TokenInput = Type.Object(
  {
    refreshToken: RefreshToken,
    organizationId: Type.Optional(
      Type.String({
        pattern: idPattern('org'),
        description: 'The organization that the access token shall be for; the one so far when left out.',
      }),
    ),
  },
  { additionalProperties: false },
)
export type TokenInput = Static<typeof TokenInput>

export const LogoutInput = Type.Object({ refreshToken: RefreshToken }, { additionalProperties: false })
export type LogoutInput = Static<typeof LogoutInput>

export const IssuedTokens = Type.Object(
  {
    accessToken: Type.String({
      description: 'A JWT (RFC 9068) for `Authorization: Bearer`.',
      examples: ['eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJ1c3JfIn0.c2lnbmF0dXJl'],
    }),
    tokenType: Type.Literal('Bearer'),
    expiresInSec: Type.Integer({ examples: [600], description: 'Seconds for which the access token is good.' }),
    refreshToken: RefreshToken,
    organizationId: Type.String({ pattern: idPattern('org'), description: 'That the access token is for.' }),
    organizationIds: Type.Array(Type.String({ pattern: idPattern('org') }), {
      description: 'All that the person is a member of: ask for another one with `organizationId`.',
    }),
  },
  { $id: 'IssuedTokens', additionalProperties: false },
)
export type IssuedTokens = Static<typeof IssuedTokens>
