/**
 * Members of an organization: people with a role, and invitations that whoever proves to have the address accepts at the
 * next login. An organization that has an owner keeps one.
 */
import type { Pool } from 'pg'
import { appendAudit, changedFields } from './audit.ts'
import type { Author, WriteOptions } from './author.ts'
import { brokenConstraint } from './errors.ts'
import { endGrantsOf } from './grants.ts'
import { newId } from './ids.ts'
import { appendEvent } from './outbox.ts'
import { Conditions, toPage, type Page, type PageRequest } from './page.ts'
import { deleteSshKeysOf } from './ssh-keys.ts'
import { inTenantTransaction, tenant, type TenantSql } from './tenant.ts'
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
const columns = `m.id, m.user_id AS "userId", m.email, u.name, m.role, m.invitation_expires_at AS "invitationExpiresAt", m.version,
  m.created_at AS "createdAt", m.updated_at AS "updatedAt"`
const source = 'memberships m LEFT JOIN users u ON u.id = m.user_id'

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
        await note(tx, { organizationId, action: 'member.invited', by: options.by, after: { email, role } }, id)
        return (await findMember(tx, organizationId, id)) as MemberRecord
      },
      options,
    )
  } catch (error) {
    if (brokenConstraint(error) === 'memberships_organization_id_email_key') return 'member_exists'
    throw error
  }
}

export async function listMembers(pool: Pool, organizationId: string, page: PageRequest): Promise<Page<MemberRecord>> {
  const where = new Conditions().add('m.organization_id = ?', organizationId)
  if (page.after) where.add('(m.created_at, m.id) < (?, ?)', page.after.createdAt, page.after.id)
  const { rows } = await tenant(pool, organizationId).query<MemberRecord>(
    `SELECT ${columns} FROM ${source} WHERE ${where.text} ORDER BY m.created_at DESC, m.id DESC LIMIT ${page.limit + 1}`,
    where.values,
  )
  return toPage(rows, page.limit, ({ createdAt, id }) => ({ createdAt, id }))
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

export async function changeMember(
  pool: Pool,
  key: MemberKey,
  role: string,
  options: WriteOptions,
): Promise<MemberRecord | MemberFault> {
  const { organizationId, id } = key
  return inTenantTransaction(
    pool,
    organizationId,
    async (tx) => {
      const before = await lockMember(tx, key)
      if (typeof before === 'string') return before
      if (role !== 'owner' && (await isLastOwner(tx, organizationId, before))) return 'last_owner'
      await tx.query(
        'UPDATE memberships SET role = $3, version = version + 1, updated_at = now() WHERE organization_id = $1 AND id = $2',
        [organizationId, id, role],
      )
      const after = (await findMember(tx, organizationId, id)) as MemberRecord
      const entry = {
        organizationId,
        action: 'member.updated' as const,
        by: options.by,
        ...changedFields(before, after, ['role']),
      }
      await note(tx, entry, id)
      return after
    },
    options,
  )
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
      await note(tx, { organizationId, action: 'member.removed', by: options.by, before }, id)
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

/** Somebody who only was invited is no owner yet. */
async function isLastOwner(tx: TenantSql, organizationId: string, member: MemberRecord): Promise<boolean> {
  if (member.role !== 'owner' || member.userId === null) return false
  const { rowCount } = await tx.query(
    `SELECT 1 FROM memberships WHERE organization_id = $1 AND id <> $2 AND role = 'owner' AND user_id IS NOT NULL LIMIT 1`,
    [organizationId, member.id],
  )
  return rowCount === 0
}

type MemberAction = 'member.invited' | 'member.updated' | 'member.removed'

async function note(
  tx: TenantSql,
  entry: {
    organizationId: string
    action: MemberAction
    by: Author
    before?: Readonly<Record<string, unknown>>
    after?: Readonly<Record<string, unknown>>
  },
  id: string,
): Promise<void> {
  await appendEvent(tx, { organizationId: entry.organizationId, type: entry.action, resourceId: id, data: {} })
  await appendAudit(tx, { ...entry, targetType: 'member', targetId: id })
}
