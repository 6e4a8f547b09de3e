/** REST: the audit log of the organization. */
import { Type, type Static } from 'typebox'
import { idPattern, nullable, oneOf, pageOf, pageQuery, Timestamp } from '../fields.ts'

const Fields = Type.Object(
  {},
  { additionalProperties: true, description: 'Fields by name, as the resource shows them.' },
)
const Hash = Type.String({
  pattern: '^[0-9a-f]{64}$',
  examples: ['9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
})

export const AuditEntry = Type.Object(
  {
    id: Type.String({ pattern: idPattern('aud'), examples: ['aud_k7m2qx5n4r3t6v7w2y3z'] }),
    sequence: Type.Integer({ minimum: 1, description: 'From 1 in each organization, without gap.' }),
    at: Timestamp,
    actor: Type.Object(
      {
        kind: oneOf(['api_key', 'user', 'system'], { description: '`system`: a process of the service by itself.' }),
        id: Type.String({ examples: ['key_9fXkP2mQ7rT4vW8z'] }),
        requestId: nullable(Type.String({ description: 'The `X-Request-Id` of the call.' })),
        address: nullable(Type.String({ description: 'Where the call came from.', examples: ['203.0.113.7'] })),
      },
      { additionalProperties: false },
    ),
    action: Type.String({
      examples: ['device.updated'],
      description: 'What was done; `access.denied`: what was not allowed, by the `rule` in `after`.',
    }),
    target: Type.Object(
      { type: Type.String({ examples: ['device'] }), id: Type.String({ examples: ['dev_k7m2qx5n4r3t6v7w2y3z'] }) },
      { additionalProperties: false },
    ),
    before: nullable(Fields),
    after: nullable(Fields),
    previousHash: Type.String({ ...Hash, description: 'Of the entry before; zeros for the first.' }),
    hash: Type.String({
      ...Hash,
      description:
        'SHA-256, hexadecimal, over the canonical JSON (RFC 8785) of `at`, `entry`, `previous` and `sequence`.',
    }),
  },
  { $id: 'AuditEntry', additionalProperties: false },
)
export type AuditEntry = Static<typeof AuditEntry>

export const AuditEntryPage = pageOf('AuditEntry')

const text = (description: string, example: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 100, description, examples: [example] }))

const chosen = {
  actorId: text('By this API key or person.', 'key_9fXkP2mQ7rT4vW8z'),
  targetId: text('About this thing.', 'dev_k7m2qx5n4r3t6v7w2y3z'),
  action: text('Of this kind.', 'device.updated'),
  from: Type.Optional(Type.String({ format: 'date-time', description: 'At this time or later.' })),
  before: Type.Optional(Type.String({ format: 'date-time', description: 'Before this time.' })),
}

export const AuditQuery = Type.Object({ ...pageQuery, ...chosen }, { additionalProperties: false })

export const AuditExportQuery = Type.Object(
  { ...chosen, format: Type.Optional(oneOf(['ndjson', 'csv'], { description: '`ndjson` when left out.' })) },
  { additionalProperties: false },
)
