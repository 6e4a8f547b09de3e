/**
 * Members of an organization: people with a role, and invitations that whoever proves to have the address accepts at the
 * next login. An organization that has an owner keeps one.
 */
import type { Pool } from 'pg'
import { appendAudit, changedFields } from './audit.ts'
import type { WriteOptions } from './author.ts'
import { brokenConstraint } from './errors.ts'
import { endGrantsOf } from './grants.ts'
import { newId } from './ids.ts'
import { noteChange } from './noted-change.ts'
import { Fitting, listInOrder, type ListedPage, type ListRequest, type Walk } from './ordered-list.ts'
import { Conditions } from './page.ts'
import { deleteSshKeysOf } from './ssh-keys.ts'
import { inTenantTransaction, tenant } from './tenant.ts'
import type { TenantSql } from './tenant-sql.ts'
import { endTunnelsOfOpener } from './tunnel-end.ts'

export interface MemberRecord {
  readonly id: string
  /** Null: nobody has accepted yet. */
  readonly userId: string | null
  readonly email: string
  /** As the identity provider says. */
  readonly name: string | null
  readonly role: string
  /** Null once accepted. */
  readonly invitationExpiresAt: Date | null
  /** Kept out since then. */
  readonly lockedAt: Date | null
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

export interface Invitation {
  /** In lower case. */
  readonly email: string
  readonly role: string
  readonly expiresAt: Date
}

/** Of an organization, invitations counted. */
export const maxMembers = 1_000
const columns = `m.id, m.user_id AS "userId", m.email, u.name, m.role, m.invitation_expires_at AS "invitationExpiresAt",
  m.locked_at AS "lockedAt", m.version,
  m.created_at AS "createdAt", m.updated_at AS "updatedAt"`
const source = 'memberships m LEFT JOIN users u ON u.id = m.user_id'
/** Their events carry nothing. */
const target = { targetType: 'member', data: {} }

export async function inviteMember(
  pool: Pool,
  organizationId: string,
  { email, role, expiresAt }: Invitation,
  options: WriteOptions,
): Promise<MemberRecord | 'member_exists' | 'member_limit'> {
  const id = newId('mem')
  try {
    return await inTenantTransaction(
      pool,
      organizationId,
      async (tx) => {
        await lockMembers(tx, organizationId)
        const { rowCount } = await tx.query('SELECT 1 FROM memberships WHERE organization_id = $1 LIMIT $2', [
          organizationId,
          maxMembers,
        ])
        if ((rowCount ?? 0) >= maxMembers) return 'member_limit'
        await tx.query(
          'INSERT INTO memberships (id, organization_id, email, role, invitation_expires_at) VALUES ($1, $2, $3, $4, $5)',
          [id, organizationId, email, role, expiresAt],
        )
        const { by } = options
        await noteChange(tx, {
          ...target,
          organizationId,
          by,
          type: 'member.invited',
          resourceId: id,
          after: { email, role },
        })
        return (await findMember(tx, organizationId, id)) as MemberRecord
      },
      options,
    )
  } catch (error) {
    if (brokenConstraint(error) === 'memberships_organization_id_email_key') return 'member_exists'
    throw error
  }
}

export type MemberOrder = 'createdAt' | 'email'

export interface MemberFilter {
  readonly role?: string | undefined
  /** A part of them, in any case. */
  readonly email?: string | undefined
  readonly name?: string | undefined
  readonly state?: 'invited' | 'invitation_expired' | 'active' | 'locked' | undefined
}

const inState = {
  invited: 'm.user_id IS NULL AND m.locked_at IS NULL AND m.invitation_expires_at > now()',
  invitation_expired: 'm.user_id IS NULL AND m.locked_at IS NULL AND m.invitation_expires_at <= now()',
  active: 'm.user_id IS NOT NULL AND m.locked_at IS NULL',
  locked: 'm.locked_at IS NOT NULL',
} as const

export function listMembers(
  pool: Pool,
  organizationId: string,
  { role, email, name, state }: MemberFilter,
  page: ListRequest<MemberOrder>,
): Promise<ListedPage<MemberRecord>> {
  const where = new Conditions().add('w.organization_id = ?', organizationId)
  const walk: Walk =
    page.sort.by === 'email'
      ? { from: 'memberships w', key: 'w.email', id: 'w.id', cast: 'text', where }
      : { from: 'memberships w', key: 'w.created_at', id: 'w.id', cast: 'timestamptz', where }
  const fits = (and: Conditions): Conditions => {
    if (state !== undefined) and.add(inState[state])
    return new Fitting(and).is('m.role', role).has('m.email', email).has('u.name', name).conditions
  }
  const shown = { columns, source, organizationId: 'm.organization_id', id: 'm.id', fits }
  return listInOrder(pool, organizationId, { walk, shown }, page)
}

/** @returns null for a member that is unknown or of another organization */
export function readMember(pool: Pool, organizationId: string, id: string): Promise<MemberRecord | null> {
  return findMember(tenant(pool, organizationId), organizationId, id)
}

interface MemberKey {
  readonly organizationId: string
  readonly id: string
  readonly ifVersion: number | null
  /** Whether the caller may touch a member with this role. */
  readonly mayTouch: (role: string) => boolean
}

export type MemberFault = 'not_found' | 'changed' | 'last_owner' | 'above_caller'

export interface MemberChange {
  readonly role?: string | undefined
  /** Kept out: tokens of this person for this organization are refused from now on, and its tunnels end. */
  readonly locked?: boolean | undefined
}

/** @returns the gateways to hint, too */
export async function changeMember(
  pool: Pool,
  key: MemberKey,
  { role, locked }: MemberChange,
  options: WriteOptions,
): Promise<{ member: MemberRecord; gateways: string[] } | MemberFault> {
  const { organizationId, id } = key
  const work = async (tx: TenantSql): ReturnType<typeof changeMember> => {
    const before = await lockMember(tx, key)
    if (typeof before === 'string') return before
    const stays = (role ?? before.role) === 'owner' && locked !== true
    if (!stays && (await isLastOwner(tx, organizationId, before))) return 'last_owner'
    await tx.query(
      `UPDATE memberships SET role = coalesce($3, role), version = version + 1, updated_at = now(),
         locked_at = CASE WHEN $4::bool IS NULL THEN locked_at WHEN $4 THEN coalesce(locked_at, now()) END
       WHERE organization_id = $1 AND id = $2`,
      [organizationId, id, role ?? null, locked ?? null],
    )
    const after = (await findMember(tx, organizationId, id)) as MemberRecord
    const { userId } = before
    const gateways =
      locked === true && userId !== null
        ? await endTunnelsOfOpener(tx, organizationId, { kind: 'user', id: userId })
        : []
    const changed = changedFields(
      { ...before, locked: before.lockedAt !== null },
      { ...after, locked: after.lockedAt !== null },
      ['role', 'locked'],
    )
    const { by } = options
    await noteChange(tx, { ...target, organizationId, by, type: 'member.updated', resourceId: id, ...changed })
    return { member: after, gateways }
  }
  return inTenantTransaction(pool, organizationId, work, options)
}

/** Sessions of this person that have begun are not good for this organization any more, on whatever device they are. */
export async function signOutMember(
  pool: Pool,
  key: Omit<MemberKey, 'ifVersion'>,
  options: WriteOptions,
): Promise<'signed_out' | MemberFault> {
  const { organizationId, id } = key
  const work = async (tx: TenantSql): ReturnType<typeof signOutMember> => {
    const member = await lockMember(tx, { ...key, ifVersion: null })
    if (typeof member === 'string') return member
    await tx.query('UPDATE memberships SET signed_out_at = clock_timestamp() WHERE organization_id = $1 AND id = $2', [
      organizationId,
      id,
    ])
    const audited = { organizationId, by: options.by, action: 'member.signed_out', targetType: 'member', targetId: id }
    await appendAudit(tx, audited)
    return 'signed_out'
  }
  return inTenantTransaction(pool, organizationId, work, options)
}

/** Tokens of this person for this organization are refused from now on; grants to it and its tunnels end. @returns the gateways to hint */
export async function removeMember(
  pool: Pool,
  key: MemberKey,
  options: WriteOptions,
): Promise<{ gateways: string[] } | MemberFault> {
  const { organizationId, id } = key
  return inTenantTransaction(
    pool,
    organizationId,
    async (tx) => {
      const member = await lockMember(tx, key)
      if (typeof member === 'string') return member
      if (await isLastOwner(tx, organizationId, member)) return 'last_owner'
      const granted = await endGrantsOf(tx, organizationId, { memberId: id }, options.by)
      await deleteSshKeysOf(tx, organizationId, { memberId: id }, options.by)
      await tx.query('DELETE FROM memberships WHERE organization_id = $1 AND id = $2', [organizationId, id])
      const { userId } = member
      const opened = userId === null ? [] : await endTunnelsOfOpener(tx, organizationId, { kind: 'user', id: userId })
      const before = { email: member.email, role: member.role, userId: member.userId }
      const { by } = options
      await noteChange(tx, { ...target, organizationId, by, type: 'member.removed', resourceId: id, before })
      return { gateways: [...new Set([...granted, ...opened])] }
    },
    options,
  )
}

async function findMember(sql: TenantSql, organizationId: string, id: string): Promise<MemberRecord | null> {
  const { rows } = await sql.query<MemberRecord>(
    `SELECT ${columns} FROM ${source} WHERE m.organization_id = $1 AND m.id = $2`,
    [organizationId, id],
  )
  return rows[0] ?? null
}

/** One change of members after the other: what is counted stays true until the transaction ends. */
async function lockMembers(tx: TenantSql, organizationId: string): Promise<void> {
  await tx.query('SELECT 1 FROM organizations o WHERE o.id = $1 FOR NO KEY UPDATE', [organizationId])
}

async function lockMember(
  tx: TenantSql,
  { organizationId, id, ifVersion, mayTouch }: MemberKey,
): Promise<MemberRecord | 'not_found' | 'changed' | 'above_caller'> {
  await lockMembers(tx, organizationId)
  const member = await findMember(tx, organizationId, id)
  if (!member) return 'not_found'
  if (ifVersion !== null && member.version !== ifVersion) return 'changed'
  return mayTouch(member.role) ? member : 'above_caller'
}

/** Somebody who only was invited is no owner yet, nor is who is kept out, here or by who runs the installation. */
async function isLastOwner(tx: TenantSql, organizationId: string, member: MemberRecord): Promise<boolean> {
  if (member.role !== 'owner') return false
  const { rows } = await tx.query<{ id: string }>(
    `SELECT m.id FROM memberships m JOIN users u ON u.id = m.user_id
     WHERE m.organization_id = $1 AND m.role = 'owner' AND m.locked_at IS NULL AND u.disabled_at IS NULL
     ORDER BY m.id = $2 DESC LIMIT 2`,
    [organizationId, member.id],
  )
  return rows.length === 1 && rows[0]?.id === member.id
}
