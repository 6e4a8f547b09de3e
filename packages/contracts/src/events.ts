/**
 * Events: one catalogue of their types with what each carries. The outbox writes them, webhooks and the event feed deliver them, the
 * documentation describes them. Data is thin: ids and states, never a secret. A new type is an entry here and nothing else.
 */
import { credentialKinds, quotaPeriods, tunnelReasons, tunnelStates } from '@culvert/lifecycle'
import { Type, type TSchema } from 'typebox'
import { DeviceId, idPattern, nullable, oneOf, Timestamp, TunnelId } from './fields.ts'

interface EventKind {
  /** What happened, in a sentence. */
  readonly summary: string
  /** Prefix of the ids of the resource it is about. */
  readonly resource: string
  readonly data: TSchema
}

const strict = { additionalProperties: false }
const Nothing = Type.Object({}, strict)
const Changed = (example: string): TSchema =>
  Type.Object(
    { changed: Type.Array(Type.String({ examples: [example] }), { description: 'Names of fields.' }) },
    strict,
  )
const OfDevice = Type.Object({ deviceId: DeviceId }, strict)

const TunnelEnd = (state: (typeof tunnelStates)[number], reason: (typeof tunnelReasons)[number]): TSchema =>
  Type.Object(
    { deviceId: DeviceId, state: Type.Literal(state), reason: nullable(oneOf(tunnelReasons)) },
    { ...strict, 'x-example': { reason } },
  )

const TunnelPort = Type.Object(
  {
    id: Type.String({ examples: ['prt_ajaic76ztpqad76h2tn2'] }),
    devicePort: Type.Integer({ examples: [22] }),
    deviceHost: nullable(Type.String()),
    host: Type.String({ description: 'Where to connect.', examples: ['gw-1.culvert.example'] }),
    port: Type.Integer({ examples: [20_262] }),
  },
  strict,
)

