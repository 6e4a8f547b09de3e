/** Real API processes, killed at the moment that matters: the effect is committed, its answer is not. */
import { waitFor } from '@culvert/testkit'
import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import net from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { newDevice, newIccid, openHarness, type Harness } from '../testing/harness.ts'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))
const children = new Set<ChildProcess>()
let harness: Harness
let survivor: { readonly url: string }

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
  survivor = await startApi()
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await harness.close()
})

async function startApi(): Promise<{ url: string; kill(): void }> {
  const port = await freePort()
  const child = spawn(process.execPath, ['--conditions=source', main], {
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: harness.databaseUrl,
      SEALING_PUBLIC_KEY: harness.sealing.publicKey,
      API_PORT: String(port),
      LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  children.add(child)
  const url = `http://127.0.0.1:${port}`
  await waitFor(
    () =>
      fetch(`${url}/health/ready`).then(
        ({ ok }) => ok,
        () => false,
      ),
    { timeoutMs: 40_000, message: 'the API to be ready' },
  )
  return { url, kill: () => void child.kill('SIGKILL') }
}

async function freePort(): Promise<number> {
  const server = net.createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as net.AddressInfo
  await new Promise((done) => server.close(done))
  return port
}

/** Where answers are recorded, calls of the API stand until the gate opens or their connection is ended. */
async function closeGate(): Promise<{
  waiting(): Promise<number>
  endWaiting(): Promise<void>
  open(): Promise<void>
}> {
  const holder = await harness.pool.connect()
  await holder.query('SELECT pg_advisory_lock(1)')
  await holder.query(
    `CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW; END $$`,
  )
  await holder.query(
    'CREATE TRIGGER gate BEFORE UPDATE ON idempotency_keys FOR EACH ROW WHEN (NEW.status IS NOT NULL) EXECUTE FUNCTION gate()',
  )
  const atGate = `FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'culvert-api' AND wait_event_type = 'Lock' AND wait_event = 'advisory'`
  return {
    waiting: async () => (await holder.query(`SELECT 1 ${atGate}`)).rowCount ?? 0,
    endWaiting: async () => void (await holder.query(`SELECT pg_terminate_backend(pid) ${atGate}`)),
    open: async () => {
      await holder.query('SELECT pg_advisory_unlock(1)')
      await holder.query('DROP TRIGGER gate ON idempotency_keys')
      holder.release()
    },
  }
}

/** Leases run out, those of the living too: they may have stalled. */
async function passTime(): Promise<void> {
  await harness.pool.query(
    `UPDATE idempotency_keys SET lease_until = now() - interval '1 ms' WHERE key_hash IN
       (SELECT key_hash FROM idempotency_keys WHERE status IS NULL FOR UPDATE SKIP LOCKED)`,
  )
}

interface Told {
  readonly status: number
  readonly text: string
}

async function post(url: string, key: string, body: object): Promise<Told> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${harness.organization.key}`,
      'content-type': 'application/json',
      'idempotency-key': key,
    },
    body: JSON.stringify(body),
  })
  return { status: answer.status, text: await answer.text() }
}

it('A06 a process that is killed between the effect and its record: 100 calls elsewhere get one answer for the one effect', async () => {
  const doomed = await startApi()
  const path = `/v1/devices/${await newDevice(harness.call)}/credentials`
  const key = `"${randomUUID()}"`
  const gate = await closeGate()
  const lost = post(doomed.url + path, key, {}).then(
    () => 'answered',
    () => 'hung up',
  )
  await waitFor(async () => (await gate.waiting()) > 0)
  doomed.kill()
  expect(await lost).toBe('hung up')
  await gate.endWaiting()
  await gate.open()
  const { rows } = await harness.pool.query('SELECT id FROM credentials')
  expect(rows).toHaveLength(1)
  await passTime()
  const answers = await Promise.all(Array.from({ length: 100 }, () => post(survivor.url + path, key, {})))
  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
  expect(answers[0]?.status).toBe(201)
  expect(JSON.parse(answers[0]?.text ?? '')).toMatchObject({ id: rows[0].id, psk: expect.any(String) })
  expect((await harness.pool.query('SELECT 1 FROM credentials')).rowCount).toBe(1)
}, 90_000)

it('A06 killed at any moment under 100 calls: each key has one effect, and every answer for it is equal', async () => {
  const doomed = await startApi()
  const keys = Array.from({ length: 10 }, () => ({ key: randomUUID(), iccid: newIccid() }))
  const told = new Map<string, Set<string>>(keys.map(({ key }) => [key, new Set()]))
  /** As a client does: again with the same key until there is an answer; elsewhere when nobody is there. */
  const insist = async (first: string, { key, iccid }: { key: string; iccid: string }): Promise<void> => {
    let base = first
    for (;;) {
      const answer = await post(`${base}/v1/devices`, key, { iccid }).catch(() => null)
      if (answer?.status === 201) return void told.get(key)?.add(answer.text)
      if (answer !== null && answer.status !== 409 && answer.status !== 503) throw new Error(answer.text)
      base = survivor.url
      if (answer?.status === 409) await passTime()
    }
  }
  const calls = Array.from({ length: 100 }, (_, index) =>
    insist(index % 2 === 0 ? doomed.url : survivor.url, keys[index % keys.length] as (typeof keys)[number]),
  )
  await waitFor(async () => [...told.values()].some((answers) => answers.size > 0))
  doomed.kill()
  await Promise.all(calls)
  for (const answers of told.values()) expect(answers.size).toBe(1)
  const { rows } = await harness.pool.query('SELECT count(*)::int AS n FROM devices WHERE iccid = ANY($1)', [
    keys.map(({ iccid }) => iccid),
  ])
  expect(rows[0].n).toBe(keys.length)
}, 90_000)
