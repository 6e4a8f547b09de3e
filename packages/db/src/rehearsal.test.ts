import { createDatabase } from '@culvert/testkit'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import {
  ensureOrganization,
  inRequestScope,
  inTenantTransaction,
  openPool,
  Rehearsal,
  tenant,
  type Pool,
} from './index.ts'

let pool: Pool
let organizationId = ''

beforeAll(async () => {
  pool = openPool(await createDatabase(inject('databaseUrl')), { max: 1 })
  organizationId = (await ensureOrganization(pool, { name: 'Acme', slug: 'acme' })).id
  return () => pool.end()
})

const rename = 'UPDATE organizations SET name = $2 WHERE id = $1'
const names = async (): Promise<string[]> =>
  (await pool.query<{ name: string }>('SELECT name FROM organizations')).rows.map(({ name }) => name)

describe('a request that is only tried', () => {
  it('undoes everything', async () => {
    const rehearsal = new Rehearsal(pool, organizationId)
    await inRequestScope({ kind: 'rehearsed', rehearsal }, async () => {
      await inTenantTransaction(pool, organizationId, (tx) => tx.query(rename, [organizationId, 'tried']))
      const { rows } = await tenant(pool, organizationId).query('SELECT name FROM organizations')
      expect(rows).toEqual([{ name: 'tried' }])
    })
    await rehearsal.close()
    expect(await names()).toEqual(['Acme'])
  })

  it('does nothing more once it is answered, neither for good nor on a connection that is another one’s now', async () => {
    const rehearsal = new Rehearsal(pool, organizationId)
    await inRequestScope({ kind: 'rehearsed', rehearsal }, async () => {
      const before = tenant(pool, organizationId)
      await before.query('SELECT 1')
      const late = before.query(rename, [organizationId, 'late'])
      const closed = rehearsal.close()
      await expect(late).rejects.toThrow('only tried')
      await closed
      await expect(before.query(rename, [organizationId, 'late'])).rejects.toThrow('only tried')
      const write = inTenantTransaction(pool, organizationId, (tx) => tx.query(rename, [organizationId, 'late']))
      await expect(write).rejects.toThrow('only tried')
    })
    expect(await names()).toEqual(['Acme'])
  })
})
