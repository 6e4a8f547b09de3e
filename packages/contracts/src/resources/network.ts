/** REST: networks and the organization: what holds for many devices at once. */
import { Type, type Static } from 'typebox'
import {
  EffectiveTiers,
  line,
  NetworkId,
  NextCursor,
  nullable,
  pageQuery,
  ProposalTiers,
  Timestamp,
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
    'Its devices may reach each other. Switching it off acts on live tunnels of devices; switching it on reaches a device when it attaches the next time.',
})

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
    version: Type.Integer({ description: 'Grows with every change; also the `ETag`.' }),
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
    proposalTiers: Type.Optional(nullable(ProposalTiers)),
    dnsServers: Type.Optional(DnsServers),
    dnsDomains: Type.Optional(DnsDomains),
    reauthenticateAfterSec: Type.Optional(nullable(ReauthenticateAfterSec)),
    deviceToDevice: Type.Optional(DeviceToDevice),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    'x-example': { dnsServers: ['192.0.2.53'], dnsDomains: ['corp.example'] },
  },
)
export type NetworkPatch = Static<typeof NetworkPatch>

export const NetworkPage = Type.Object(
  { data: Type.Array(Type.Ref('Network')), nextCursor: NextCursor },
  { $id: 'NetworkPage', additionalProperties: false },
)

export const NetworkQuery = Type.Object(pageQuery, { additionalProperties: false })

export const Organization = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    slug: Type.String({ description: 'Part of the IKE identities of its devices.' }),
    proposalTiers: nullable(ProposalTiers),
    effectiveTiers: EffectiveTiers,
    version: Type.Integer({ description: 'Grows with every change; also the `ETag`.' }),
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
  },
  { additionalProperties: false, minProperties: 1, 'x-example': { name: 'Acme' } },
)
export type OrganizationPatch = Static<typeof OrganizationPatch>
