/** REST: where events are delivered to, with what they are signed, and the log of deliveries. */
import { Type, type Static } from 'typebox'
import {
  line,
  NetworkId,
  nullable,
  oneOf,
  pageOf,
  pageQuery,
  partOf,
  Timestamp,
  Version,
  WebhookDeliveryId,
  WebhookEndpointId,
} from '../fields.ts'

const signings = ['hmac', 'ed25519'] as const
export const disabledReasons = ['requested', 'gone', 'failing'] as const
export const deliveryStates = ['pending', 'delivered', 'failed', 'aborted'] as const

const Name = line({ minLength: 1, maxLength: 100, description: 'A name for people.' })
const Url = Type.String({
  minLength: 1,
  maxLength: 2048,
  description: 'Where deliveries are posted to; its host must be on the public Internet.',
  examples: ['https://hooks.example.com/culvert'],
})
const EventTypes = Type.Array(
  Type.String({ pattern: '^[a-z_]+\\.([a-z_]+|\\*)$', maxLength: 60, examples: ['tunnel.*'] }),
  {
    maxItems: 64,
    uniqueItems: true,
    description:
      'Types of events, or all of a kind (`tunnel.*`, also those to come); none: all, and of connections what the organization or the network asks for (`connectionEvents`). To name `connection.*` asks for them too.',
  },
)
const DeviceTags = Type.Array(Type.String({ minLength: 1, maxLength: 64, examples: ['env=prod'] }), {
  maxItems: 32,
  uniqueItems: true,
  description: 'Only events about devices with at least one of these tags; none: any.',
})
const NetworkIds = Type.Array(NetworkId, {
  maxItems: 32,
  uniqueItems: true,
  description: 'Only events about devices in these networks, or about the networks themselves; none: any.',
})
const MaxPerSec = nullable(
  Type.Integer({ minimum: 1, maximum: 1000, description: 'Most deliveries in a second; null: as fast as it answers.' }),
)
const Signing = oneOf(signings, {
  description:
    '`hmac`: a secret that both sides know. `ed25519`: a public key verifies, so that what your receiver is configured with forges nothing.',
})

export const WebhookEndpointInput = Type.Object(
  {
    name: Name,
    url: Url,
    eventTypes: Type.Optional(EventTypes),
    deviceTags: Type.Optional(DeviceTags),
    networkIds: Type.Optional(NetworkIds),
    maxPerSec: Type.Optional(MaxPerSec),
    signing: Type.Optional(Signing),
  },
  {
    additionalProperties: false,
    'x-example': {
      name: 'Night shift',
      url: 'https://hooks.example.com/culvert',
      eventTypes: ['device.online', 'tunnel.*'],
      deviceTags: ['env=prod'],
    },
  },
)
export type WebhookEndpointInput = Static<typeof WebhookEndpointInput>

export const WebhookEndpointPatch = Type.Object(
  {
    name: Type.Optional(Name),
    url: Type.Optional(Url),
    eventTypes: Type.Optional(EventTypes),
    deviceTags: Type.Optional(DeviceTags),
    networkIds: Type.Optional(NetworkIds),
    maxPerSec: Type.Optional(MaxPerSec),
    state: Type.Optional(
      Type.Literal('disabled', { description: 'Nothing is delivered until `/enable`; what waits goes on waiting.' }),
    ),
  },
  { additionalProperties: false, minProperties: 1, 'x-example': { eventTypes: ['tunnel.*'] } },
)
export type WebhookEndpointPatch = Static<typeof WebhookEndpointPatch>

const WebhookKeyView = Type.Object(
  {
    id: Type.String({ examples: ['whk_ajaic76ztpqad76h2tn2'] }),
    signing: Signing,
    publicKey: nullable(Type.String({ description: '`whpk_...`, to verify with; null for `hmac`.' })),
    createdAt: Timestamp,
    expiresAt: nullable(Type.String({ format: 'date-time', description: 'Until then it signs too; null: it stays.' })),
  },
  {
    additionalProperties: false,
    'x-example': { signing: 'hmac', publicKey: null, expiresAt: null },
  },
)

