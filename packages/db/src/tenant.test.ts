import { createDatabase } from '@culvert/testkit'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { ensureOrganization, inTenantTransaction, inTransaction, openPool, tenant, type TenantSql } from './index.ts'

let pool: pg.Pool

beforeAll(async () => {
  pool = openPool(await createDatabase(inject('databaseUrl')), { applicationName: 'tenant-test', max: 4 })
})

afterAll(() => pool.end())

async function carriedBy(sql: TenantSql): Promise<string> {
  const { rows } = await sql.query<{ id: string }>(`SELECT current_setting('culvert.organization_id') AS id`)
  return rows[0]?.id ?? ''
}

describe('the door', () => {
  it('says to the connection for whom it works, also when organizations take turns on it', async () => {
    const single = openPool(pool.options.connectionString ?? '', { max: 1 })
    try {
      for (const organization of ['org_a', 'org_b', 'org_b', 'org_a'])
        expect(await carriedBy(tenant(single, organization))).toBe(organization)
      expect(await inTenantTransaction(single, 'org_c', carriedBy)).toBe('org_c')
      expect(await carriedBy(tenant(single, 'org_b'))).toBe('org_b')
    } finally {
      await single.end()
    }
  })

  it('never mixes organizations that work at the same time', async () => {
    const organizations = Array.from({ length: 200 }, (_, index) => `org_${index % 7}`)
    expect(await Promise.all(organizations.map((organization) => carriedBy(tenant(pool, organization))))).toEqual(
      organizations,
    )
  })

  it('takes its name as data', async () => {
    expect(await carriedBy(tenant(pool, `org_'; DROP TABLE devices; --`))).toBe(`org_'; DROP TABLE devices; --`)
  })

  it('rolls back what is only to be validated, and tells the result', async () => {
    const { id } = await ensureOrganization(pool, { name: 'Before', slug: 'before' })
    const rename = async (tx: TenantSql): Promise<number | null> =>
      (await tx.query(`UPDATE organizations SET name = 'After' WHERE id = $1`, [id])).rowCount
    expect(await inTenantTransaction(pool, id, rename, { validateOnly: true })).toBe(1)
    const { rows } = await tenant(pool, id).query('SELECT name FROM organizations WHERE id = $1', [id])
    expect(rows).toEqual([{ name: 'Before' }])
  })

  it('gives the connection back unharmed after an error', async () => {
    const single = openPool(pool.options.connectionString ?? '', { max: 1 })
    try {
      await expect(inTenantTransaction(single, 'org_a', (tx) => tx.query('SELECT 1/0'))).rejects.toThrow('division')
      await expect(tenant(single, 'org_a').query('SELECT nothing')).rejects.toThrow('nothing')
      expect(await carriedBy(tenant(single, 'org_a'))).toBe('org_a')
    } finally {
      await single.end()
    }
  })
})

describe('a transaction that lost a deadlock', () => {
  it('is repeated, and both writers succeed', async () => {
    const ids = await Promise.all(
      ['left', 'right'].map(async (slug) => (await ensureOrganization(pool, { name: '', slug })).id),
    )
    const arrived = Array.from({ length: 2 }, () => Promise.withResolvers<void>())
    let attempts = 0
    const writer = (index: number): Promise<void> =>
      inTransaction(pool, async (tx) => {
        attempts++
        const append = `UPDATE organizations SET name = name || $2 WHERE id = $1`
        await tx.query(append, [ids[index], String(index)])
        arrived[index]?.resolve()
        await arrived[1 - index]?.promise
        await tx.query(append, [ids[1 - index], String(index)])
      })
    await Promise.all([writer(0), writer(1)])
    expect(attempts).toBeGreaterThan(2) // PostgreSQL ends one of them, or both
    const { rows } = await pool.query<{ name: string }>('SELECT name FROM organizations WHERE id = ANY($1)', [ids])
    expect(rows.map(({ name }) => name.split('').toSorted().join(''))).toEqual(['01', '01'])
  })

  it('is given up after some attempts, and an error of another kind is not repeated', async () => {
    let attempts = 0
    const fail = (code: string): Promise<void> =>
      inTransaction(pool, async (tx) => {
        attempts++
        await tx.query(`DO $$ BEGIN RAISE EXCEPTION 'told' USING ERRCODE = '${code}'; END $$`)
      })
    await expect(fail('40001')).rejects.toThrow('told')
    expect(attempts).toBe(4)
    await expect(fail('23505')).rejects.toThrow('told')
    expect(attempts).toBe(5)
  })
})
