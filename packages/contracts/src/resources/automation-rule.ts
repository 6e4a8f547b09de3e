/** REST: automation rules. On these events, for these devices, in these hours: do this. */
import { weekDays } from '@culvert/lifecycle'
import { Type, type Static, type TSchema } from 'typebox'
import {
  AutomationRuleId,
  DeviceId,
  line,
  NetworkId,
  nullable,
  oneOf,
  pageOf,
  pageQuery,
  partOf,
  Timestamp,
  Version,
  WebhookEndpointId,
} from '../fields.ts'
import { Tag } from './device.ts'

const strict = { additionalProperties: false }
const Port = Type.Integer({ minimum: 1, maximum: 65_535 })
const Ports = Type.Array(Port, { minItems: 1, maxItems: 8, uniqueItems: true, examples: [[22]] })
const Tags = Type.Array(Tag, { minItems: 1, maxItems: 8, uniqueItems: true, examples: [['checked']] })

const Trigger = Type.Object(
  {
    eventTypes: Type.Array(Type.String({ pattern: '^[a-z_]+\\.([a-z_]+|\\*)$', maxLength: 60 }), {
      minItems: 1,
      maxItems: 20,
      uniqueItems: true,
      description: 'Types of events, or all of a kind (`tunnel.*`); none of `rule.*`.',
      examples: [['device.online']],
    }),
    deviceIds: Type.Optional(
      Type.Array(DeviceId, { maxItems: 100, uniqueItems: true, description: 'Only of these devices.' }),
    ),
    deviceTags: Type.Optional(
      Type.Array(Tag, {
        maxItems: 20,
        uniqueItems: true,
        description: 'Only of devices that have one of these tags.',
        examples: [['site=berlin']],
      }),
    ),
    networkIds: Type.Optional(
      Type.Array(NetworkId, { maxItems: 20, uniqueItems: true, description: 'Only of devices in these networks.' }),
    ),
  },
  { ...strict, 'x-example': { eventTypes: ['device.online'], deviceTags: ['site=berlin'] } },
)

