/** Rows to resources: what callers see. Sealed secrets and other organizations' data cannot get here, because rows hold none. */
import type { Attachment, Concentrator, Connection, Credential, Device, Tunnel } from '@culvert/contracts'
import {
  credentialState,
  type AttachmentRecord,
  type ConcentratorRecord,
  type ConnectionRecord,
  type CredentialRecord,
  type DeviceRecord,
  type TunnelRecord,
} from '@culvert/db'
import { isFinalTunnel } from '@culvert/lifecycle'

const time = (date: Date | null): string | null => date?.toISOString() ?? null

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
    ikeIdentity,
    tunnelable,
    version,
    state: row.attached ? 'online' : 'offline',
    lastSeenAt: time(row.lastSeenAt),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

export function credentialView(row: CredentialRecord, now: Date): Credential {
  const { id, deviceId, kind } = row
  return {
    id,
    deviceId,
    kind,
    state: credentialState(row, now),
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
    protocol: 'tcp',
    allowFrom,
    waitForDevice,
    ttlSec,
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

export function connectionView(row: ConnectionRecord): Connection {
  const { id, tunnelId, clientAddress, clientPort, state, reason, bytesUp, bytesDown } = row
  return {
    id,
    tunnelId,
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
  const { id, state, addresses, ikeIdentity, dataPlane } = row
  return {
    id,
    state,
    addresses,
    ikeIdentity,
    dataPlane,
    startedAt: time(row.startedAt),
    heartbeatAt: time(row.heartbeatAt),
  }
}

export function attachmentView(row: AttachmentRecord, now: Date): Attachment {
  const ageSec = (since: Date): number => Math.max(0, Math.floor((now.getTime() - since.getTime()) / 1_000))
  const hex = (spi: bigint): string => spi.toString(16).padStart(8, '0')
  return {
    deviceId: row.deviceId,
    state: row.state === 'attached' ? 'attached' : 'detached',
    concentratorId: row.concentratorId,
    epoch: row.epoch,
    address: row.address4,
    remoteAddress: row.remoteAddress,
    remotePort: row.remotePort,
    behindNat: row.behindNat,
    attachedAt: row.attachedAt.toISOString(),
    detachedAt: time(row.detachedAt),
    detachReason: row.detachReason,
    lastSeenAt: row.lastSeenAt.toISOString(),
    ikeSas: row.ikeSas.map((ike) => ({
      spiI: ike.spiI,
      spiR: ike.spiR,
      originalInitiator: ike.initiator ? 'concentrator' : 'device',
      encryption: ike.encryption,
      integrity: ike.integrity,
      prf: ike.prf,
      keyExchange: ike.keyExchange,
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
