/** Fields that several resources have. */
import { proposalTiers, tierSources } from '@culvert/lifecycle'
import { Type, type TSchema, type TUnion, type TNull, type TUnsafe } from 'typebox'

export const idPattern = (prefix: string): string => `^${prefix}_[a-z2-7]{20}$`
export const DeviceId = Type.String({ pattern: idPattern('dev'), description: 'Id of a device.' })
export const TunnelId = Type.String({ pattern: idPattern('tun'), description: 'Id of a tunnel.' })
export const CredentialId = Type.String({ pattern: idPattern('crd'), description: 'Id of a credential.' })
export const DeviceAuthorityId = Type.String({
  pattern: idPattern('aut'),
  description: 'Id of an authority of the organization.',
})
export const OperationId = Type.String({ pattern: idPattern('opn'), description: 'Id of an operation.' })
export const ConfigLinkId = Type.String({ pattern: idPattern('cfl'), description: 'Id of a one-time link.' })
export const NetworkId = Type.String({ pattern: idPattern('net'), description: 'Id of a network.' })

export const ApiKeyId = Type.String({ pattern: '^key_[0-9A-Za-z]{16}$', description: 'Id of an API key.' })

export const MemberId = Type.String({ pattern: idPattern('mem'), description: 'Id of a member.' })

export const EventId = Type.String({ pattern: idPattern('evt'), description: 'Id of an event.' })

export const GrantId = Type.String({ pattern: idPattern('grt'), description: 'Id of a grant.' })

export const SshKeyId = Type.String({ pattern: idPattern('ssh'), description: 'Id of an SSH key.' })
export const AutomationRuleId = Type.String({ pattern: idPattern('rul'), description: 'Id of an automation rule.' })
export const UsageThresholdId = Type.String({ pattern: idPattern('uth'), description: 'Id of a threshold.' })
export const WebhookEndpointId = Type.String({ pattern: idPattern('whe'), description: 'Id of a webhook endpoint.' })
export const WebhookDeliveryId = Type.String({ pattern: idPattern('whd'), description: 'Id of a delivery.' })

export const tagPattern = '^[A-Za-z0-9][A-Za-z0-9._:=/-]{0,62}$'

export const Version = Type.Integer({ description: 'Grows with every change; also the `ETag`.' })

/** RFC 3339, UTC. */
export const Timestamp = Type.String({ format: 'date-time' })

/** One line of text that reads as it is written: no control or line characters, no change of direction, no half of a pair. */
export const line = (options: { minLength?: number; maxLength: number; description?: string }) =>
  Type.String({
    pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028-\\u202e\\u2066-\\u2069\\ud800-\\udfff]*$',
    ...options,
  })

export function nullable<T extends TSchema>(schema: T): TUnion<[T, TNull]> {
  return Type.Union([schema, Type.Null()])
}

/** One of these texts. */
export const oneOf = <const T extends readonly string[]>(values: T, options: { description?: string } = {}) =>
  Type.Enum([...values] as string[], { type: 'string', ...options }) as unknown as TUnsafe<T[number]>

/** Said at one level: organization, network or device. */
export const ProposalTiers = Type.Array(oneOf(proposalTiers), {
  minItems: 1,
  maxItems: 3,
  uniqueItems: true,
  description:
    'Sets of algorithms that may be used; null: as the level above says, and `modern` and `standard` where nobody says anything. `compat` (SHA-1, small groups, 3DES) is for equipment that offers nothing else.',
})

const BytesPerSec = Type.Integer({
  minimum: 1000,
  maximum: 1_000_000_000,
  description: 'Octets per second; null: any.',
})
export const RateLimit = Type.Object(
  { upBytesPerSec: nullable(BytesPerSec), downBytesPerSec: nullable(BytesPerSec) },
  {
    additionalProperties: false,
    description: 'Up is from the device; null: no limit.',
    'x-example': { downBytesPerSec: 125_000 },
  },
)

export const EffectiveTiers = Type.Object(
  {
    tiers: Type.Array(oneOf(proposalTiers), { description: 'Strongest first.' }),
    source: oneOf(tierSources, { description: 'Who says so.' }),
    warning: nullable(Type.String({ description: 'What is weak about it.' })),
  },
  {
    additionalProperties: false,
    description: 'What holds.',
    'x-example': { tiers: ['modern', 'standard'], source: 'default' },
  },
)

/** Query of every list. */
export const pageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'Most items on a page.' })),
  cursor: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 1000,
      pattern: '^[A-Za-z0-9_-]+$',
      description: '`nextCursor` of the page before.',
    }),
  ),
}

/** A filter of a list: a time. */
export const moment = (description: string) =>
  Type.Optional(Type.String({ format: 'date-time', maxLength: 40, description: `${description} (RFC 3339).` }))

/** A filter of a list: a part of a text. */
export const partOf = (description: string) =>
  Type.Optional(line({ minLength: 1, maxLength: 100, description: `A part of ${description}, in any case.` }))

/** Order of a list, by one of these or the other way round. The first is that of a list without `sort`. */
export const sortBy = <const T extends readonly string[]>(sorts: T, more = '') =>
  Type.Optional(
    oneOf(sorts, { description: `Order; a minus: the other way round. \`${sorts[0]}\` when left out.${more}` }),
  )

const NextCursor = nullable(
  Type.String({ description: 'Give it as `cursor` to get the next page; null on the last one.' }),
)

/** What a list answers. @param item schema of one */
export const pageOf = <const Item extends string>(item: Item, name = `${item}Page`) =>
  Type.Object({ data: Type.Array(Type.Ref(item)), nextCursor: NextCursor }, { $id: name, additionalProperties: false })