const endpointFields = {
  id: WebhookEndpointId,
  name: Type.String(),
  url: Type.String(),
  eventTypes: Type.Array(Type.String()),
  deviceTags: Type.Array(Type.String()),
  networkIds: Type.Array(Type.String()),
  maxPerSec: nullable(Type.Integer()),
  state: oneOf(['enabled', 'disabled']),
  disabledReason: nullable(
    oneOf(disabledReasons, {
      description: '`requested`: by a call. `gone`: it answered 410. `failing`: nothing but failures for days.',
    }),
  ),
  disabledAt: nullable(Timestamp),
  keys: Type.Array(WebhookKeyView, { description: 'What deliveries are signed with, newest first.' }),
  health: Type.Object(
    {
      failingSince: nullable(
        Type.String({ format: 'date-time', description: 'First failure that no success has followed.' }),
      ),
      warnedAt: nullable(
        Type.String({ format: 'date-time', description: 'Since then it is known that it may be disabled.' }),
      ),
      pausedUntil: nullable(
        Type.String({ format: 'date-time', description: 'It said that it has too much: nothing is sent before.' }),
      ),
      lastSuccessAt: nullable(Timestamp),
      lastFailureAt: nullable(Timestamp),
    },
    { additionalProperties: false, 'x-example': { failingSince: null, warnedAt: null, pausedUntil: null } },
  ),
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
}

const endpointExample = {
  name: 'Night shift',
  url: 'https://hooks.example.com/culvert',
  eventTypes: ['device.online', 'tunnel.*'],
  deviceTags: ['env=prod'],
  networkIds: [],
  maxPerSec: null,
  state: 'enabled',
  disabledReason: null,
  disabledAt: null,
  version: 1,
}

export const WebhookEndpoint = Type.Object(endpointFields, {
  $id: 'WebhookEndpoint',
  additionalProperties: false,
  'x-example': endpointExample,
})
export type WebhookEndpoint = Static<typeof WebhookEndpoint>

export const IssuedWebhookEndpoint = Type.Object(
  {
    ...endpointFields,
    secret: nullable(
      Type.String({
        description: '`whsec_...`. It is in this answer only; null for `ed25519`, whose public key is in `keys`.',
      }),
    ),
  },
  {
    $id: 'IssuedWebhookEndpoint',
    additionalProperties: false,
    'x-example': { ...endpointExample, secret: 'whsec_and-the-secret-part-of-it' },
  },
)
export type IssuedWebhookEndpoint = Static<typeof IssuedWebhookEndpoint>

export const WebhookEndpointPage = pageOf('WebhookEndpoint')

export const WebhookEndpointQuery = Type.Object(
  { ...pageQuery, name: partOf('the name'), state: Type.Optional(oneOf(['enabled', 'disabled'])) },
  { additionalProperties: false },
)

export const WebhookRotation = Type.Object(
  {
    overlapSec: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 604_800,
        default: 86_400,
        description: 'Seconds for which deliveries are signed with the key so far as well; 0: it ends at once.',
      }),
    ),
    signing: Type.Optional(Signing),
  },
  { additionalProperties: false, 'x-optional': true, 'x-example': { overlapSec: 86_400 } },
)
export type WebhookRotation = Static<typeof WebhookRotation>

export const WebhookEnabling = Type.Object(
  {
    redeliver: Type.Optional(
      Type.Boolean({
        default: true,
        description: 'Deliver also what failed, or came while it was disabled.',
      }),
    ),
  },
  { additionalProperties: false, 'x-optional': true, 'x-example': { redeliver: true } },
)

export const WebhookRecovery = Type.Object(
  {
    endpoint: Type.Ref('WebhookEndpoint'),
    operation: nullable(Type.Ref('Operation')),
  },
  { $id: 'WebhookRecovery', additionalProperties: false },
)

export const replayChoices = ['failed', 'all'] as const

export const WebhookReplay = Type.Object(
  {
    since: Type.Optional(
      Type.String({ format: 'date-time', maxLength: 40, description: 'Events from then on, in order of time.' }),
    ),
    after: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 100,
        pattern: '^[A-Za-z0-9_-]+$',
        description: 'Instead of `since`, a cursor of `/v1/events`: events after it, in order of the feed.',
      }),
    ),
    until: Type.Optional(
      Type.String({ format: 'date-time', maxLength: 40, description: 'Events before then; now when left out.' }),
    ),
    deliveries: Type.Optional(
      oneOf(replayChoices, {
        description:
          '`failed`: what was not delivered, or never tried, such as what came before the endpoint was made. `all`, which is usual: also what was delivered.',
      }),
    ),
  },
  { additionalProperties: false, 'x-example': { since: '2026-11-21T00:00:00Z', deliveries: 'failed' } },
)
export type WebhookReplay = Static<typeof WebhookReplay>