const Clock = Type.String({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d$', examples: ['22:00'] })
const During = Type.Object(
  {
    timeZone: Type.String({
      pattern: '^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$',
      maxLength: 60,
      description: 'Of the IANA database.',
      examples: ['Europe/Berlin'],
    }),
    windows: Type.Array(
      Type.Object(
        {
          days: Type.Array(oneOf(weekDays), {
            minItems: 1,
            maxItems: 7,
            uniqueItems: true,
            examples: [['mon', 'fri']],
          }),
          from: Clock,
          to: Type.String({ ...Clock, description: 'Not after `from`: of the next day.', examples: ['06:00'] }),
        },
        strict,
      ),
      { minItems: 1, maxItems: 14 },
    ),
  },
  { ...strict, description: 'Hours of the week in which the events happen that it is for; null: always.' },
)

/** @param prefixes an answer is not checked against formats, and may not name them */
const openTunnel = <T extends TSchema>(prefixes: T) =>
  Type.Object(
    {
      kind: Type.Literal('open_tunnel'),
      ports: Type.Array(Port, { ...Ports, description: 'A tunnel to each of these TCP ports.' }),
      host: Type.Optional(
        nullable(Type.String({ format: 'ipv4', maxLength: 15, description: 'A host on a LAN behind the device.' })),
      ),
      ttlSec: Type.Optional(
        nullable(
          Type.Integer({
            minimum: 10,
            maximum: 86_400,
            description: 'Seconds that it stays; null or left out: until the hours of the rule end.',
          }),
        ),
      ),
      allowFrom: Type.Array(prefixes, {
        minItems: 1,
        maxItems: 64,
        uniqueItems: true,
        description: 'Who may connect: addresses and prefixes.',
        examples: [['203.0.113.0/24']],
      }),
    },
    strict,
  )
const Close = Type.Object(
  {
    kind: Type.Literal('close_tunnels'),
    ports: Type.Optional(nullable(Type.Array(Port, { ...Ports, description: 'To these ports; null: all.' }))),
  },
  strict,
)
const AddTags = Type.Object({ kind: Type.Literal('tag_device'), tags: Tags }, strict)
const RemoveTags = Type.Object({ kind: Type.Literal('untag_device'), tags: Tags }, strict)
const Revoke = Type.Object({ kind: Type.Literal('revoke_credentials') }, strict)
const Call = Type.Object(
  {
    kind: Type.Literal('call_webhook'),
    url: Type.String({
      minLength: 1,
      maxLength: 1_000,
      description: 'Where to POST to, such as an incoming webhook of Slack. Answers show its host alone.',
      examples: ['https://hooks.example.com/services/T0/B0/x'],
    }),
    format: Type.Optional(
      oneOf(['slack', 'event'], {
        description: '`slack`: `{"text": "..."}`; `event`: the event. `slack` when left out.',
      }),
    ),
    text: Type.Optional(
      nullable(
        Type.String({
          maxLength: 1_000,
          description:
            'For `slack`: `{{rule}}`, `{{event}}`, `{{time}}`, `{{device.id}}`, `{{device.name}}`, `{{resource}}`, `{{tunnels}}` and `{{outcome}}` stand for values.',
          examples: ['{{device.name}} is online. {{tunnels}}'],
        }),
      ),
    ),
  },
  strict,
)
const Deliver = Type.Object(
  {
    kind: Type.Literal('deliver_webhook'),
    endpointId: {
      ...WebhookEndpointId,
      description: 'Endpoint of webhooks that gets the `rule.ran` of the run, whatever types it takes.',
    },
  },
  strict,
)

const actions = <T extends TSchema>(prefixes: T) =>
  Type.Array(Type.Union([openTunnel(prefixes), Close, AddTags, RemoveTags, Revoke, Call, Deliver]), {
    minItems: 1,
    maxItems: 8,
    description: 'One after the other; one that fails does not keep the others back.',
  })
const Actions = actions(Type.String({ format: 'cidr', maxLength: 49 }))

const fields = {
  name: line({ minLength: 1, maxLength: 100, description: 'For people.' }),
  enabled: Type.Boolean({ description: 'Whether it runs.' }),
  on: Trigger,
  during: nullable(During),
  actions: Actions,
  maxRunsPerHour: Type.Integer({ minimum: 1, maximum: 1_000, description: 'Runs beyond are skipped.', examples: [60] }),
}

const example = {
  name: 'Night shift',
  on: { eventTypes: ['device.online'], deviceTags: ['site=berlin'] },
  during: {
    timeZone: 'Europe/Berlin',
    windows: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '22:00', to: '06:00' }],
  },
  actions: [
    { kind: 'open_tunnel', ports: [22], allowFrom: ['203.0.113.0/24'] },
    {
      kind: 'call_webhook',
      url: 'https://hooks.example.com/services/T0/B0/x',
      text: '{{device.name}} is online. {{tunnels}}',
    },
  ],
}

export const AutomationRuleInput = Type.Object(
  {
    name: fields.name,
    enabled: Type.Optional(fields.enabled),
    on: fields.on,
    during: Type.Optional(fields.during),
    actions: fields.actions,
    maxRunsPerHour: Type.Optional(fields.maxRunsPerHour),
  },
  { ...strict, 'x-example': example },
)
export type AutomationRuleInput = Static<typeof AutomationRuleInput>

export const AutomationRulePatch = Type.Object(
  {
    name: Type.Optional(fields.name),
    enabled: Type.Optional(fields.enabled),
    on: Type.Optional(fields.on),
    during: Type.Optional(fields.during),
    actions: Type.Optional(fields.actions),
    maxRunsPerHour: Type.Optional(fields.maxRunsPerHour),
  },
  { ...strict, minProperties: 1, 'x-example': { enabled: true } },
)
export type AutomationRulePatch = Static<typeof AutomationRulePatch>

