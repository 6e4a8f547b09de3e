/**
 * Events: one catalogue of their types with what each carries. The outbox writes them, webhooks and the event feed deliver them, the
 * documentation describes them. Data is thin: ids and states, never a secret. A new type is an entry here, and a producer, with a case in
 * test/service/event-producers.test.ts, which fails for a type that nobody writes, unless it is marked as planned.
 */
import { Type, type Static, type TSchema } from 'typebox'
import {
  AttemptTally,
  Changed,
  ConcentratorNews,
  ConnectionClosed,
  ConnectionNews,
  CredentialMade,
  CredentialRotated,
  CredentialTime,
  DeviceMoved,
  DeviceOffline,
  DeviceOnline,
  GatewayNews,
  Nothing,
  OfDevice,
  OperationNews,
  QuotaExhausted,
  RekeyTally,
  RuleDisabled,
  RuleRan,
  strict,
  TunnelEnd,
  TunnelOpen,
  TunnelStep,
  UsagePassed,
  WebhookDisabled,
  WebhookFailing,
} from './event-data.ts'
import { idPattern, Timestamp } from './fields.ts'

interface EventKind {
  /** What happened, in a sentence. */
  readonly summary: string
  /** Prefix of the ids of the resource it is about. */
  readonly resource: string
  readonly data: TSchema
  /** Nothing writes it yet. */
  readonly planned?: true
  /** Written only where somebody asks for it. */
  readonly optIn?: true
}

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
    data: DeviceOnline,
  },
  'device.moved': {
    summary: 'An attached device has another outer address, or is attached to another concentrator.',
    resource: 'dev',
    data: DeviceMoved,
  },
  'device.offline': {
    summary: 'A device is no longer attached, and did not come back at once.',
    resource: 'dev',
    data: DeviceOffline,
  },
  'device.attempt_failed': {
    summary: 'A device, or somebody who claimed to be it, could not attach.',
    resource: 'dev',
    data: AttemptTally,
  },
  'sa.rekeyed': {
    summary: 'Security associations of a device have new keys.',
    resource: 'dev',
    data: RekeyTally,
  },
  'device.quota_exhausted': {
    summary: 'The quota of a device stopped its traffic, told once in its period, and again for another quota.',
    resource: 'dev',
    data: QuotaExhausted,
  },
  'credential.created': {
    summary: 'A credential was issued, or a certificate was asked for.',
    resource: 'crd',
    data: CredentialMade,
  },
  'credential.issued': { summary: 'A certificate was signed.', resource: 'crd', data: OfDevice },
  'credential.refused': { summary: 'A certificate request was refused.', resource: 'crd', data: OfDevice },
  'credential.rotated': {
    summary: 'A device attached with another credential than before: the former one can be revoked.',
    resource: 'crd',
    data: CredentialRotated,
  },
  'credential.expiring': {
    summary: 'A credential ends soon: 14 days before, or after two thirds of its time if that is later.',
    resource: 'crd',
    data: CredentialTime,
  },
  'credential.expired': { summary: 'The time of a credential is over.', resource: 'crd', data: CredentialTime },
  'credential.revoked': { summary: 'A credential was revoked.', resource: 'crd', data: OfDevice },
  'device_authority.created': { summary: 'An authority of devices was registered.', resource: 'aut', data: Nothing },
  'device_authority.updated': {
    summary: 'Fields of an authority were changed.',
    resource: 'aut',
    data: Changed('revocation'),
  },
  'device_authority.deleted': {
    summary: 'An authority was deleted; the credentials that it issued are revoked.',
    resource: 'aut',
    data: Nothing,
  },
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
  'member.updated': {
    summary: 'A member has another role, is kept out, or is let in again.',
    resource: 'mem',
    data: Nothing,
  },
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
    data: RuleRan,
  },
  'rule.disabled': {
    summary: 'An automation rule was stopped: it failed again and again, or its maker may not do what it does.',
    resource: 'rul',
    data: RuleDisabled,
  },
  'usage.threshold': {
    summary: 'So many percent of a threshold are used, told once in its day or month.',
    resource: 'uth',
    data: UsagePassed,
  },
  'usage_threshold.created': { summary: 'A threshold of usage was made.', resource: 'uth', data: Nothing },
  'usage_threshold.updated': { summary: 'A threshold of usage was changed.', resource: 'uth', data: Changed('bytes') },
  'usage_threshold.deleted': { summary: 'A threshold of usage was deleted.', resource: 'uth', data: Nothing },
  'tunnel.requested': { summary: 'A tunnel was asked for.', resource: 'tun', data: TunnelStep('requested') },
  'tunnel.waiting_for_device': {
    summary: 'A tunnel waits for its device.',
    resource: 'tun',
    data: TunnelStep('waiting_for_device'),
  },
  'tunnel.opening': { summary: 'A gateway opens a tunnel.', resource: 'tun', data: TunnelStep('opening') },
  'tunnel.opened': {
    summary: 'A tunnel is open: connect to host and port.',
    resource: 'tun',
    data: TunnelOpen,
  },
  'tunnel.updated': { summary: 'A tunnel was extended or changed.', resource: 'tun', data: Changed('allowFrom') },
  'tunnel.draining': {
    summary: 'A tunnel ends: the gateway closes its ports.',
    resource: 'tun',
    data: TunnelEnd('draining', 'requested'),
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
    data: WebhookFailing,
  },
  'webhook.disabled': {
    summary: 'A webhook endpoint is disabled: by a call, because it answered 410, or after days of only failures.',
    resource: 'whe',
    data: WebhookDisabled,
  },
  'webhook.enabled': { summary: 'A webhook endpoint is enabled again.', resource: 'whe', data: Nothing },
  'webhook.deleted': { summary: 'A webhook endpoint was deleted.', resource: 'whe', data: Nothing },
  'webhook.test': {
    summary: 'Somebody tries a webhook endpoint; it goes there and nowhere else.',
    resource: 'whe',
    data: Nothing,
  },
  'connection.opened': {
    summary: 'A connection through a tunnel was opened.',
    resource: 'con',
    data: ConnectionNews,
    optIn: true,
  },
  'connection.closed': {
    summary: 'A connection through a tunnel ended.',
    resource: 'con',
    data: ConnectionClosed,
    optIn: true,
  },
  'connection.denied': {
    summary: 'A connection to a tunnel was refused, or came to nothing.',
    resource: 'con',
    data: ConnectionClosed,
    optIn: true,
  },
  'concentrator.online': {
    summary: 'A concentrator where devices of the organization are, or were last, is ready.',
    resource: 'org',
    data: ConcentratorNews,
  },
  'concentrator.draining': {
    summary: 'A concentrator sends its devices to another one.',
    resource: 'org',
    data: ConcentratorNews,
  },
  'concentrator.stopped': {
    summary: 'A concentrator was stopped.',
    resource: 'org',
    data: ConcentratorNews,
  },
  'concentrator.lost': {
    summary: 'A concentrator fell silent; its devices count as offline.',
    resource: 'org',
    data: ConcentratorNews,
  },
  'gateway.online': {
    summary: 'A gateway with tunnels of the organization is ready.',
    resource: 'org',
    data: GatewayNews,
  },
  'gateway.draining': {
    summary: 'A gateway takes no new tunnels; those there are go on.',
    resource: 'org',
    data: GatewayNews,
  },
  'gateway.stopped': { summary: 'A gateway was stopped.', resource: 'org', data: GatewayNews },
  'gateway.lost': { summary: 'A gateway fell silent; its tunnels fail.', resource: 'org', data: GatewayNews },
  'operation.started': { summary: 'An operation was asked for.', resource: 'opn', data: OperationNews },
  'operation.succeeded': { summary: 'An operation is done.', resource: 'opn', data: OperationNews },
  'operation.failed': { summary: 'An operation could not be done.', resource: 'opn', data: OperationNews },
  'operation.cancelled': { summary: 'An operation was cancelled.', resource: 'opn', data: OperationNews },
  'config_link.created': { summary: 'A one-time link was made.', resource: 'cfl', data: OfDevice },
  'config_link.used': { summary: 'A one-time link was used.', resource: 'cfl', data: OfDevice },
  'config_link.withdrawn': { summary: 'A one-time link was taken back.', resource: 'cfl', data: OfDevice },
} as const satisfies Record<string, EventKind>

export type EventType = keyof typeof eventCatalogue
export const eventTypes = Object.keys(eventCatalogue) as readonly EventType[]

/** What an event of this type carries. */
export type EventData<T extends EventType = EventType> = Static<(typeof eventCatalogue)[T]['data']>

/** Types that something writes. */
export type WrittenEventType = {
  [T in EventType]: (typeof eventCatalogue)[T] extends { readonly planned: true } ? never : T
}[EventType]

export function isPlanned(type: EventType): boolean {
  return 'planned' in eventCatalogue[type]
}

/** Whether it is told only where somebody asks for it: a setting for all, or an endpoint or rule that names it. */
export function isOptIn(type: string): boolean {
  return Object.hasOwn(eventCatalogue, type) && 'optIn' in eventCatalogue[type as EventType]
}

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