export const eventCatalogue = {
  'device.created': {
    summary: 'A device was registered.',
    resource: 'dev',
    data: Type.Object({ iccid: Type.String({ format: 'iccid' }) }, strict),
  },
  'device.updated': { summary: 'Fields of a device were changed.', resource: 'dev', data: Changed('tags') },
  'device.deleted': {
    summary: 'A device was deleted; its credentials are revoked and its tunnels closed.',
    resource: 'dev',
    data: Nothing,
  },
  'device.online': {
    summary: 'A device attached.',
    resource: 'dev',
    data: Type.Object({ concentrator: Type.String({ examples: ['con-1'] }) }, strict),
  },
  'device.offline': {
    summary: 'A device is no longer attached.',
    resource: 'dev',
    data: Type.Object({ reason: nullable(Type.String()) }, { ...strict, 'x-example': { reason: 'deletedByPeer' } }),
  },
  'device.quota_exhausted': {
    summary: 'The quota of a device stopped its traffic, told once in its period, and again for another quota.',
    resource: 'dev',
    data: Type.Object(
      { period: oneOf(quotaPeriods), limitBytes: Type.Integer({ examples: [50_000_000_000] }) },
      strict,
    ),
  },
  'credential.created': {
    summary: 'A credential was issued, or a certificate was asked for.',
    resource: 'crd',
    data: Type.Object({ deviceId: DeviceId, kind: oneOf(credentialKinds) }, strict),
  },
  'credential.issued': { summary: 'A certificate was signed.', resource: 'crd', data: OfDevice },
  'credential.refused': { summary: 'A certificate request was refused.', resource: 'crd', data: OfDevice },
  'credential.revoked': { summary: 'A credential was revoked.', resource: 'crd', data: OfDevice },
  'network.created': {
    summary: 'A network was made.',
    resource: 'net',
    data: Type.Object({ name: Type.String({ examples: ['pumps'] }) }, strict),
  },
  'network.deleted': { summary: 'A network was deleted.', resource: 'net', data: Nothing },
  'network.updated': { summary: 'Fields of a network were changed.', resource: 'net', data: Changed('dnsServers') },
  'organization.updated': { summary: 'The organization was changed.', resource: 'org', data: Changed('name') },
  'member.invited': { summary: 'Somebody was invited.', resource: 'mem', data: Nothing },
  'member.joined': { summary: 'Somebody accepted an invitation.', resource: 'mem', data: Nothing },
  'member.updated': { summary: 'A member has another role.', resource: 'mem', data: Nothing },
  'member.removed': { summary: 'A member or an invitation was removed.', resource: 'mem', data: Nothing },
  'api_key.created': { summary: 'An API key was made.', resource: 'key', data: Nothing },
  'api_key.updated': { summary: 'An API key was changed.', resource: 'key', data: Nothing },
  'api_key.rotated': { summary: 'An API key got a new secret.', resource: 'key', data: Nothing },
  'api_key.revoked': { summary: 'An API key was revoked.', resource: 'key', data: Nothing },
  'grant.created': { summary: 'Somebody may open tunnels that it could not.', resource: 'grt', data: Nothing },
  'grant.revoked': { summary: 'A grant was revoked; its tunnels are closed.', resource: 'grt', data: Nothing },
  'ssh_key.created': { summary: 'An SSH key was registered.', resource: 'ssh', data: Nothing },
  'ssh_key.updated': { summary: 'An SSH key was changed.', resource: 'ssh', data: Nothing },
  'ssh_key.deleted': { summary: 'An SSH key was deleted, or went with its owner.', resource: 'ssh', data: Nothing },
  'rule.created': { summary: 'An automation rule was made.', resource: 'rul', data: Nothing },
  'rule.updated': { summary: 'An automation rule was changed.', resource: 'rul', data: Changed('actions') },
  'rule.deleted': { summary: 'An automation rule was deleted.', resource: 'rul', data: Nothing },
  'rule.ran': {
    summary: 'An automation rule has run for an event.',
    resource: 'rul',
    data: Type.Object(
      {
        runId: Type.String({ pattern: idPattern('run') }),
        eventId: Type.String({ pattern: idPattern('evt') }),
        deviceId: nullable(DeviceId),
        state: oneOf(['succeeded', 'failed']),
        tunnelIds: Type.Array(TunnelId, { description: 'Tunnels that it opened.' }),
      },
      strict,
    ),
  },
  'rule.disabled': {
    summary: 'An automation rule was stopped: it failed again and again, or its maker may not do what it does.',
    resource: 'rul',
    data: Type.Object(
      {
        reason: oneOf(['failures', 'maker_gone', 'permission_missing']),
        runId: Type.String({ pattern: idPattern('run') }),
      },
      strict,
    ),
  },
  'usage.threshold': {
    summary: 'So many percent of a threshold are used, told once in its day or month.',
    resource: 'uth',
    data: Type.Object(
      {
        name: Type.String({ examples: ['SIM contract'] }),
        deviceId: nullable(DeviceId),
        tag: nullable(Type.String()),
        period: oneOf(['day', 'month']),
        since: Timestamp,
        percent: Type.Integer({ examples: [80] }),
        limitBytes: Type.Integer({ examples: [50_000_000_000] }),
        usedBytes: Type.Integer({ examples: [40_000_123_904] }),
      },
      strict,
    ),
  },
  'usage_threshold.created': { summary: 'A threshold of usage was made.', resource: 'uth', data: Nothing },
  'usage_threshold.updated': { summary: 'A threshold of usage was changed.', resource: 'uth', data: Changed('bytes') },
  'usage_threshold.deleted': { summary: 'A threshold of usage was deleted.', resource: 'uth', data: Nothing },
  'tunnel.requested': {
    summary: 'A tunnel was asked for.',
    resource: 'tun',
    data: Type.Object(
      { deviceId: DeviceId, state: oneOf(tunnelStates) },
      { ...strict, 'x-example': { state: 'opening' } },
    ),
  },
  'tunnel.updated': { summary: 'A tunnel was extended or changed.', resource: 'tun', data: Changed('allowFrom') },
  'tunnel.opened': {
    summary: 'A tunnel is open: connect to host and port.',
    resource: 'tun',
    data: Type.Object({ deviceId: DeviceId, state: Type.Literal('open'), ports: Type.Array(TunnelPort) }, strict),
  },
  'tunnel.closed': { summary: 'A tunnel was closed.', resource: 'tun', data: TunnelEnd('closed', 'requested') },
  'tunnel.expired': {
    summary: 'A tunnel reached its end.',
    resource: 'tun',
    data: TunnelEnd('expired', 'ttl_elapsed'),
  },
  'tunnel.failed': {
    summary: 'A tunnel could not be opened, or broke.',
    resource: 'tun',
    data: TunnelEnd('failed', 'no_free_port'),
  },
  'webhook.created': { summary: 'A webhook endpoint was made.', resource: 'whe', data: Nothing },
  'webhook.updated': {
    summary: 'Fields of a webhook endpoint were changed.',
    resource: 'whe',
    data: Changed('eventTypes'),
  },
  'webhook.rotated': { summary: 'A webhook endpoint got a new key.', resource: 'whe', data: Nothing },
  'webhook.failing': {
    summary: 'For a day nothing but failures came from a webhook endpoint: it will be disabled when that goes on.',
    resource: 'whe',
    data: Type.Object({ failingSince: Timestamp }, strict),
  },
  'webhook.disabled': {
    summary: 'A webhook endpoint is disabled: by a call, because it answered 410, or after days of only failures.',
    resource: 'whe',
    data: Type.Object({ reason: oneOf(['requested', 'gone', 'failing']) }, strict),
  },
  'webhook.enabled': { summary: 'A webhook endpoint is enabled again.', resource: 'whe', data: Nothing },
  'webhook.deleted': { summary: 'A webhook endpoint was deleted.', resource: 'whe', data: Nothing },
  'webhook.test': {
    summary: 'Somebody tries a webhook endpoint; it goes there and nowhere else.',
    resource: 'whe',
    data: Nothing,
  },
} as const satisfies Record<string, EventKind>

export type EventType = keyof typeof eventCatalogue
export const eventTypes = Object.keys(eventCatalogue) as readonly EventType[]

/** What is delivered: the body of a webhook (Standard Webhooks: `type`, `timestamp`, `data`) with what is needed to put events in order. */
export function eventSchema(type: EventType): TSchema {
  const { resource, data } = eventCatalogue[type]
  return Type.Object(
    {
      id: Type.String({
        pattern: idPattern('evt'),
        description: 'The same as in `webhook-id`, and the same at every attempt to deliver it.',
      }),
      type: Type.Literal(type),
      timestamp: Timestamp,
      resourceId: Type.String({
        pattern: `^${resource}_[0-9A-Za-z]{16,20}$`,
        examples: [`${resource}_ajaic76ztpqad76h2tn2`],
      }),
      sequence: Type.Integer({
        minimum: 1,
        description: 'Grows by one with every event of the resource: drop what is older than what you have.',
      }),
      data,
    },
    strict,
  )
}
