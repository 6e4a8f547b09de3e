/** The logins that `npm start` makes: each is its own program in the database and can be no other one. */
import { migrate, openPool, type DatabaseRole } from '@culvert/db'
import { gatewayQueue, makeQueueTables, openQueues } from '@culvert/queue'
import { createDatabase, waitFor } from '@culvert/testkit'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { ensureLogins, type ProgramName } from '../../scripts/stack/logins.ts'

const programs: readonly ProgramName[] = ['api', 'worker', 'signer', 'gateway', 'concentrator']
let databaseUrl = ''
let logins: Readonly<Record<ProgramName, string>>

beforeAll(async () => {
  databaseUrl = await createDatabase(inject('databaseUrl'))
  logins = await ensureLogins(databaseUrl)
})
afterAll(async () => {
  const owner = openPool(databaseUrl, { max: 1 })
  for (const name of programs) await owner.query(`DROP ROLE ${new URL(logins[name]).username}`)
  await owner.end()
})

async function become(url: string, role?: DatabaseRole): Promise<string> {
  const pool = openPool(url, { max: 1, ...(role ? { role } : {}) })
  try {
    const { rows } = await pool.query<{ role: string }>('SELECT current_user AS role')
    return rows[0]?.role ?? ''
  } finally {
    await pool.end()
  }
}

it.each(programs)('%s is its own role and the queue, and none of the others', async (name) => {
  expect(await become(logins[name], `culvert_${name}`)).toBe(`culvert_${name}`)
  expect(await become(logins[name], 'culvert_queue')).toBe('culvert_queue')
  const others = programs.filter((other) => other !== name).map((other) => `culvert_${other}` as const)
  for (const other of [...others, 'culvert_secrets', 'culvert_resealer'] as const)
    await expect(become(logins[name], other)).rejects.toThrow('permission denied to set role')
  const itself = openPool(logins[name], { max: 1 })
  for (const statement of ['SELECT * FROM organizations', 'SELECT * FROM devices', 'CREATE TABLE mine AS SELECT 1'])
    await expect(itself.query(statement)).rejects.toThrow('permission denied')
  await itself.end()
  expect(await migrate(logins[name])).toEqual([])
})

it('a job goes from one login to another through tables that the owner made; no login may make them', async () => {
  await expect(makeQueueTables(logins.api)).rejects.toThrow('permission denied')
  await makeQueueTables(databaseUrl)
  await makeQueueTables(logins.api) // nothing is left to be done
  const logger = { warn: () => undefined, debug: () => undefined }
  const api = openQueues({ databaseUrl: logins.api, logger })
  const gateway = openQueues({ databaseUrl: logins.gateway, logger })
  const heard = Promise.withResolvers<string>()
  await gateway.workNode(gatewayQueue('gw-1'), async (kind) => heard.resolve(kind)).ready
  await waitFor(() => api.hint(gatewayQueue('gw-1'), 'listeners.changed'), { message: 'the hint to be taken' })
  expect(await heard.promise).toBe('listeners.changed')
  await Promise.all([api.close(), gateway.close()])
})

it('another start gives new passwords to the same logins; a login that may make none is used by all', async () => {
  const again = await ensureLogins(databaseUrl)
  for (const name of programs) {
    const [before, after] = [new URL(logins[name]), new URL(again[name])]
    expect([after.username, after.password === before.password]).toEqual([before.username, false])
  }
  expect(await become(again.api, 'culvert_api')).toBe('culvert_api')
  const shared = await ensureLogins(again.api)
  expect(new Set(Object.values(shared))).toEqual(new Set([again.api]))
  logins = again
})
