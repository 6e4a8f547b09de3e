/** REST: devices. */
import { quotaPeriods } from '@culvert/lifecycle'
import { Type, type Static } from 'typebox'
import {
  DeviceId,
  EffectiveTiers,
  idPattern,
  line,
  moment,
  NetworkId,
  nullable,
  oneOf,
  pageOf,
  pageQuery,
  ProposalTiers,
  RateLimit,
  tagPattern,
  Timestamp,
  Version,
} from '../fields.ts'
import { mostLanPrefixes } from '../lan-prefix.ts'

const Iccid = Type.String({
  format: 'iccid',
  maxLength: 22,
  description: 'Number of the SIM (ITU-T E.118), 18 to 22 digits with a Luhn check digit.',
})
const Imsi = Type.String({ pattern: '^[0-9]{14,15}$', description: 'Subscriber identity, 14 or 15 digits.' })
const Imei = Type.String({ pattern: '^[0-9]{14,16}$', description: 'Equipment identity, 14 to 16 digits.' })
const Eid = Type.String({ pattern: '^[0-9]{32}$', description: 'Identity of the eUICC, 32 digits.' })
const Name = line({ minLength: 1, maxLength: 100, description: 'A name for people.' })
export const Tag = Type.String({ pattern: tagPattern })
const LanPrefixes = Type.Array(Type.String({ format: 'cidr', maxLength: 18 }), {
  maxItems: mostLanPrefixes,
  uniqueItems: true,
  description:
    'IPv4 prefixes of LANs behind the device, such as `192.168.1.0/24`: tunnels may lead to hosts on them, also when other devices have the same. The device must offer them as traffic selectors; what it no longer may speak for ends its attachment.',
})
const Tags = Type.Array(Tag, {
  maxItems: 32,
  uniqueItems: true,
})
export { Tags as DeviceTags }

const Quota = Type.Object(
  {
    bytes: Type.Integer({ minimum: 0, maximum: 1e15, description: 'Octets of both directions together.' }),
    period: oneOf(quotaPeriods, { description: 'When it begins anew: each day or month (UTC), or never.' }),
  },
  {
    additionalProperties: false,
    description: 'When it is used up nothing passes any more, but the device stays attached; null: no quota.',
  },
)

export const DeviceInput = Type.Object(
  {
    iccid: Iccid,
    networkId: Type.Optional(
      Type.String({
        pattern: idPattern('net'),
        description: 'Left out: the network `default`, which is made when it is not there.',
      }),
    ),
    imsi: Type.Optional(nullable(Imsi)),
    imei: Type.Optional(nullable(Imei)),
    eid: Type.Optional(nullable(Eid)),
    name: Type.Optional(Name),
    tags: Type.Optional(Tags),
    tunnelable: Type.Optional(Type.Boolean({ default: true })),
    lanPrefixes: Type.Optional(LanPrefixes),
    proposalTiers: Type.Optional(nullable(ProposalTiers)),
  },
  { additionalProperties: false, 'x-example': { name: 'router-1', tags: ['env=test', 'site:berlin'] } },
)
export type DeviceInput = Static<typeof DeviceInput>

export const DevicePatch = Type.Object(
  {
    imsi: Type.Optional(nullable(Imsi)),
    imei: Type.Optional(nullable(Imei)),
    eid: Type.Optional(nullable(Eid)),
    name: Type.Optional(Name),
    tags: Type.Optional(Tags),
    tunnelable: Type.Optional(Type.Boolean()),
    lanPrefixes: Type.Optional(LanPrefixes),
    proposalTiers: Type.Optional(nullable(ProposalTiers)),
    rateLimit: Type.Optional(nullable(RateLimit)),
    quota: Type.Optional(nullable(Quota)),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    'x-example': { tags: ['env=live'], quota: { bytes: 1_000_000_000, period: 'month' } },
  },
)
export type DevicePatch = Static<typeof DevicePatch>

