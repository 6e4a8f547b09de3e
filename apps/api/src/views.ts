/** Rows to resources: what callers see. Sealed secrets and other organizations' data cannot get here, because rows hold none. */
import type {
  AttachAttempt,
  Attachment,
  AttachmentSummary,
  Concentrator,
  Connection,
  Credential,
  CredentialSummary,
  Device,
  Gateway,
  Network,
  Organization,
  Tunnel,
} from '@culvert/contracts'
import {
  credentialState,
  type AttachmentRecord,
  type AttachmentSummaryRecord,
  type GatewayRecord,
  type AttemptRecord,
  type ConcentratorRecord,
  type ConnectionRecord,
  type CredentialRecord,
  type CredentialSummaryRecord,
  type DeviceRecord,
  type NetworkRecord,
  type OrganizationRecord,
  type TunnelRecord,
} from '@culvert/db'
import { attemptHint, effectiveTiers, isFinalTunnel, type EffectiveTiers, type TierSettings } from '@culvert/lifecycle'

const time = (date: Date | null): string | null => date?.toISOString() ?? null

const compatWarning =
  '`compat` allows SHA-1, 3DES and small Diffie-Hellman groups, which can be broken: change the proposals of the equipment if you can.'

function tiersView(settings: TierSettings): Device['effectiveTiers'] {
  const { tiers, source } = effectiveTiers(settings)
  return { tiers: [...tiers], source, warning: tiers.includes('compat') ? compatWarning : null }
}

export function effectiveTiersOf(row: DeviceRecord): EffectiveTiers {
  return effectiveTiers(tierSettingsOf(row))
}

const tierSettingsOf = (row: DeviceRecord): TierSettings => ({
  device: row.proposalTiers,
  network: row.networkProposalTiers,
  organization: row.organizationProposalTiers,
})

