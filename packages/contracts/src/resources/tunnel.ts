/** REST: tunnels, a customer's access to a port of a device, and the access log of each. */
import { tunnelReasons, tunnelStates } from '@culvert/lifecycle'
import { Type, type Static } from 'typebox'
import {
  DeviceId,
  GrantId,
  moment,
  NetworkId,
  nullable,
  oneOf,
  pageOf,
  pageQuery,
  RateLimit,
  sortBy,
  tagPattern,
  Timestamp,
  TunnelId,
  Version,
} from '../fields.ts'

const TtlSec = Type.Integer({ minimum: 10, maximum: 86_400, description: 'Seconds from now until the tunnel expires.' })
const AllowFrom = Type.Array(Type.String({ format: 'cidr', maxLength: 49 }), {
  minItems: 1,
  maxItems: 64,
  uniqueItems: true,
  description:
    'Who may connect: addresses and prefixes. Left out: only the address this call comes from, as the API sees it.',
})

const MaxBytes = Type.Integer({
  minimum: 1,
  maximum: 1e15,
  description:
    'Octets of all its connections in both directions after which the tunnel ends with the reason `quota`; null: no end.',
})

export const TunnelInput = Type.Object(
  {
    deviceId: DeviceId,
    port: Type.Integer({ minimum: 1, maximum: 65_535, description: 'TCP port of the device, or of `host`.' }),
    host: Type.Optional(
      nullable(
        Type.String({
          format: 'ipv4',
          maxLength: 15,
          description: 'Address of a host on a LAN behind the device (its `lanPrefixes`); left out: the device itself.',
        }),
      ),
    ),
    ttlSec: Type.Optional(
      Type.Integer({ minimum: 10, maximum: 86_400, default: 3_600, description: 'Seconds until the tunnel expires.' }),
    ),
    allowFrom: Type.Optional(AllowFrom),
    maxBytes: Type.Optional(nullable(MaxBytes)),
    rateLimit: Type.Optional(nullable(RateLimit)),
    waitForDevice: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'Open the tunnel when the device attaches, instead of refusing while it is offline.',
      }),
    ),
  },
  { additionalProperties: false, 'x-example': { port: 22, ttlSec: 600, allowFrom: ['203.0.113.0/24'] } },
)
export type TunnelInput = Static<typeof TunnelInput>

export const TunnelPatch = Type.Object(
  {
    ttlSec: Type.Optional(TtlSec),
    allowFrom: Type.Optional(AllowFrom),
    maxBytes: Type.Optional(nullable(MaxBytes)),
    rateLimit: Type.Optional(nullable(RateLimit)),
  },
  { additionalProperties: false, minProperties: 1, 'x-example': { ttlSec: 3_600 } },
)
export type TunnelPatch = Static<typeof TunnelPatch>

export const Tunnel = Type.Object(
  {
    id: TunnelId,
    deviceId: DeviceId,
    state: oneOf(tunnelStates),
    reason: nullable(oneOf(tunnelReasons)),
    devicePort: Type.Integer(),
    deviceHost: nullable(
      Type.String({
        description: 'The host on a LAN behind the device that the tunnel leads to; null: the device itself.',
      }),
    ),
    protocol: Type.Literal('tcp'),
    host: nullable(Type.String({ description: 'Where to connect; null until the tunnel is open.' })),
    port: nullable(Type.Integer({ description: 'Port to connect to; null until the tunnel is open.' })),
    allowFrom: Type.Array(Type.String()),
    waitForDevice: Type.Boolean(),
    ttlSec: Type.Integer(),
    maxBytes: nullable(Type.Integer()),
    rateLimit: nullable(RateLimit),
    openedBy: nullable(
      Type.Object(
        { kind: oneOf(['api_key', 'user', 'system']), id: Type.String({ examples: ['key_9fXkP2mQ7rT4vW8z'] }) },
        { additionalProperties: false, description: 'Null: from before this was kept.' },
      ),
    ),
    grantId: nullable(Type.String({ description: 'The grant that allowed it; null: who opened it may open any.' })),
    expiresAt: Timestamp,
    version: Version,
    createdAt: Timestamp,
    updatedAt: Timestamp,
    openedAt: nullable(Timestamp),
    closedAt: nullable(Timestamp),
  },
  {
    $id: 'Tunnel',
    additionalProperties: false,
    'x-example': {
      state: 'open',
      devicePort: 22,
      host: 'gw-1.culvert.example',
      port: 20_262,
      allowFrom: ['203.0.113.0/24'],
      ttlSec: 600,
      expiresAt: '2026-11-21T20:20:50.104Z',
      version: 2,
      createdAt: '2026-11-21T20:10:50.104Z',
      openedAt: '2026-11-21T20:10:50.179Z',
    },
  },
)
export type Tunnel = Static<typeof Tunnel>

