/** An upgrade of the privileges that is killed, and a version that comes after it. */
import { createDatabase } from '@culvert/testkit'
import pg from 'pg'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { migrate } from '../migrate.ts'
import { planAccess, protect, type AccessPlan } from './protect.ts'

let url = ''
let client: pg.Client
/** Sees what is committed: what a kill at this moment would leave. */
let observer: pg.Client
let newer: AccessPlan

beforeAll(async () => {
  url = await createDatabase(inject('databaseUrl'))
  client = await connect()
  observer = await connect()
  const { steps } = await planAccess(client)
  const more = [
    'GRANT UPDATE ON audit_log TO culvert_api',
    'CREATE POLICY everything ON devices TO culvert_api USING (true)',
    'GRANT SELECT (sealed_secret) ON credentials TO culvert_worker',
    'GRANT UPDATE ON ALL SEQUENCES IN SCHEMA public TO culvert_gateway',
  ]
  newer = {
    steps: [...more.map((statement) => [statement]), ...steps.slice(1)],
    digest: 'of a newer version',
    isDone: false,
  }
})
afterAll(() => Promise.all([client.end(), observer.end()]))

async function connect(): Promise<pg.Client> {
  const made = new pg.Client({ connectionString: url })
  made.on('error', () => {})
  await made.connect()
  return made
}

async function digests(): Promise<string[]> {
  const { rows } = await observer.query<{ digest: string }>('SELECT digest FROM _culvert_access')
  return rows.map(({ digest }) => digest)
}

interface Rights {
  readonly audit: boolean
  readonly secret: boolean
  readonly policies: string[]
  readonly sequence: boolean
}

async function rights(): Promise<Rights> {
  const { rows } = await observer.query<Rights>(
    `SELECT has_table_privilege('culvert_api', 'audit_log', 'UPDATE') AS audit,
       has_column_privilege('culvert_worker', 'credentials', 'sealed_secret', 'SELECT') AS secret,
       (SELECT array_agg(polname::text ORDER BY polname) FROM pg_policy WHERE polrelid = 'devices'::regclass) AS policies,
       (SELECT bool_or(has_sequence_privilege('culvert_gateway', oid, 'UPDATE')) FROM pg_class
        WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace) AS sequence`,
  )
  return rows[0] as Rights
}

const ours: Rights = { audit: false, secret: false, policies: ['installation', 'owner', 'tenant'], sequence: false }

it('leaves nothing that counts as in place, wherever it is killed', async () => {
  const seen: string[][] = []
  const watched = {
    query: async (...args: Parameters<pg.Client['query']>) => {
      const result: unknown = await (client.query as (...all: unknown[]) => Promise<unknown>)(...args)
      seen.push(await digests())
      return result
    },
  }
  expect(await digests()).toHaveLength(1)
  await protect(watched as unknown as pg.Client, { ...newer, steps: (await planAccess(client)).steps })
  // The look whether there is something to forget comes first.
  const [look, ...during] = seen
  expect(look).toHaveLength(1)
  expect(during.length).toBeGreaterThan(300)
  expect(during.slice(0, -1).flat()).toEqual([])
  expect(during.at(-1)).toEqual(['of a newer version'])
})

it('is undone by an older version that comes after it, rights, policies and all', async () => {
  await migrate(url)
  expect(await rights()).toEqual(ours)
  const doomed = await connect()
  const { rows } = await doomed.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  let left = 40
  const query = doomed.query.bind(doomed) as (...all: unknown[]) => Promise<unknown>
  const killed = {
    query: async (...args: unknown[]) => {
      left -= 1
      if (left === 0) await observer.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid])
      return query(...args)
    },
  }
  // The client may hear of the end before it asks, or from the answer.
  await expect(protect(killed as unknown as pg.Client, newer)).rejects.toThrow(/terminat|connection error/)
  expect(await rights()).toMatchObject({ audit: true, secret: true, sequence: true })
  await migrate(url)
  expect(await rights()).toEqual(ours)
  expect(await migrate(url)).toEqual([])
})

it('counts as not in place from before the first migration: what one of them made is everybody’s until it is protected', async () => {
  await observer.query(`DELETE FROM _prisma_migrations WHERE migration_name = '20261124060000_usage_daily'`)
  await expect(migrate(url)).rejects.toThrow('already exists')
  expect(await digests()).toEqual([])
})