const AttemptSummary = Type.Object(
  {
    at: Timestamp,
    status: nullable(Type.Integer({ examples: [503] })),
    error: nullable(
      Type.String({ description: 'Why there was no answer; null when there was one.', examples: ['timeout'] }),
    ),
  },
  { additionalProperties: false, 'x-example': { status: 503, error: null } },
)

const deliveryFields = {
  id: WebhookDeliveryId,
  endpointId: WebhookEndpointId,
  eventId: Type.String({
    description: 'Also the `webhook-id`, at every attempt.',
    examples: ['evt_ajaic76ztpqad76h2tn2'],
  }),
  eventType: Type.String({ examples: ['tunnel.opened'] }),
  resourceId: Type.String({ examples: ['tun_ajaic76ztpqad76h2tn2'] }),
  state: oneOf(deliveryStates, {
    description:
      '`pending`: not yet, or tried again at `nextAttemptAt`. `failed`: no attempt is left. `aborted`: the receiver refused it for good.',
  }),
  attempts: Type.Integer({ description: 'Made so far.', examples: [2] }),
  nextAttemptAt: nullable(Timestamp),
  lastAttempt: nullable(AttemptSummary),
  createdAt: Timestamp,
  finishedAt: nullable(Timestamp),
}
const deliveryExample = { state: 'pending', finishedAt: null }

export const WebhookDelivery = Type.Object(deliveryFields, {
  $id: 'WebhookDelivery',
  additionalProperties: false,
  'x-example': deliveryExample,
})
export type WebhookDelivery = Static<typeof WebhookDelivery>

const Headers = Type.Record(Type.String(), Type.String(), { 'x-example': { 'content-type': 'application/json' } })

const AttemptDetail = Type.Object(
  {
    number: Type.Integer({ minimum: 1, examples: [1] }),
    at: Timestamp,
    durationMs: Type.Integer({ examples: [81] }),
    requestHeaders: Headers,
    response: nullable(
      Type.Object(
        {
          status: Type.Integer({ examples: [503] }),
          headers: Headers,
          body: Type.String({ description: 'The beginning of it, as text.', examples: ['down for maintenance'] }),
          truncated: Type.Boolean({ description: 'There was more.' }),
        },
        { additionalProperties: false },
      ),
    ),
    error: nullable(
      Type.Object(
        {
          code: Type.String({ examples: ['timeout'] }),
          detail: Type.String({ examples: ['The host did not answer within 15 seconds.'] }),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false, 'x-example': { error: null } },
)

export const WebhookDeliveryDetail = Type.Object(
  {
    ...deliveryFields,
    request: nullable(
      Type.Object(
        {
          url: Type.String({ examples: ['https://hooks.example.com/culvert'] }),
          body: Type.String({
            description: 'What is sent, to the letter.',
            examples: ['{"id":"evt_...","type":"..."}'],
          }),
        },
        { additionalProperties: false, description: 'Null when the event is forgotten.' },
      ),
    ),
    log: Type.Array(AttemptDetail, { description: 'Attempts, newest first; the latest 20.' }),
  },
  { $id: 'WebhookDeliveryDetail', additionalProperties: false, 'x-example': deliveryExample },
)
export type WebhookDeliveryDetail = Static<typeof WebhookDeliveryDetail>

export const WebhookDeliveryPage = pageOf('WebhookDelivery')

export const WebhookDeliveryQuery = Type.Object(
  {
    ...pageQuery,
    state: Type.Optional(oneOf(deliveryStates)),
    eventType: Type.Optional(Type.String({ minLength: 1, maxLength: 60, examples: ['tunnel.opened'] })),
    resourceId: Type.Optional(Type.String({ minLength: 1, maxLength: 60, examples: ['tun_ajaic76ztpqad76h2tn2'] })),
    eventId: Type.Optional(Type.String({ minLength: 1, maxLength: 60, examples: ['evt_ajaic76ztpqad76h2tn2'] })),
    from: Type.Optional(Type.String({ format: 'date-time', description: 'Made at this time or later.' })),
    before: Type.Optional(Type.String({ format: 'date-time', description: 'Made before this time.' })),
  },
  { additionalProperties: false },
)
export type WebhookDeliveryQuery = Static<typeof WebhookDeliveryQuery>
