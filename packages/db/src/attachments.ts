/** A device's attachment with its security associations, as its concentrator wrote it down. */
import type { Pool } from 'pg'
import { tenant } from './tenant.ts'

export interface ChildSaRecord {
  /** Our inbound SPI, unsigned. */
  readonly spiIn: bigint
  readonly spiOut: bigint
  readonly encryption: string
  readonly integrity: string | null
  readonly esn: boolean
  readonly selectorsLocal: string[]
  readonly selectorsRemote: string[]
  readonly installedAt: Date
  readonly packetsIn: bigint
  readonly bytesIn: bigint
  readonly packetsOut: bigint
  readonly bytesOut: bigint
  readonly countedAt: Date | null
}

export interface IkeSaRecord {
  readonly spiI: string
  readonly spiR: string
  /** We are the original initiator. */
  readonly initiator: boolean
  readonly encryption: string
  readonly integrity: string | null
  readonly prf: string
  readonly keyExchange: string
  readonly additionalKeyExchanges: string[]
  readonly tier: string | null
  readonly establishedAt: Date
  /** Newest first. */
  readonly childSas: readonly ChildSaRecord[]
}

export interface AttachmentSummaryRecord {
  readonly deviceId: string
  readonly concentratorId: string
  readonly epoch: number
  readonly state: string
  readonly address4: string | null
  readonly address6: string | null
  readonly credentialId: string | null
  readonly remoteAddress: string
  readonly remotePort: number
  readonly behindNat: boolean
  readonly attachedAt: Date
  readonly detachedAt: Date | null
  readonly detachReason: string | null
  readonly lastSeenAt: Date
}

export interface AttachmentRecord extends AttachmentSummaryRecord {
  /** Newest first. */
  readonly ikeSas: readonly IkeSaRecord[]
}

/** Of `attachments a`, as an {@link AttachmentSummaryRecord}. */
export const attachmentColumns = `a.device_id AS "deviceId", a.concentrator_id AS "concentratorId", a.epoch, a.state, host(a.address4) AS address4,
  host(a.address6) AS address6, a.credential_id AS "credentialId", a.remote_address AS "remoteAddress", a.remote_port AS "remotePort",
  a.behind_nat AS "behindNat", a.attached_at AS "attachedAt", a.detached_at AS "detachedAt", a.detach_reason AS "detachReason",
  a.last_seen_at AS "lastSeenAt"`
const ikeSaColumns = `i.id, i.spi_i AS "spiI", i.spi_r AS "spiR", i.initiator, i.encryption, i.integrity, i.prf, i.key_exchange AS "keyExchange",
  i.additional_key_exchanges AS "additionalKeyExchanges", i.tier, i.established_at AS "establishedAt"`
const childSaColumns = `c.ike_sa_id AS "ikeSaId", c.spi_in AS "spiIn", c.spi_out AS "spiOut", c.encryption, c.integrity, c.esn,
  c.selectors_local AS "selectorsLocal", c.selectors_remote AS "selectorsRemote", c.installed_at AS "installedAt",
  c.packets_in AS "packetsIn", c.bytes_in AS "bytesIn", c.packets_out AS "packetsOut", c.bytes_out AS "bytesOut", c.counted_at AS "countedAt"`

type ChildSaRow = Omit<ChildSaRecord, BigColumn> & Readonly<Record<BigColumn | 'ikeSaId', string>>
type BigColumn = 'spiIn' | 'spiOut' | 'packetsIn' | 'bytesIn' | 'packetsOut' | 'bytesOut'

/** @returns the present attachment or the last one; null for a device that never attached, is deleted or of another organization */
export async function readAttachment(
  pool: Pool,
  organizationId: string,
  deviceId: string,
): Promise<AttachmentRecord | null> {
  const sql = tenant(pool, organizationId)
  const key = [organizationId, deviceId]
  const [attachments, ikeSas, childSas] = await Promise.all([
    sql.query<Omit<AttachmentRecord, 'ikeSas'>>(
      `SELECT ${attachmentColumns} FROM attachments a JOIN devices d ON d.organization_id = a.organization_id AND d.id = a.device_id
       WHERE a.organization_id = $1 AND a.device_id = $2 AND d.deleted_at IS NULL`,
      key,
    ),
    sql.query<Omit<IkeSaRecord, 'childSas'> & { id: string }>(
      `SELECT ${ikeSaColumns} FROM ike_sas i WHERE i.organization_id = $1 AND i.device_id = $2 ORDER BY i.established_at DESC`,
      key,
    ),
    sql.query<ChildSaRow>(
      `SELECT ${childSaColumns} FROM child_sas c WHERE c.organization_id = $1 AND c.device_id = $2 ORDER BY c.installed_at DESC`,
      key,
    ),
  ])
  const [attachment] = attachments.rows
  if (!attachment) return null
  const childrenOf = (id: string): ChildSaRecord[] =>
    childSas.rows.filter(({ ikeSaId }) => ikeSaId === id).map(childSaOf)
  return { ...attachment, ikeSas: ikeSas.rows.map(({ id, ...ikeSa }) => ({ ...ikeSa, childSas: childrenOf(id) })) }
}

function childSaOf({ ikeSaId: _ikeSaId, ...row }: ChildSaRow): ChildSaRecord {
  return {
    ...row,
    spiIn: BigInt(row.spiIn),
    spiOut: BigInt(row.spiOut),
    packetsIn: BigInt(row.packetsIn),
    bytesIn: BigInt(row.bytesIn),
    packetsOut: BigInt(row.packetsOut),
    bytesOut: BigInt(row.bytesOut),
  }
}
