/** A real API process and a real PostgreSQL, which is killed and restarted while clients write. */
import { createApiKey, ensureOrganization, generateSealingKeyPair, migrate, openPool } from '@culvert/db'
import { scratchFolder, startPostgres, type Service } from '@culvert/services'
import { waitFor } from '@culvert/testkit'
import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startApiProcess, type ApiProcess } from '../testing/api-process.ts'
import { newIccid } from '../testing/harness.ts'

let folder = ''
let postgres: Service
let api: ApiProcess
let key = ''
let organizationId = ''

const start = (): Promise<Service> => startPostgres({ dataDir: path.join(folder, 'postgres') })

beforeAll(async () => {
  folder = await scratchFolder()
  postgres = await start()
  await migrate(postgres.url)
  const pool = openPool(postgres.url)
  organizationId = (await ensureOrganization(pool, { name: 'acme', slug: 'acme' })).id
  key = (await createApiKey(pool, { organizationId, name: 'test' })).key
  await pool.end()
  const { publicKey } = await generateSealingKeyPair()
  api = await startApiProcess({
    DATABASE_URL: postgres.url,
    SEALING_PUBLIC_KEY: publicKey,
    RATE_LIMIT_KEY: '0',
    RATE_LIMIT_ORGANIZATION: '0',
  })
}, 120_000)
afterAll(async () => {
  api.kill()
  await postgres.stop()
  await rm(folder, { recursive: true, force: true })
})

interface Ledger {
  /** ICCID and id of every device whose creation was acknowledged. */
  readonly acknowledged: Map<string, string>
  /** What else was answered than 201 and 503 with Retry-After. */
  readonly faults: string[]
  refused: number
}

/** As the SDK does: one key for one thing, again until there is an answer. */
async function insist(ledger: Ledger): Promise<void> {
  const [iccid, name] = [newIccid(), randomUUID()]
  for (;;) {
    const answer = await fetch(`${api.url}/v1/devices`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'idempotency-key': name },
      body: JSON.stringify({ iccid }),
    })
    const body = (await answer.json()) as { id: string; code?: string }
    if (answer.status === 201) return void ledger.acknowledged.set(iccid, body.id)
    const isTold = answer.headers.has('retry-after')
    if (isTold && (answer.status === 503 || body.code === 'idempotency_in_progress')) ledger.refused += 1
    else ledger.faults.push(`${answer.status} ${JSON.stringify(body)}`)
    await pause(50)
  }
}

it('PostgreSQL killed and restarted under load: no 500, no acknowledged write lost, none done twice, and the API goes on by itself', async () => {
  const ledger: Ledger = { acknowledged: new Map(), faults: [], refused: 0 }
  let isOver = false
  const clients = Array.from({ length: 8 }, async () => {
    while (!isOver) await insist(ledger)
  })
  const more = async (count: number): Promise<void> => {
    const wanted = ledger.acknowledged.size + count
    await waitFor(() => ledger.acknowledged.size >= wanted, { timeoutMs: 60_000, message: `${count} more writes` })
  }
  const refused = async (): Promise<void> => {
    const before = ledger.refused
    await waitFor(() => ledger.refused > before, { timeoutMs: 30_000, message: 'a call to be refused' })
  }
  await more(15)
  process.kill(postgres.pid, 'SIGKILL')
  await postgres.ended
  await refused()
  postgres = await start()
  await more(15)
  await postgres.stop() // connections are told that the server goes
  await refused()
  postgres = await start()
  await more(15)
  isOver = true
  await Promise.all(clients)
  expect(ledger.faults).toEqual([])
  expect(api.isAlive()).toBe(true)
  const pool = openPool(postgres.url)
  const { rows } = await pool.query<{ iccid: string; id: string }>(
    'SELECT iccid, id FROM devices WHERE organization_id = $1',
    [organizationId],
  )
  await pool.end()
  expect(new Map(rows.map(({ iccid, id }) => [iccid, id]))).toEqual(ledger.acknowledged)
}, 240_000)
