import { createDatabase } from '@culvert/testkit'
import { beforeAll, expect, inject, it } from 'vitest'
import { DUE_NOW } from './due-now.ts'
import { openPool, type Pool } from './index.ts'

let pool: Pool

beforeAll(async () => {
  pool = openPool(await createDatabase(inject('databaseUrl')))
  return () => pool.end()
})

it('what is due at once is due in the same microsecond, though a column rounds', async () => {
  await pool.query('CREATE TABLE jobs (rounded timestamptz(3), due timestamptz(3))')
  // Each in a transaction of its own: half of all moments are rounded up.
  const isDue = { rounded: 0, due: 0 }
  for (let job = 0; job < 100; job++) {
    const { rows } = await pool.query<{ rounded: boolean; due: boolean }>(
      `INSERT INTO jobs VALUES (now(), ${DUE_NOW}) RETURNING rounded <= now() AS rounded, due <= now() AS due`,
    )
    if (rows[0]?.rounded) isDue.rounded++
    if (rows[0]?.due) isDue.due++
  }
  expect(isDue.due).toBe(100)
  expect(isDue.rounded).toBeLessThan(100)
})

it('rows whose work is due at once say so by their default', async () => {
  const { rows } = await pool.query(
    `SELECT table_name || '.' || column_name AS of, column_default FROM information_schema.columns
     WHERE column_name LIKE 'next%at' AND column_default IS NOT NULL ORDER BY 1`,
  )
  const column_default = `date_trunc('milliseconds'::text, now())`
  expect(rows).toEqual([
    { of: 'rule_runs.next_at', column_default },
    { of: 'webhook_deliveries.next_attempt_at', column_default },
  ])
})