export function networkView(row: NetworkRecord): Network {
  const {
    id,
    name,
    proposalTiers,
    dnsServers,
    dnsDomains,
    reauthenticateAfterSec,
    deviceToDevice,
    rateLimit,
    version,
  } = row
  return {
    id,
    name,
    pool: row.pool4,
    pools: row.pools4,
    pool6: row.pool6,
    proposalTiers,
    effectiveTiers: tiersView({
      device: null,
      network: proposalTiers,
      organization: row.organizationProposalTiers,
    }),
    dnsServers,
    dnsDomains,
    reauthenticateAfterSec,
    deviceToDevice,
    rateLimit,
    connectionEvents: row.connectionEvents,
    version,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

export function organizationView(row: OrganizationRecord): Organization {
  const { id, name, slug, proposalTiers, version } = row
  return {
    id,
    name,
    slug,
    proposalTiers,
    effectiveTiers: tiersView({ device: null, network: null, organization: proposalTiers }),
    connectionEvents: row.connectionEvents,
    version,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

const protocolNames: ReadonlyMap<number, 'IKE' | 'AH' | 'ESP'> = new Map([
  [1, 'IKE'],
  [2, 'AH'],
  [3, 'ESP'],
])

export function attemptView(row: AttemptRecord, allowed: EffectiveTiers): AttachAttempt {
  const { id, concentratorId, sourceAddress, sourcePort, stage, reason, detail, offered, nearest, matchingTier } = row
  return {
    id,
    at: row.at.toISOString(),
    concentratorId,
    sourceAddress,
    sourcePort,
    identified: row.isProven ? 'proven' : row.isIdentified ? 'claimed' : 'by_address',
    stage,
    reason,
    detail,
    offered:
      offered?.map(({ number, protocolId, transforms }) => ({
        number,
        protocol: protocolNames.get(protocolId) ?? 'other',
        transforms: transforms.map((transform) => ({ ...transform })),
      })) ?? null,
    nearest: nearest as AttachAttempt['nearest'],
    matchingTier,
    hint: attemptHint(reason, matchingTier, allowed.tiers),
  }
}

export function deviceView(row: DeviceRecord): Device {
  const { id, name, iccid, imsi, imei, eid, tags, networkId, ikeIdentity, tunnelable, version } = row
  return {
    id,
    name,
    iccid,
    imsi,
    imei,
    eid,
    tags,
    networkId,
    address: row.address4,
    address6: row.address6,
    ikeIdentity,
    tunnelable,
    lanPrefixes: row.lanPrefixes,
    proposalTiers: row.proposalTiers,
    effectiveTiers: tiersView(tierSettingsOf(row)),
    rateLimit: row.rateLimit,
    quota: row.quota,
    usage: row.usage,
    version,
    state: row.attached ? 'online' : 'offline',
    lastSeenAt: time(row.lastSeenAt),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

export function credentialView(row: CredentialRecord, now: Date): Credential {
  const { certificate, ...summary } = credentialSummaryView(row, now)
  return { ...summary, certificate: certificate && { chain: row.certificates, ...certificate } }
}

export function credentialSummaryView(row: CredentialSummaryRecord, now: Date): CredentialSummary {
  const { id, deviceId, kind, inUse, method, identity, isRequired, serial, refusal } = row
  const { fingerprint, authorityId } = row
  return {
    id,
    deviceId,
    kind,
    state: credentialState(row, now),
    inUse,
    method,
    identity,
    required: isRequired,
    certificate: kind === 'certificate' ? { authorityId, serial, fingerprint, refusal } : null,
    createdAt: row.createdAt.toISOString(),
    expiresAt: time(row.expiresAt),
    revokedAt: time(row.revokedAt),
  }
}

/** Host and port are told while somebody listens there. */
export function tunnelView(row: TunnelRecord): Tunnel {
  const { id, deviceId, state, reason, devicePort, allowFrom, waitForDevice, ttlSec, version } = row
  const reachable = row.gatewayPort !== null && state === 'open'
  return {
    id,
    deviceId,
    state,
    reason,
    devicePort,
    deviceHost: row.deviceHost,
    protocol: 'tcp',
    allowFrom,
    waitForDevice,
    ttlSec,
    maxBytes: row.maxBytes,
    rateLimit: row.rateLimit,
    openedBy: openedBy(row),
    grantId: row.grantId,
    version,
    host: reachable ? row.gatewayHost : null,
    port: reachable ? row.gatewayPort : null,
    expiresAt: row.expiresAt.toISOString(),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    openedAt: time(row.openedAt),
    closedAt: isFinalTunnel(state) ? time(row.closedAt) : null,
  }
}

function openedBy({ openedByKind: kind, openedById: id }: TunnelRecord): Tunnel['openedBy'] {
  return kind === null || id === null ? null : { kind: kind as 'user', id }
}

export function connectionView(row: ConnectionRecord): Connection {
  const { id, tunnelId, clientAddress, clientPort, state, reason, bytesUp, bytesDown } = row
  return {
    id,
    tunnelId,
    deviceHost: row.deviceHost,
    devicePort: row.devicePort,
    clientAddress,
    clientPort,
    state,
    reason,
    bytesUp,
    bytesDown,
    openedAt: row.openedAt.toISOString(),
    closedAt: time(row.closedAt),
  }
}

export function concentratorView(row: ConcentratorRecord): Concentrator {
  const { id, state, addresses, ikeIdentity, dataPlane, alive } = row
  return {
    id,
    state,
    addresses,
    ikeIdentity,
    dataPlane,
    alive,
    attachedDevices: row.attachedCount,
    startedAt: time(row.startedAt),
    heartbeatAt: time(row.heartbeatAt),
  }
}

export function attachmentSummaryView(row: AttachmentSummaryRecord): AttachmentSummary {
  return {
    deviceId: row.deviceId,
    state: row.state === 'attached' ? 'attached' : 'detached',
    concentratorId: row.concentratorId,
    epoch: row.epoch,
    address: row.address4,
    address6: row.address6,
    credentialId: row.credentialId,
    remoteAddress: row.remoteAddress,
    remotePort: row.remotePort,
    behindNat: row.behindNat,
    attachedAt: row.attachedAt.toISOString(),
    detachedAt: time(row.detachedAt),
    detachReason: row.detachReason,
    lastSeenAt: row.lastSeenAt.toISOString(),
  }
}

export function gatewayView(row: GatewayRecord): Gateway {
  return { ...row, startedAt: time(row.startedAt), heartbeatAt: time(row.heartbeatAt) }
}

export function attachmentView(row: AttachmentRecord, now: Date): Attachment {
  const ageSec = (since: Date): number => Math.max(0, Math.floor((now.getTime() - since.getTime()) / 1_000))
  const hex = (spi: bigint): string => spi.toString(16).padStart(8, '0')
  return {
    ...attachmentSummaryView(row),
    ikeSas: row.ikeSas.map((ike) => ({
      spiI: ike.spiI,
      spiR: ike.spiR,
      originalInitiator: ike.initiator ? 'concentrator' : 'device',
      encryption: ike.encryption,
      integrity: ike.integrity,
      prf: ike.prf,
      keyExchange: ike.keyExchange,
      additionalKeyExchanges: ike.additionalKeyExchanges,
      tier: ike.tier as 'modern' | 'standard' | 'compat' | null,
      establishedAt: ike.establishedAt.toISOString(),
      ageSec: ageSec(ike.establishedAt),
      childSas: ike.childSas.map((child) => ({
        spiIn: hex(child.spiIn),
        spiOut: hex(child.spiOut),
        encryption: child.encryption,
        integrity: child.integrity,
        esn: child.esn,
        selectorsLocal: child.selectorsLocal,
        selectorsRemote: child.selectorsRemote,
        installedAt: child.installedAt.toISOString(),
        ageSec: ageSec(child.installedAt),
        packetsIn: Number(child.packetsIn),
        bytesIn: Number(child.bytesIn),
        packetsOut: Number(child.packetsOut),
        bytesOut: Number(child.bytesOut),
        countedAt: time(child.countedAt),
      })),
    })),
  }
}
