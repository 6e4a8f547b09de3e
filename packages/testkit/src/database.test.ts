import pg from 'pg'
import { expect, inject, test } from 'vitest'
import { createDatabase } from './database.ts'

test('every copy has the schema and a life of its own', async () => {
  const urls = await Promise.all([1, 2, 3].map(() => createDatabase(inject('databaseUrl'))))
  expect(new Set(urls).size).toBe(3)
  for (const [index, connectionString] of urls.entries()) {
    const client = new pg.Client({ connectionString })
    await client.connect()
    const { rows } = await client.query(`SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = 'public'`)
    expect(rows[0].tables).toBeGreaterThan(1)
    await client.query(`CREATE TABLE only_here_${index} ()`)
    const { rows: own } = await client.query(`SELECT tablename FROM pg_tables WHERE tablename LIKE 'only_here_%'`)
    expect(own).toEqual([{ tablename: `only_here_${index}` }])
    await client.end()
  }
})

test('refuses a name that is not an identifier', async () => {
  await expect(createDatabase(inject('databaseUrl'), 'a"; DROP DATABASE postgres; --')).rejects.toThrow('cannot name')
})
