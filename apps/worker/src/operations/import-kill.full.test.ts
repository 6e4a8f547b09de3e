/** Real worker processes, killed while they import: each row is done once, progress goes on, and what was told of rows stays. */
import {
  addOperationInput,
  ensureOrganization,
  findOperation,
  openPool,
  readOperationFaults,
  receivedOperation,
  startOperation,
  systemAuthor,
  type OperationRecord,
  type Pool,
} from '@culvert/db'
import { luhnCheckDigit } from '@culvert/lifecycle'
import { createDatabase, waitFor } from '@culvert/testkit'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))
const rowCount = 30_000
/** Every hundredth row has a wrong check digit. */
const isFaulty = (row: number): boolean => row % 100 === 7
const blockBytes = 64 * 1024
let databaseUrl = ''
let pool: Pool
let organizationId = ''
const children = new Set<ChildProcess>()

beforeAll(async () => {
  databaseUrl = await createDatabase(inject('databaseUrl'))
  pool = openPool(databaseUrl)
  organizationId = (await ensureOrganization(pool, { name: 'Acme', slug: 'acme' })).id
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await pool.end()
})

function startWorker(): ChildProcess {
  const child = spawn(process.execPath, ['--conditions=source', main], {
    env: { PATH: process.env['PATH'], DATABASE_URL: databaseUrl, LOG_LEVEL: 'error' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  children.add(child)
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
  children.delete(child)
}

function row(number: number): string {
  const digits = `8944${String(number).padStart(15, '0')}`
  const check = (Number(luhnCheckDigit(digits)) + (isFaulty(number) ? 1 : 0)) % 10
  return `${JSON.stringify({ iccid: `${digits}${check}`, name: `device ${number}`, tags: [`n:${number % 7}`] })}\n`
}

async function begin(): Promise<string> {
  const request = {
    format: 'ndjson',
    onExisting: 'fail',
    networkId: null,
    zone: 'test',
    servicePrefix: '10.127.0.0/24',
    pool6Prefix: 'fd00::/48',
    blockBytes,
    withheldTags: [],
  }
  const wanted = { kind: 'device_import', request, validateOnly: false, receiving: true }
  const operation = await startOperation(pool, organizationId, wanted, { by: systemAuthor('test') })
  if (typeof operation === 'string') throw new Error(operation)
  const all = Buffer.from(Array.from({ length: rowCount }, (_, index) => row(index + 1)).join(''))
  for (let number = 0; number * blockBytes < all.length; number++) {
    const content = all.subarray(number * blockBytes, (number + 1) * blockBytes)
    await addOperationInput(pool, organizationId, operation.id, { number, content })
  }
  await receivedOperation(pool, organizationId, operation.id, {})
  return operation.id
}

const read = async (id: string): Promise<OperationRecord> =>
  (await findOperation(pool, organizationId, id)) as OperationRecord

it('a worker that is killed in the middle of an import loses no row and does none twice', async () => {
  const id = await begin()
  const seen: number[] = []
  for (let kills = 0; kills < 3; kills++) {
    const from = (await read(id)).processed
    const worker = startWorker()
    const reached = await waitFor(
      async () => {
        const { processed } = await read(id)
        return processed > from + 2_000 ? processed : null
      },
      { timeoutMs: 60_000, message: 'the import to go on' },
    )
    await kill(worker)
    const left = await read(id)
    expect(left.finishedAt).toBeNull()
    expect(left.processed).toBeGreaterThanOrEqual(reached)
    const { rows } = await pool.query('SELECT count(*)::int AS devices FROM devices WHERE organization_id = $1', [
      organizationId,
    ])
    expect([rows[0].devices, left.processed]).toEqual([left.succeeded, left.succeeded + left.failed])
    seen.push(left.processed)
    // Nobody waits for the lease of the dead.
    await pool.query(`UPDATE operations SET lease_until = now() - interval '1 second'`)
  }
  expect(seen).toEqual(seen.toSorted((a, b) => a - b))

  startWorker()
  const done = await waitFor(
    async () => {
      const operation = await read(id)
      return operation.finishedAt ? operation : null
    },
    { timeoutMs: 120_000, message: 'the import to end' },
  )
  const faulty = Array.from({ length: rowCount }, (_, index) => index + 1).filter(isFaulty)
  const created = rowCount - faulty.length
  expect(done).toMatchObject({
    state: 'succeeded',
    processed: rowCount,
    succeeded: created,
    failed: faulty.length,
    result: { created, updated: 0, skipped: 0, failed: faulty.length },
  })
  const faults = await readOperationFaults(pool, organizationId, id, { after: null, limit: 10_000 })
  expect(faults.map((fault) => [fault.row, fault.pointer])).toEqual(faulty.map((number) => [number, '/iccid']))
  const { rows } = await pool.query(
    `SELECT count(*)::int AS devices, count(DISTINCT iccid)::int AS iccids, count(DISTINCT address4)::int AS addresses,
       (SELECT count(*)::int FROM events WHERE organization_id = $1 AND type = 'device.created') AS events,
       (SELECT count(*)::int FROM audit_log WHERE organization_id = $1 AND action = 'device.created') AS audited
     FROM devices WHERE organization_id = $1`,
    [organizationId],
  )
  expect(rows[0]).toEqual({ devices: created, iccids: created, addresses: created, events: created, audited: created })
}, 300_000)
