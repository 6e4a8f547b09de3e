/** REST: what devices, tunnels and the organization used, and thresholds that tell about it. */
import { Type, type Static } from 'typebox'
import {
  DeviceId,
  line,
  nullable,
  oneOf,
  pageOf,
  pageQuery,
  partOf,
  tagPattern,
  Timestamp,
  TunnelId,
  UsageThresholdId,
  Version,
} from '../fields.ts'
import { Tag } from './device.ts'

const Count = (description: string, example = 0) => Type.Integer({ minimum: 0, description, examples: [example] })

export const Usage = Type.Object(
  {
    id: Type.String({
      description: 'Of the device, tunnel or organization, also of one that is gone.',
      examples: ['dev_k7m2qx5n4r3t6v7w2y3z'],
    }),
    deviceId: nullable(Type.String({ description: 'Of a tunnel: the device it leads to.' })),
    from: Type.String({ format: 'date-time', description: 'Beginning of the hour or day, UTC.' }),
    bytesIn: Count('Octets from the device.', 81_920),
    bytesOut: Count('Octets to the device.', 12_288),
    packetsIn: Count('Packets from the device; 0 for a tunnel.', 96),
    packetsOut: Count('Packets to the device; 0 for a tunnel.', 51),
    attachedSec: Count('Seconds that the device was attached; of the organization, those of all its devices.', 3600),
    tunnelsOpened: Count('Tunnels that became open.', 1),
    connections: Count('Connections through tunnels.', 2),
    denied: Count('Connections that were refused.'),
  },
  { $id: 'Usage', additionalProperties: false },
)
export type Usage = Static<typeof Usage>

export const UsagePage = pageOf('Usage')

const chosen = {
  from: Type.Optional(
    Type.String({ format: 'date-time', description: 'At this time or later; a day before `before` when left out.' }),
  ),
  before: Type.Optional(Type.String({ format: 'date-time', description: 'Before this time; now when left out.' })),
  groupBy: Type.Optional(
    oneOf(['device', 'tunnel', 'organization'], { description: 'What a row is of; `device` when left out.' }),
  ),
  interval: Type.Optional(oneOf(['hour', 'day'], { description: '`hour` when left out. Days are those of UTC.' })),
  deviceId: Type.Optional(DeviceId),
  tunnelId: Type.Optional(TunnelId),
}

export const UsageQuery = Type.Object({ ...pageQuery, ...chosen }, { additionalProperties: false })
export type UsageQuery = Static<typeof UsageQuery>

export const UsageExportQuery = Type.Object(
  { ...chosen, format: Type.Optional(oneOf(['ndjson', 'csv'], { description: '`ndjson` when left out.' })) },
  { additionalProperties: false },
)

const Name = line({ minLength: 1, maxLength: 100, description: 'For people.' })
const Bytes = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Octets of both directions.',
  examples: [1_000_000_000],
})
const Percents = Type.Array(Type.Integer({ minimum: 1, maximum: 1000 }), {
  minItems: 1,
  maxItems: 8,
  uniqueItems: true,
  description: 'Percents of `bytes` to tell of, each once in a period; 80 and 100 when left out.',
  examples: [[80, 100]],
})

export const UsageThresholdInput = Type.Object(
  {
    name: Name,
    deviceId: Type.Optional(DeviceId),
    tag: Type.Optional({ ...Tag, description: 'All devices with this tag together.' }),
    bytes: Bytes,
    period: oneOf(['day', 'month'], { description: 'Of UTC.' }),
    percents: Type.Optional(Percents),
  },
  {
    additionalProperties: false,
    'x-example': { name: 'SIM contract', bytes: 50_000_000_000, period: 'month', tag: 'site=berlin' },
  },
)
export type UsageThresholdInput = Static<typeof UsageThresholdInput>

export const UsageThresholdPatch = Type.Object(
  { name: Type.Optional(Name), bytes: Type.Optional(Bytes), percents: Type.Optional(Percents) },
  { additionalProperties: false, minProperties: 1, 'x-example': { bytes: 60_000_000_000 } },
)

export const UsageThreshold = Type.Object(
  {
    id: UsageThresholdId,
    name: Type.String({ examples: ['SIM contract'] }),
    deviceId: nullable(DeviceId),
    tag: nullable(Type.String({ examples: ['site=berlin'] })),
    bytes: Bytes,
    period: oneOf(['day', 'month']),
    percents: Percents,
    toldPercent: nullable(Type.Integer({ description: 'The greatest that was told in the period of `toldPeriod`.' })),
    toldPeriod: nullable(Type.String({ format: 'date-time', description: 'Its beginning.' })),
    version: Version,
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { $id: 'UsageThreshold', additionalProperties: false },
)
export type UsageThreshold = Static<typeof UsageThreshold>

export const UsageThresholdPage = pageOf('UsageThreshold')

export const UsageThresholdQuery = Type.Object(
  {
    ...pageQuery,
    name: partOf('the name'),
    deviceId: Type.Optional(DeviceId),
    tag: Type.Optional(Type.String({ pattern: tagPattern, description: 'Of the devices with this tag.' })),
  },
  { additionalProperties: false },
)
