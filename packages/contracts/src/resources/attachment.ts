/** REST: a device's presence on a concentrator with its security associations, and the concentrators themselves. */
import { attachmentStates, proposalTiers } from '@culvert/lifecycle'
import { Type, type Static } from 'typebox'
import {
  CredentialId,
  DeviceId,
  moment,
  NetworkId,
  nullable,
  oneOf,
  pageOf,
  pageQuery,
  sortBy,
  tagPattern,
  Timestamp,
} from '../fields.ts'

export const ChildSa = Type.Object(
  {
    spiIn: Type.String({ description: 'Our inbound SPI in hexadecimal.' }),
    spiOut: Type.String({ description: "The device's inbound SPI in hexadecimal." }),
    encryption: Type.String(),
    integrity: nullable(Type.String()),
    esn: Type.Boolean(),
    selectorsLocal: Type.Array(Type.String()),
    selectorsRemote: Type.Array(Type.String()),
    installedAt: Timestamp,
    ageSec: Type.Integer(),
    packetsIn: Type.Integer(),
    bytesIn: Type.Integer(),
    packetsOut: Type.Integer(),
    bytesOut: Type.Integer(),
    countedAt: nullable(Timestamp),
  },
  {
    $id: 'ChildSa',
    additionalProperties: false,
    'x-example': {
      spiIn: '01000081',
      spiOut: '35160fe3',
      encryption: 'ENCR_AES_GCM_16-256',
      selectorsLocal: ['10.127.0.0/24', 'fd43:756c:7665:7f00::/64'],
      selectorsRemote: ['10.128.0.3/32', 'fd43:756c:7665:8000::3/128'],
      ageSec: 312,
      packetsIn: 6,
      bytesIn: 513,
      packetsOut: 6,
      bytesOut: 407,
      countedAt: '2026-11-21T20:10:50.179Z',
    },
  },
)

export const IkeSa = Type.Object(
  {
    spiI: Type.String(),
    spiR: Type.String(),
    originalInitiator: oneOf(['device', 'concentrator']),
    encryption: Type.String(),
    integrity: nullable(Type.String()),
    prf: Type.String(),
    keyExchange: Type.String(),
    additionalKeyExchanges: Type.Array(Type.String(), { description: 'RFC 9370, in order.' }),
    tier: nullable(oneOf(proposalTiers)),
    establishedAt: Timestamp,
    ageSec: Type.Integer(),
    childSas: Type.Array(Type.Ref('ChildSa')),
  },
  {
    $id: 'IkeSa',
    additionalProperties: false,
    'x-example': {
      spiI: 'f2d548dc84bbdbb4',
      spiR: '01000002cdee6dea',
      encryption: 'ENCR_AES_GCM_16-256',
      prf: 'PRF_HMAC_SHA2_384',
      keyExchange: 'KE_CURVE25519',
      additionalKeyExchanges: [],
      tier: 'modern',
      ageSec: 312,
    },
  },
)

const attachmentFields = {
  deviceId: DeviceId,
  state: oneOf(attachmentStates),
  concentratorId: Type.String(),
  epoch: Type.Integer({ description: 'Grows with every attachment of the device.' }),
  address: nullable(Type.String({ description: 'The inner address it was given; null: it asked for IPv6 alone.' })),
  address6: nullable(Type.String({ description: 'The inner IPv6 address it was given.' })),
  credentialId: nullable(Type.String({ description: 'The credential it was made with.' })),
  remoteAddress: Type.String({ description: 'Outer address of the device, or of the NAT before it.' }),
  remotePort: Type.Integer(),
  behindNat: Type.Boolean(),
  attachedAt: Timestamp,
  detachedAt: nullable(Timestamp),
  detachReason: nullable(Type.String()),
  lastSeenAt: Timestamp,
}

export const Attachment = Type.Object(
  {
    ...attachmentFields,
    ikeSas: Type.Array(Type.Ref('IkeSa')),
  },
  {
    $id: 'Attachment',
    additionalProperties: false,
    'x-example': {
      concentratorId: 'con-1',
      epoch: 1,
      address: '10.128.0.3',
      address6: 'fd43:756c:7665:8000::3',
      credentialId: 'crd_ajaic76ztpqad76h2tn2',
      remoteAddress: '198.51.100.2',
      remotePort: 4500,
      behindNat: true,
    },
  },
)
export type Attachment = Omit<Static<typeof Attachment>, 'ikeSas'> & {
  ikeSas: (Omit<Static<typeof IkeSa>, 'childSas'> & { childSas: Static<typeof ChildSa>[] })[]
}

