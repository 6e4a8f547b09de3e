/**
 * Whether a grant allows a tunnel, decided in the transaction that opens or extends it. The grant is locked until that transaction
 * ends, so that one that is revoked at the same time either is seen here or sees the tunnel.
 */
import { refusal } from './refusal.ts'
import type { TenantSql } from './tenant-sql.ts'

/** A caller that may open only what is granted to it. */
export interface GrantHolder {
  readonly kind: 'api_key' | 'user'
  /** `key_...` or `usr_...` */
  readonly id: string
}

export interface WantedTunnel {
  readonly organizationId: string
  readonly deviceId: string
  readonly devicePort: number
  /** IPv4 address of a host on a LAN behind the device; null: the device itself. */
  readonly deviceHost: string | null
}

export type GrantMatch = { readonly grantId: string; readonly until: Date } | { readonly missing: GrantRule }

/** What no grant has: any at all, or, of the one that comes nearest, its first part that does not fit. */
export type GrantRule = 'grant' | 'time' | 'device tags' | 'port' | 'host'

/** Of one holder; the newest count. */
export const maxGrantsOfHolder = 200

/** The holder is the key itself, or the membership of the person. */
const ofHolder = `CASE WHEN $2 = 'api_key' THEN g.api_key_id = substr($3, 5)
  ELSE g.member_id = (SELECT m.id FROM memberships m WHERE m.organization_id = $1 AND m.user_id = $3) END`

interface JudgedGrant {
  readonly id: string
  readonly until: Date
  readonly live: boolean
  readonly tags: boolean
  readonly port: boolean
  readonly host: boolean
}

export async function matchGrant(tx: TenantSql, wanted: WantedTunnel, holder: GrantHolder): Promise<GrantMatch> {
  const { rows } = await tx.query<JudgedGrant>(
    `SELECT g.id, g.expires_at AS until, g.revoked_at IS NULL AND g.expires_at > now() AS live,
       (cardinality(g.any_tags) = 0 OR d.tags && g.any_tags) AND d.tags @> g.all_tags AS tags,
       g.ports IS NULL OR $5::int = ANY (g.ports) AS port,
       $6::inet IS NULL OR coalesce($6::inet <<= ANY (g.hosts::inet[]), false) AS host
     FROM grants g JOIN devices d ON d.organization_id = g.organization_id AND d.id = $4
     WHERE g.organization_id = $1 AND ${ofHolder} ORDER BY g.created_at DESC, g.id LIMIT ${maxGrantsOfHolder} FOR SHARE OF g`,
    [wanted.organizationId, holder.kind, holder.id, wanted.deviceId, wanted.devicePort, wanted.deviceHost],
  )
  const fitting = rows.filter((grant) => firstMissing(grant) === null)
  const longest = fitting.toSorted((a, b) => b.until.getTime() - a.until.getTime())[0]
  if (longest) return { grantId: longest.id, until: longest.until }
  const nearest = rows.toSorted((a, b) => fits(b) - fits(a))[0]
  return refusal({ missing: (nearest && firstMissing(nearest)) ?? ('grant' as const) })
}

function fits({ live, tags, port, host }: JudgedGrant): number {
  return [live, tags, port, host].filter(Boolean).length
}

function firstMissing({ live, tags, port, host }: JudgedGrant): GrantRule | null {
  if (!tags) return 'device tags'
  if (!port) return 'port'
  if (!host) return 'host'
  return live ? null : 'time'
}

/** @returns the tags that open something to this holder: it does not put them on a device itself */
export async function tagsGrantedTo(sql: TenantSql, organizationId: string, holder: GrantHolder): Promise<string[]> {
  const { rows } = await sql.query<{ tag: string }>(
    `SELECT DISTINCT t.tag FROM grants g, unnest(g.any_tags || g.all_tags) AS t(tag)
     WHERE g.organization_id = $1 AND ${ofHolder} AND g.revoked_at IS NULL AND g.expires_at > now()`,
    [organizationId, holder.kind, holder.id],
  )
  return rows.map(({ tag }) => tag)
}