export const Device = Type.Object(
  {
    id: DeviceId,
    name: Type.String(),
    iccid: Type.String(),
    imsi: nullable(Type.String()),
    imei: nullable(Type.String()),
    eid: nullable(Type.String()),
    tags: Type.Array(Type.String()),
    networkId: NetworkId,
    address: Type.String({ format: 'ipv4', description: 'Inner address, stable for the life of the device.' }),
    address6: nullable(
      Type.String({ format: 'ipv6', description: 'Inner IPv6 address, as stable; null: its network has IPv4 alone.' }),
    ),
    ikeIdentity: Type.String({ description: 'FQDN that the device claims in IKE_AUTH (IDi).' }),
    tunnelable: Type.Boolean(),
    lanPrefixes: Type.Array(Type.String(), { description: 'LANs behind the device that tunnels may lead to.' }),
    proposalTiers: nullable(ProposalTiers),
    effectiveTiers: EffectiveTiers,
    rateLimit: nullable(RateLimit),
    quota: nullable(Quota),
    usage: Type.Object(
      { day: Type.Integer(), month: Type.Integer(), total: Type.Integer() },
      {
        additionalProperties: false,
        description:
          'Octets through its tunnel in both directions: this day and this month (UTC), and ever. Some seconds behind.',
      },
    ),
    state: oneOf(['online', 'offline']),
    lastSeenAt: nullable(Timestamp),
    version: Version,
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  {
    $id: 'Device',
    additionalProperties: false,
    'x-example': {
      name: 'router-1',
      iccid: '89490000000000000015',
      tags: ['env=test', 'site:berlin'],
      address6: 'fd43:756c:7665:8000::3',
      ikeIdentity: 'ajaic76ztpqad76h2tn2.acme.fleet.culvert.internal',
      tunnelable: true,
      lanPrefixes: ['192.168.1.0/24'],
      usage: { day: 512_031, month: 20_480_190, total: 20_480_190 },
      lastSeenAt: '2026-11-21T20:10:50.179Z',
      version: 1,
    },
  },
)
export type Device = Static<typeof Device>

export const DevicePage = pageOf('Device')

/** Sorted by these; a minus: the other way round. */
export const deviceSorts = ['createdAt', '-createdAt', 'name', '-name', 'lastSeenAt', '-lastSeenAt'] as const

const digits = (description: string) => Type.Optional(Type.String({ pattern: '^[0-9]{1,22}$', description }))
const tagList = (description: string) =>
  Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9._:=/-]{0,62}(,[A-Za-z0-9][A-Za-z0-9._:=/-]{0,62}){0,9}$',
      maxLength: 650,
      description,
    }),
  )
const text = (description: string) => Type.Optional(line({ minLength: 1, maxLength: 100, description }))

/** What devices are chosen by; all that is given must hold. */
export const deviceFilterFields = {
  iccid: Type.Optional(Type.String({ pattern: '^[0-9]{18,22}$', description: 'This SIM.' })),
  iccidPrefix: digits('Its number begins so.'),
  imsi: digits('This subscriber identity.'),
  imsiPrefix: digits('It begins so.'),
  imei: digits('This equipment identity.'),
  imeiPrefix: digits('It begins so.'),
  name: text('A part of the name, in any case.'),
  namePrefix: text('The name begins so, in any case.'),
  tag: Type.Optional(Tag),
  tagsAll: tagList('Tags separated by commas, at most ten: it has all of them.'),
  tagsAny: tagList('Tags separated by commas, at most ten: it has one of them at least.'),
  networkId: Type.Optional(NetworkId),
  state: Type.Optional(oneOf(['online', 'offline'])),
  tunnelable: Type.Optional(Type.Boolean()),
  createdFrom: moment('Registered at this time or later'),
  createdBefore: moment('Registered before'),
  seenFrom: moment('Seen last at this time or later'),
  seenBefore: moment('Seen last before'),
}

export const DeviceQuery = Type.Object(
  {
    ...pageQuery,
    ...deviceFilterFields,
    sort: Type.Optional(
      oneOf(deviceSorts, {
        description:
          'Order; a minus: the other way round. `-createdAt` when left out. By `lastSeenAt` only devices are listed that were ever seen.',
      }),
    ),
  },
  { additionalProperties: false },
)
export type DeviceQuery = Static<typeof DeviceQuery>
