/** Where the operator names no hosts, the state of a list says that nothing is fetched, and the list comes once that changes. */
import { ensureOrganization, openPool, type Pool } from '@culvert/db'
import { createDatabase, waitFor } from '@culvert/testkit'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { openCrlFetcher } from './crl-fetcher.ts'
import { runWorker, type RunningWorker } from './index.ts'

let databaseUrl = ''
let pool: Pool
let organizationId = ''
const workers: RunningWorker[] = []

beforeAll(async () => {
  databaseUrl = await createDatabase(inject('databaseUrl'))
  pool = openPool(databaseUrl)
  organizationId = (await ensureOrganization(pool, { name: 'Acme', slug: 'acme' })).id
})
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.close()))
  await pool.end()
})

async function addAuthority(id: string, due: string, fault: string | null = null): Promise<void> {
  await pool.query(
    `INSERT INTO device_authorities (id, organization_id, name, certificate, fingerprint, subject, not_after, revocation, crl_url,
       crl_due_at, crl_fault)
     VALUES ($1, $2, 'factory', '-----BEGIN CERTIFICATE-----', $1, 'Factory', now() + interval '1 day', 'soft',
       'http://crl.example/' || $1, now() + $3::interval, $4)`,
    [id, organizationId, due, fault],
  )
}

async function faults(): Promise<Record<string, string | null>> {
  const { rows } = await pool.query<{ id: string; fault: string | null }>(
    'SELECT id, crl_fault AS fault FROM device_authorities',
  )
  return Object.fromEntries(rows.map(({ id, fault }) => [id, fault]))
}

it('C31 a list that nobody may fetch says so, and is fetched when somebody may', async () => {
  for (let n = 0; n < 20; n++) await addAuthority(`due-${n}`, '-1 minute', n === 0 ? 'fetchFailed' : null)
  await addAuthority('later', '1 hour')
  workers.push(runWorker({ databaseUrl, crlIntervalMs: 50 }))
  await waitFor(async () => Object.values(await faults()).filter((fault) => fault === 'fetchingOff').length === 20, {
    message: 'the fault of each list',
  })
  expect(await faults()).toMatchObject({ later: null })
  // Nothing is put off by it.
  workers.push(runWorker({ databaseUrl, crlIntervalMs: 50, crlFetcher: openCrlFetcher('pki.example', {}) }))
  await waitFor(async () => Object.values(await faults()).filter((fault) => fault === 'notAllowed').length === 20, {
    message: 'each list to be looked for',
  })
  expect(await faults()).toMatchObject({ later: null })
})
