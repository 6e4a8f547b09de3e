/** REST: failed attempts of a device to attach. */
import { attemptReasons, attemptStages, proposalTiers } from '@culvert/lifecycle'
import { Type, type Static } from 'typebox'
import { moment, nullable, oneOf, pageOf, pageQuery, Timestamp } from '../fields.ts'

const OfferedTransform = Type.Object(
  {
    type: Type.Integer({ description: 'IANA: 1 ENCR, 2 PRF, 3 INTEG, 4 KE, 5 ESN, 6 to 12 ADDKE.' }),
    id: Type.Integer({ description: 'IANA.' }),
    keyBits: nullable(Type.Integer()),
    name: Type.String({ description: 'Such as `ENCR_AES_GCM_16-256`.' }),
  },
  { additionalProperties: false, 'x-example': { type: 4, id: 2, name: 'KE_MODP_1024' } },
)

export const OfferedProposal = Type.Object(
  {
    number: Type.Integer(),
    protocol: oneOf(['IKE', 'AH', 'ESP', 'other']),
    transforms: Type.Array(OfferedTransform),
  },
  { $id: 'OfferedProposal', additionalProperties: false, 'x-example': { number: 1 } },
)
export type OfferedProposal = Static<typeof OfferedProposal>

export const NearestProposal = Type.Object(
  {
    tier: nullable(oneOf(proposalTiers)),
    proposal: Type.Integer({ description: 'Number of the proposal in `offered`.' }),
    differsIn: Type.Array(
      Type.Object(
        {
          type: Type.String({ description: 'ENCR, PRF, INTEG, KE, ESN, ADDKE1 ...' }),
          offered: Type.Array(Type.String()),
          accepted: Type.Array(Type.String()),
        },
        {
          additionalProperties: false,
          'x-example': { type: 'KE', offered: ['KE_MODP_1024'], accepted: ['KE_CURVE25519', 'KE_ECP_256'] },
        },
      ),
      { description: 'Kinds of transform in which nothing is common.' },
    ),
  },
  { $id: 'NearestProposal', additionalProperties: false, 'x-example': { tier: 'standard', proposal: 1 } },
)
export type NearestProposal = Static<typeof NearestProposal>

export const AttachAttempt = Type.Object(
  {
    id: Type.String(),
    at: Timestamp,
    concentratorId: Type.String(),
    sourceAddress: Type.String({
      description: 'Where it came from, or a NAT before that; a forged one is possible in stage `init`.',
    }),
    sourcePort: Type.Integer(),
    identified: oneOf(['proven', 'claimed', 'by_address'], {
      description:
        '`proven`: by its credential. `claimed`: somebody gave its identity. `by_address`: it only came from where the device was last.',
    }),
    stage: oneOf(attemptStages, { description: 'How far it came.' }),
    reason: oneOf(attemptReasons),
    detail: Type.String({ description: 'For people.' }),
    offered: nullable(
      Type.Array(Type.Ref('OfferedProposal'), { description: 'What was proposed, when nothing of it could be taken.' }),
    ),
    nearest: nullable(Type.Ref('NearestProposal')),
    matchingTier: nullable(oneOf(proposalTiers, { description: 'Tier in which it would have been taken.' })),
    hint: nullable(Type.String({ description: 'What to do about it.' })),
  },
  {
    $id: 'AttachAttempt',
    additionalProperties: false,
    'x-example': {
      id: 'att_ajaic76ztpqad76h2tn2',
      concentratorId: 'con-1',
      sourceAddress: '198.51.100.2',
      sourcePort: 500,
      identified: 'claimed',
      stage: 'auth',
      reason: 'authentication_failed',
      detail: 'The pre-shared key of the device is another one.',
      hint: 'Put the secret of the newest credential into the device.',
    },
  },
)
export type AttachAttempt = Omit<Static<typeof AttachAttempt>, 'offered' | 'nearest'> & {
  offered: OfferedProposal[] | null
  nearest: NearestProposal | null
}

export const AttachAttemptPage = pageOf('AttachAttempt')

export const AttachAttemptQuery = Type.Object(
  {
    ...pageQuery,
    stage: Type.Optional(oneOf(attemptStages)),
    reason: Type.Optional(oneOf(attemptReasons)),
    from: moment('At this time or later'),
    before: moment('Before'),
  },
  { additionalProperties: false },
)
