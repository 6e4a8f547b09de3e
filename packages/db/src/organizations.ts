/** Organizations, as the launcher and operators make them. */
import type pg from 'pg'
import { newId } from './ids.ts'

export interface Organization {
  readonly id: string
  readonly name: string
  readonly slug: string
}

/** Makes the organization with this slug unless it is there; its name is not changed. The slug is part of IKE identities. */
export async function ensureOrganization(pool: pg.Pool, wanted: { name: string; slug: string }): Promise<Organization> {
  await pool.query('INSERT INTO organizations (id, name, slug) VALUES ($1, $2, $3) ON CONFLICT (slug) DO NOTHING', [
    newId('org'),
    wanted.name,
    wanted.slug,
  ])
  const { rows } = await pool.query<Organization>('SELECT id, name, slug FROM organizations WHERE slug = $1', [
    wanted.slug,
  ])
  return rows[0] as Organization
}