export const TunnelPage = pageOf('Tunnel')

export const TunnelQuery = Type.Object(
  {
    ...pageQuery,
    deviceId: Type.Optional(DeviceId),
    state: Type.Optional(
      Type.String({
        pattern: `^(${tunnelStates.join('|')})(,(${tunnelStates.join('|')})){0,${tunnelStates.length - 1}}$`,
        description: `It is in one of these states, separated by commas: ${tunnelStates.map((state) => `\`${state}\``).join(', ')}.`,
        examples: ['open'],
      }),
    ),
    active: Type.Optional(Type.Boolean({ description: 'It has not ended; false: it has.' })),
    port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535, description: 'Of the device, or of `host`.' })),
    host: Type.Optional(
      Type.String({ format: 'ipv4', maxLength: 15, description: 'It leads to this host on a LAN behind the device.' }),
    ),
    openedBy: Type.Optional(
      Type.String({
        pattern: '^(key_[0-9A-Za-z]{16}|usr_[a-z2-7]{20})$',
        description: 'Who opened it: key or person.',
      }),
    ),
    grantId: Type.Optional(GrantId),
    networkId: Type.Optional(NetworkId),
    tag: Type.Optional(Type.String({ pattern: tagPattern, description: 'The device has this tag.' })),
    createdFrom: moment('Asked for at this time or later'),
    createdBefore: moment('Asked for before'),
    expiresBefore: moment('It expires before'),
    sort: sortBy(
      ['-createdAt', 'createdAt', 'expiresAt', '-expiresAt'],
      ' By `expiresAt` only tunnels are listed that have not ended.',
    ),
  },
  { additionalProperties: false },
)
export type TunnelQuery = Static<typeof TunnelQuery>

export const WaitQuery = Type.Object(
  {
    wait: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 30,
        description:
          'Seconds to wait for the result before answering 202; 5 when left out. `Prefer: wait=n` and `Prefer: respond-async` do the same.',
      }),
    ),
  },
  { additionalProperties: false },
)

export const Connection = Type.Object(
  {
    id: Type.String(),
    tunnelId: TunnelId,
    deviceHost: nullable(Type.String({ description: 'The host on a LAN behind the device; null: the device itself.' })),
    devicePort: Type.Integer(),
    clientAddress: Type.String(),
    clientPort: Type.Integer(),
    state: oneOf(['open', 'closed', 'refused']),
    reason: nullable(Type.String()),
    openedAt: Timestamp,
    closedAt: nullable(Timestamp),
    bytesUp: Type.Integer({ description: 'From the client to the device.' }),
    bytesDown: Type.Integer({ description: 'From the device to the client.' }),
  },
  {
    $id: 'Connection',
    additionalProperties: false,
    'x-example': {
      id: 'con_d7ihjilu3kwth62n7gy7',
      devicePort: 22,
      clientAddress: '203.0.113.7',
      clientPort: 45_800,
      state: 'closed',
      reason: 'device_closed',
      closedAt: '2026-11-21T20:11:02.511Z',
      bytesUp: 79,
      bytesDown: 205,
    },
  },
)
export type Connection = Static<typeof Connection>

export const ConnectionPage = pageOf('Connection')

const connectionStates = ['open', 'closed', 'refused'] as const

const connectionFilter = {
  state: Type.Optional(oneOf(connectionStates)),
  reason: Type.Optional(
    Type.String({ pattern: '^[a-z_]{1,40}$', description: 'Why it was refused or ended.', examples: ['not_allowed'] }),
  ),
  clientAddress: Type.Optional(
    Type.String({
      format: 'cidr',
      maxLength: 49,
      description: 'The client came from this address or prefix.',
      examples: ['203.0.113.0/24'],
    }),
  ),
  openedFrom: moment('Begun at this time or later'),
  openedBefore: moment('Begun before'),
  sort: sortBy(['-openedAt', 'openedAt']),
}

export const ConnectionQuery = Type.Object({ ...pageQuery, ...connectionFilter }, { additionalProperties: false })
export type ConnectionQuery = Static<typeof ConnectionQuery>

export const AllConnectionsQuery = Type.Object(
  {
    ...pageQuery,
    ...connectionFilter,
    deviceId: Type.Optional(DeviceId),
    tunnelId: Type.Optional(TunnelId),
    port: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 65_535, description: 'Port of the device that it went to.' }),
    ),
  },
  { additionalProperties: false },
)
