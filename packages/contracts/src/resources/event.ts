/** REST: the feed of events. */
import { Type, type Static } from 'typebox'
import { DeviceId, idPattern, Timestamp } from '../fields.ts'

export const Event = Type.Object(
  {
    id: Type.String({
      pattern: idPattern('evt'),
      description: 'The same wherever the event is told: drop repeats by it.',
    }),
    type: Type.String({ examples: ['device.online'], description: 'One of the types that `webhooks` describes.' }),
    timestamp: Timestamp,
    resourceId: Type.String({ examples: ['dev_ajaic76ztpqad76h2tn2'], description: 'What it is about.' }),
    sequence: Type.Integer({ minimum: 1, description: 'Grows by one with every event of the resource.' }),
    data: Type.Object(
      {},
      {
        additionalProperties: true,
        description: 'As `webhooks` describes it for the type.',
        'x-example': { concentrator: 'con-1' },
      },
    ),
  },
  { $id: 'Event', additionalProperties: false, description: 'What a webhook has as its body.' },
)
export type Event = Static<typeof Event>

export const EventPage = Type.Object(
  {
    data: Type.Array(Type.Ref('Event')),
    nextCursor: Type.String({
      description: 'Give it as `after` to go on, now or later; keep it where you keep what you made of the events.',
      examples: ['Gr3pZ0q7cVh1yQm9w2x4Tg'],
    }),
    hasMore: Type.Boolean({ description: 'There are more already: read on at once.' }),
  },
  { $id: 'EventPage', additionalProperties: false },
)

export const EventQuery = Type.Object(
  {
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'Most events of a page.' }),
    ),
    after: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 100,
        pattern: '^[A-Za-z0-9_-]+$',
        description:
          'A cursor: `nextCursor` of a page, or `id` of an event of a stream. Without it: the oldest event that is kept.',
      }),
    ),
    since: Type.Optional(
      Type.Union([Type.Literal('now'), Type.String({ format: 'date-time' })], {
        description:
          'Instead of `after`: from this time on, and perhaps a few minutes before; `now`: what is yet to come.',
      }),
    ),
    types: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 2_000,
        description: 'Only these types, separated by commas; `device.*` is all of a kind.',
        examples: ['device.online,tunnel.*'],
      }),
    ),
    resourceId: Type.Optional(
      Type.String({
        pattern: '^[a-z]{2,4}_[0-9A-Za-z]{16,20}$',
        description: 'Only about this resource.',
        examples: ['tun_ajaic76ztpqad76h2tn2'],
      }),
    ),
    deviceId: Type.Optional(
      Type.String({ ...DeviceId, description: 'Only about this device, its credentials and its tunnels.' }),
    ),
    wait: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 30,
        default: 0,
        description: 'Seconds to wait for an event when there is none yet.',
      }),
    ),
  },
  { additionalProperties: false },
)
export type EventQuery = Static<typeof EventQuery>
