/** What the API leaves behind when it starts, before anybody has called it. */
import { loadConfig } from '@culvert/config'
import { generateSealingKeyPair, openPool } from '@culvert/db'
import { createDatabase } from '@culvert/testkit'
import { expect, inject, it } from 'vitest'
import { runApi } from './run-api.ts'
import { ApiSettings } from './settings.ts'

it('makes the tables of jobs, which the logins of other processes may not make', async () => {
  const databaseUrl = await createDatabase(inject('databaseUrl'))
  const { publicKey } = await generateSealingKeyPair()
  const settings = loadConfig(ApiSettings, {
    DATABASE_URL: databaseUrl,
    SEALING_PUBLIC_KEY: publicKey,
    API_PORT: '0',
    LOG_LEVEL: 'silent',
  })
  const pool = openPool(databaseUrl, { max: 1 })
  const tables = async (): Promise<unknown> =>
    (await pool.query(`SELECT to_regclass('bullmq.migration') IS NOT NULL AS made`)).rows[0]
  expect(await tables()).toEqual({ made: false })
  const api = await runApi(settings)
  expect(await tables()).toEqual({ made: true })
  await api.close()
  await pool.end()
})