export const Concentrator = Type.Object(
  {
    id: Type.String(),
    state: Type.String({ description: 'starting, ready, failing, draining, stopped or offline.' }),
    addresses: Type.Array(Type.String(), { description: 'Outer addresses that devices use.' }),
    ikeIdentity: Type.String(),
    dataPlane: Type.String(),
    alive: Type.Boolean({ description: 'It was heard of within the last half minute.' }),
    attachedDevices: Type.Integer({ description: 'As it said last.' }),
    startedAt: nullable(Timestamp),
    heartbeatAt: nullable(Timestamp),
  },
  {
    $id: 'Concentrator',
    additionalProperties: false,
    'x-example': {
      id: 'con-1',
      state: 'ready',
      addresses: ['192.0.2.1'],
      ikeIdentity: 'concentrator.fleet.culvert.internal',
      dataPlane: 'native',
      startedAt: '2026-11-21T18:00:00.000Z',
      heartbeatAt: '2026-11-21T20:10:50.179Z',
    },
  },
)
export type Concentrator = Static<typeof Concentrator>

export const ConcentratorList = Type.Object(
  { data: Type.Array(Type.Ref('Concentrator')) },
  { $id: 'ConcentratorList', additionalProperties: false },
)

export const AttachmentSummary = Type.Object(attachmentFields, {
  $id: 'AttachmentSummary',
  additionalProperties: false,
  'x-example': {
    concentratorId: 'con-1',
    epoch: 1,
    address: '10.128.0.3',
    address6: null,
    credentialId: 'crd_ajaic76ztpqad76h2tn2',
    remoteAddress: '198.51.100.2',
    remotePort: 4500,
    behindNat: true,
  },
})
export type AttachmentSummary = Static<typeof AttachmentSummary>

export const AttachmentPage = pageOf('AttachmentSummary', 'AttachmentPage')

export const AttachmentQuery = Type.Object(
  {
    ...pageQuery,
    state: Type.Optional(oneOf(attachmentStates)),
    concentratorId: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' })),
    credentialId: Type.Optional(CredentialId),
    remoteAddress: Type.Optional(
      Type.String({ format: 'address', maxLength: 45, description: 'Outer address of the device or of its NAT.' }),
    ),
    behindNat: Type.Optional(Type.Boolean()),
    detachReason: Type.Optional(Type.String({ pattern: '^[A-Za-z_]{1,40}$', description: 'Why it ended.' })),
    networkId: Type.Optional(NetworkId),
    tag: Type.Optional(Type.String({ pattern: tagPattern, description: 'The device has this tag.' })),
    seenFrom: moment('Seen last at this time or later'),
    seenBefore: moment('Seen last before'),
    sort: sortBy(['deviceId', '-deviceId', 'lastSeenAt', '-lastSeenAt']),
  },
  { additionalProperties: false },
)

export const SaList = Type.Object(
  { data: Type.Array(Type.Ref('IkeSa')) },
  { $id: 'SaList', additionalProperties: false },
)

export const Gateway = Type.Object(
  {
    id: Type.String(),
    state: Type.String({ description: 'starting, ready, draining, stopped or offline.' }),
    publicHost: Type.String({ description: 'Name or address that customers are told.' }),
    portFrom: Type.Integer(),
    portTo: Type.Integer(),
    alive: Type.Boolean({ description: 'It was heard of within the last half minute.' }),
    listeningPorts: Type.Integer({ description: 'Ports of tunnels that it shall listen on.' }),
    openConnections: Type.Integer(),
    startedAt: nullable(Timestamp),
    heartbeatAt: nullable(Timestamp),
  },
  {
    $id: 'Gateway',
    additionalProperties: false,
    'x-example': { id: 'gw-1', state: 'ready', publicHost: 'gw-1.culvert.example', portFrom: 20_000, portTo: 29_999 },
  },
)
export type Gateway = Static<typeof Gateway>

export const GatewayList = Type.Object(
  { data: Type.Array(Type.Ref('Gateway')) },
  { $id: 'GatewayList', additionalProperties: false },
)
