/** REST: networks and the organization: what holds for many devices at once. */
import { Type, type Static } from 'typebox'
import {
  EffectiveTiers,
  line,
  NetworkId,
  nullable,
  pageOf,
  pageQuery,
  partOf,
  ProposalTiers,
  RateLimit,
  sortBy,
  Timestamp,
  Version,
} from '../fields.ts'

const DnsServers = Type.Array(Type.String({ format: 'address', maxLength: 45 }), {
  maxItems: 8,
  uniqueItems: true,
  description: 'Resolvers told to devices, IPv4 and IPv6 addresses.',
})
const DnsDomains = Type.Array(Type.String({ format: 'domain', maxLength: 253 }), {
  maxItems: 32,
  uniqueItems: true,
  description: 'Domains that only these resolvers resolve (RFC 8598); without any, a device decides itself.',
})
const ReauthenticateAfterSec = Type.Integer({
  minimum: 300,
  maximum: 31_536_000,
  description: 'Seconds after which a device must authenticate anew (RFC 4478); null for never.',
})

const DeviceToDevice = Type.Boolean({
  description:
    'Its devices may reach each other. Switching it off acts on live tunnels of devices; switching it on reaches attached devices by a rekey, when their own configuration allows for it.',
})

const NetworkRateLimit = Type.Object(RateLimit.properties, {
  additionalProperties: false,
  description: 'Octets per second of each device that has no `rateLimit` itself; null: any.',
})

const ConnectionEvents = Type.Boolean({
  description:
    'Each connection through a tunnel is told as events (`connection.*`), up to 120 new ones of a tunnel in a minute, to everybody who takes events. False for an organization: only where an endpoint of webhooks or a rule names them; false for a network: never.',
})

const NetworkName = line({ minLength: 1, maxLength: 100, description: 'A name that no other network of yours has.' })

export const NetworkInput = Type.Object(
  {
    name: NetworkName,
    pool: Type.Optional(
      Type.String({
        format: 'cidr',
        maxLength: 18,
        description:
          'Inner IPv4 addresses of your choice, a prefix of 14 to 28 bits out of the range of the installation (10.128.0.0/9). Left out: a free one is allotted.',
        examples: ['10.200.0.0/22'],
      }),
    ),
    poolBits: Type.Optional(
      Type.Integer({ minimum: 14, maximum: 28, description: 'Length of the pool that is allotted; 20 when left out.' }),
    ),
    proposalTiers: Type.Optional(nullable(ProposalTiers)),
    dnsServers: Type.Optional(DnsServers),
    dnsDomains: Type.Optional(DnsDomains),
    reauthenticateAfterSec: Type.Optional(nullable(ReauthenticateAfterSec)),
    deviceToDevice: Type.Optional(DeviceToDevice),
    rateLimit: Type.Optional(nullable(NetworkRateLimit)),
    connectionEvents: Type.Optional(nullable(ConnectionEvents)),
  },
  { additionalProperties: false, 'x-example': { name: 'pumps', poolBits: 20, deviceToDevice: false } },
)
export type NetworkInput = Static<typeof NetworkInput>

export const Network = Type.Object(
  {
    id: NetworkId,
    name: Type.String(),
    pool: Type.String({ description: 'Inner addresses of its devices.' }),
    pools: Type.Array(Type.String({ examples: ['10.128.0.0/20'] }), {
      description: 'All inner IPv4 prefixes of its devices: it grows by another one when it is full.',
    }),
    pool6: nullable(Type.String({ description: 'Their inner IPv6 addresses; null: IPv4 alone.' })),
    proposalTiers: nullable(ProposalTiers),
    effectiveTiers: EffectiveTiers,
    dnsServers: Type.Array(Type.String()),
    dnsDomains: Type.Array(Type.String()),
    reauthenticateAfterSec: nullable(Type.Integer()),
    deviceToDevice: DeviceToDevice,
    rateLimit: nullable(RateLimit),
    connectionEvents: nullable(Type.Boolean({ description: 'Null: as the organization says.' })),
    version: Version,
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  {
    $id: 'Network',
    additionalProperties: false,
    'x-example': {
      name: 'default',
      pool: '10.128.0.0/16',
      pool6: 'fd43:756c:7665:8000::/64',
      dnsServers: ['192.0.2.53'],
      dnsDomains: ['corp.example'],
      version: 1,
    },
  },
)
export type Network = Static<typeof Network>

export const NetworkPatch = Type.Object(
  {
    name: Type.Optional(NetworkName),
    proposalTiers: Type.Optional(nullable(ProposalTiers)),
    dnsServers: Type.Optional(DnsServers),
    dnsDomains: Type.Optional(DnsDomains),
    reauthenticateAfterSec: Type.Optional(nullable(ReauthenticateAfterSec)),
    deviceToDevice: Type.Optional(DeviceToDevice),
    rateLimit: Type.Optional(nullable(NetworkRateLimit)),
    connectionEvents: Type.Optional(nullable(ConnectionEvents)),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    'x-example': { dnsServers: ['192.0.2.53'], dnsDomains: ['corp.example'] },
  },
)
export type NetworkPatch = Static<typeof NetworkPatch>

export const NetworkPage = pageOf('Network')

export const NetworkQuery = Type.Object(
  {
    ...pageQuery,
    name: partOf('the name'),
    sort: sortBy(['-createdAt', 'createdAt', 'name', '-name']),
  },
  { additionalProperties: false },
)

export const Organization = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    slug: Type.String({ description: 'Part of the IKE identities of its devices.' }),
    proposalTiers: nullable(ProposalTiers),
    effectiveTiers: EffectiveTiers,
    connectionEvents: ConnectionEvents,
    version: Version,
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  {
    $id: 'Organization',
    additionalProperties: false,
    'x-example': { id: 'org_ajaic76ztpqad76h2tn2', name: 'Acme', slug: 'acme', version: 1 },
  },
)
export type Organization = Static<typeof Organization>

export const OrganizationPatch = Type.Object(
  {
    name: Type.Optional(line({ minLength: 1, maxLength: 100, description: 'A name for people.' })),
    proposalTiers: Type.Optional(nullable(ProposalTiers)),
    connectionEvents: Type.Optional(ConnectionEvents),
  },
  { additionalProperties: false, minProperties: 1, 'x-example': { name: 'Acme' } },
)
export type OrganizationPatch = Static<typeof OrganizationPatch>
