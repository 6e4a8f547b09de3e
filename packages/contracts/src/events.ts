/** Events of the outbox: their types, and what an event looks like. Data is thin: ids and states, never a secret. */
import { Type, type Static } from 'typebox'
import { oneOf, Timestamp } from './fields.ts'

export const eventTypes = [
  'device.created',
  'device.updated',
  'device.deleted',
  'device.online',
  'device.offline',
  'credential.created',
  'credential.issued',
  'credential.refused',
  'credential.revoked',
  'network.updated',
  'organization.updated',
  'api_key.created',
  'api_key.updated',
  'api_key.rotated',
  'api_key.revoked',
  'tunnel.requested',
  'tunnel.updated',
  'tunnel.opened',
  'tunnel.closed',
  'tunnel.expired',
  'tunnel.failed',
] as const
export type EventType = (typeof eventTypes)[number]

export const Event = Type.Object(
  {
    id: Type.String(),
    type: oneOf(eventTypes),
    resourceId: Type.String(),
    sequence: Type.Integer({
      description: 'Grows by one with every event of the resource: drop what is older than what you have.',
    }),
    data: Type.Record(Type.String(), Type.Unknown()),
    createdAt: Timestamp,
  },
  { $id: 'Event', additionalProperties: false },
)
export type Event = Static<typeof Event>
