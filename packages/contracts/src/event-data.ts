/** What events carry (events.ts): ids, states and causes, nothing that is secret. */
import {
  attemptReasons,
  attemptStages,
  credentialKinds,
  offlineCauses,
  quotaPeriods,
  tunnelReasons,
  type TunnelReason,
  type TunnelState,
} from '@culvert/lifecycle'
import { Type } from 'typebox'
import { CredentialId, DeviceId, idPattern, nullable, oneOf, Timestamp, TunnelId } from './fields.ts'

export const strict = { additionalProperties: false }

const ConcentratorName = Type.String({ examples: ['con-1'] })
const OuterAddress = Type.String({
  description: 'Outer address of the device, or of the NAT before it.',
  examples: ['198.51.100.2'],
})

export const Nothing = Type.Object({}, strict)
export const OfDevice = Type.Object({ deviceId: DeviceId }, strict)

export const Changed = (example: string) =>
  Type.Object(
    { changed: Type.Array(Type.String({ examples: [example] }), { description: 'Names of fields.' }) },
    strict,
  )

/** Where a device is, or was. */
const presence = {
  concentratorId: ConcentratorName,
  address: nullable(Type.String({ description: 'Inner address.', examples: ['10.128.0.3'] })),
  address6: nullable(Type.String({ description: 'Inner IPv6 address.' })),
  remoteAddress: OuterAddress,
  remotePort: Type.Integer({ examples: [4500] }),
  attachedAt: Timestamp,
}
const presenceExample = { address: '10.128.0.3' }

export const DeviceOnline = Type.Object(presence, { ...strict, 'x-example': presenceExample })
export const DeviceMoved = Type.Object(
  { ...presence, formerConcentratorId: ConcentratorName, formerRemoteAddress: OuterAddress },
  { ...strict, 'x-example': { ...presenceExample, formerRemoteAddress: '203.0.113.9' } },
)
export const DeviceOffline = Type.Object(
  {
    ...presence,
    cause: oneOf(offlineCauses, { description: 'Why it is away.' }),
    detachedAt: Timestamp,
  },
  { ...strict, 'x-example': { ...presenceExample, cause: 'delete' } },
)

/** Several of a kind that came within a while. */
const tally = {
  count: Type.Integer({ minimum: 1, description: 'How many since the event of this kind before.', examples: [1] }),
  firstAt: Timestamp,
  lastAt: Timestamp,
}

export const AttemptTally = Type.Object(
  {
    ...tally,
    reason: oneOf(attemptReasons),
    stage: oneOf(attemptStages, { description: 'How far the last one came.' }),
    isProven: Type.Boolean({
      description: 'It proved to be this device; false: somebody used its name, which anybody can.',
    }),
    concentratorId: ConcentratorName,
    remoteAddress: Type.String({ description: 'Where the last one came from.', examples: ['198.51.100.2'] }),
  },
  { ...strict, 'x-example': { reason: 'authentication_failed', stage: 'auth', isProven: false } },
)

export const RekeyTally = Type.Object(
  { ...tally, kind: oneOf(['ike', 'child'], { description: 'IKE SA or Child SA.' }), concentratorId: ConcentratorName },
  { ...strict, 'x-example': { kind: 'child' } },
)

export const CredentialMade = Type.Object({ deviceId: DeviceId, kind: oneOf(credentialKinds) }, strict)
export const CredentialTime = Type.Object(
  { deviceId: DeviceId, kind: oneOf(credentialKinds), expiresAt: Timestamp },
  strict,
)
export const CredentialRotated = Type.Object({ deviceId: DeviceId, formerCredentialId: CredentialId }, strict)

export const TunnelStep = <const S extends TunnelState>(state: S) =>
  Type.Object({ deviceId: DeviceId, state: Type.Literal(state) }, strict)

export const TunnelEnd = <const S extends TunnelState>(state: S, reason: TunnelReason) =>
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
export const TunnelOpen = Type.Object(
  { deviceId: DeviceId, state: Type.Literal('open'), ports: Type.Array(TunnelPort) },
  strict,
)

const connection = {
  tunnelId: TunnelId,
  deviceId: DeviceId,
  devicePort: Type.Integer({ examples: [22] }),
  deviceHost: nullable(Type.String()),
  clientAddress: Type.String({ examples: ['203.0.113.7'] }),
  clientPort: Type.Integer({ examples: [50_222] }),
  openedAt: Timestamp,
}
export const ConnectionNews = Type.Object(connection, strict)
export const ConnectionClosed = Type.Object(
  {
    ...connection,
    reason: nullable(Type.String({ description: 'As in the access log.' })),
    closedAt: Timestamp,
    bytesUp: Type.Integer({ examples: [513] }),
    bytesDown: Type.Integer({ examples: [4070] }),
  },
  { ...strict, 'x-example': { reason: 'client_closed' } },
)

export const ConcentratorNews = Type.Object(
  {
    concentratorId: ConcentratorName,
    devices: Type.Integer({ description: 'Devices of the organization that were there.', examples: [12] }),
  },
  strict,
)
export const GatewayNews = Type.Object(
  {
    gatewayId: Type.String({ examples: ['gw-1'] }),
    tunnels: Type.Integer({ description: 'Tunnels of the organization that it has.', examples: [3] }),
  },
  strict,
)

export const OperationNews = Type.Object({ kind: Type.String({ examples: ['devices.import'] }) }, strict)

export const UsagePassed = Type.Object(
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
)

export const WebhookFailing = Type.Object({ failingSince: Timestamp }, strict)
export const WebhookDisabled = Type.Object({ reason: oneOf(['requested', 'gone', 'failing']) }, strict)

export const RuleRan = Type.Object(
  {
    runId: Type.String({ pattern: idPattern('run') }),
    eventId: Type.String({ pattern: idPattern('evt') }),
    deviceId: nullable(DeviceId),
    state: oneOf(['succeeded', 'failed']),
    tunnelIds: Type.Array(TunnelId, { description: 'Tunnels that it opened.' }),
  },
  strict,
)

export const RuleDisabled = Type.Object(
  {
    reason: oneOf(['failures', 'maker_gone', 'permission_missing']),
    runId: Type.String({ pattern: idPattern('run') }),
  },
  strict,
)

export const QuotaExhausted = Type.Object(
  { period: oneOf(quotaPeriods), limitBytes: Type.Integer({ examples: [50_000_000_000] }) },
  strict,
)