export const AutomationRule = Type.Object(
  {
    id: AutomationRuleId,
    ...fields,
    actions: actions(Type.String()),
    disabledReason: nullable(
      oneOf(['by_hand', 'failures', 'maker_gone', 'permission_missing'], {
        description:
          'Why it does not run. `failures`: its last runs failed; `maker_gone`, `permission_missing`: whoever changed it last may not do what it does.',
      }),
    ),
    maker: Type.Object(
      { kind: oneOf(['api_key', 'user']), id: Type.String({ examples: ['key_9fXkP2mQ7rT4vW8z'] }) },
      { ...strict, description: 'Who changed it last: it acts with the rights that these have when it runs.' },
    ),
    failures: Type.Integer({ minimum: 0, description: 'Runs in a row that failed, up to now.' }),
    version: Version,
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { $id: 'AutomationRule', ...strict, 'x-example': { ...example, enabled: true, disabledReason: null, failures: 0 } },
)
export type AutomationRule = Static<typeof AutomationRule>

export const AutomationRulePage = pageOf('AutomationRule')
export const AutomationRuleQuery = Type.Object(
  { ...pageQuery, name: partOf('the name'), enabled: Type.Optional(Type.Boolean()) },
  strict,
)

const Kind = oneOf([
  'open_tunnel',
  'close_tunnels',
  'tag_device',
  'untag_device',
  'revoke_credentials',
  'call_webhook',
  'deliver_webhook',
])

const EventShown = Type.Object(
  {
    id: Type.String({ examples: ['evt_ajaic76ztpqad76h2tn2'] }),
    type: Type.String({ examples: ['device.online'] }),
    timestamp: Timestamp,
    resourceId: Type.String({ examples: ['dev_ajaic76ztpqad76h2tn2'] }),
    sequence: Type.Integer(),
    data: Type.Object({}, { additionalProperties: true, description: 'As the event carries it.' }),
  },
  strict,
)

export const RuleRun = Type.Object(
  {
    id: Type.String({ examples: ['run_ajaic76ztpqad76h2tn2'] }),
    event: EventShown,
    deviceId: nullable(DeviceId),
    depth: Type.Integer({ description: 'How many rules before it led to the event; from 3 on it is skipped.' }),
    state: oneOf(['pending', 'succeeded', 'failed', 'skipped']),
    reason: nullable(
      Type.String({
        description:
          'Of a run that was skipped (`rate_limited`, `loop`, `rule_disabled`) or stopped (`maker_gone`, `permission_missing`, `internal_error`).',
        examples: ['rate_limited'],
      }),
    ),
    steps: Type.Array(
      Type.Object(
        {
          action: Type.Integer({ description: 'Place in `actions` of the rule as it was then, from 0.' }),
          kind: Kind,
          port: nullable(Type.Integer({ examples: [22] })),
          state: oneOf(['done', 'failed']),
          code: nullable(Type.String({ description: 'Why it failed.', examples: ['device_offline'] })),
          detail: nullable(Type.String({ examples: ['Answered 200.'] })),
          tunnelId: nullable(Type.String({ examples: ['tun_ajaic76ztpqad76h2tn2'] })),
        },
        strict,
      ),
      { description: 'What was done, in order.' },
    ),
    createdAt: Timestamp,
    startedAt: nullable(Timestamp),
    finishedAt: nullable(Timestamp),
  },
  { $id: 'RuleRun', ...strict },
)
export type RuleRun = Static<typeof RuleRun>

export const RuleRunPage = pageOf('RuleRun')

export const DryRunQuery = Type.Object(
  {
    since: Type.Optional(
      Type.String({
        format: 'date-time',
        description: 'Events from then on, at most 7 days ago; a day ago when left out.',
      }),
    ),
  },
  strict,
)

export const DryRun = Type.Object(
  {
    since: Timestamp,
    events: Type.Integer({ description: 'Events of the types it waits for that were looked at.' }),
    complete: Type.Boolean({ description: 'False: there were too many, and the newest were not looked at.' }),
    runs: Type.Array(
      Type.Object(
        {
          event: EventShown,
          deviceId: nullable(DeviceId),
          steps: Type.Array(
            Type.Object(
              {
                action: Type.Integer(),
                kind: Kind,
                port: nullable(Type.Integer({ examples: [22] })),
                ttlSec: nullable(Type.Integer({ description: 'Of a tunnel.', examples: [28_800] })),
                text: nullable(Type.String({ description: 'That would be sent.', examples: ['Pump 7 is online.'] })),
              },
              strict,
            ),
          ),
        },
        strict,
      ),
      { description: 'For which events it would have run, and what it would have done, oldest first; 200 at most.' },
    ),
  },
  { $id: 'DryRun', ...strict },
)
export type DryRun = Static<typeof DryRun>
