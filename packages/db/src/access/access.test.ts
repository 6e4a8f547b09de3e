import { createDatabase, waitFor } from '@culvert/testkit'
import fs from 'node:fs'
import path from 'node:path'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  appendAudit,
  databaseRoles,
  ensureOrganization,
  inTenantTransaction,
  migrate,
  openPool,
  systemAuthor,
  tenant,
  verifyAuditChain,
  type DatabaseRole,
} from '../index.ts'
import { apiFunctions, readerOfSecret } from './privileges.ts'
import { tenantColumn } from './protect.ts'

interface Column {
  readonly name: string
  readonly type: string
}
interface Table {
  readonly name: string
  readonly columns: readonly Column[]
}

let url = ''
let owner: pg.Pool
let api: pg.Pool
let tables: Table[] = []
let tenantTables: (Table & { readonly column: string })[] = []

beforeAll(async () => {
  url = await createDatabase(inject('databaseUrl'))
  owner = openPool(url, { max: 4 })
  api = openPool(url, { max: 4, role: 'culvert_api' })
  const { rows } = await owner.query<Table>(
    `SELECT c.relname AS name, json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, NULL)) ORDER BY a.attnum) AS columns
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname NOT LIKE '\\_%' GROUP BY 1 ORDER BY 1`,
  )
  tables = rows
  tenantTables = rows.flatMap((table) => {
    const column = tenantColumn({ name: table.name, columns: table.columns.map(({ name }) => name) })
    return column === null ? [] : [{ ...table, column }]
  })
  await fillTables()
})
afterAll(async () => {
  await Promise.all([owner.end(), api.end()])
})

let made = 0
/** A value of the type that no other row has; what the tables demand beyond types is dropped for this file. */
function valueOf(type: string): unknown {
  made++
  if (type.endsWith('[]')) return '{}'
  if (type.startsWith('timestamp') || type === 'date') return new Date()
  switch (type) {
    case 'inet':
      return `10.${made >> 16}.${(made >> 8) & 255}.${made & 255}`
    case 'integer':
    case 'bigint':
    case 'smallint':
      return made
    case 'boolean':
      return true
    case 'bytea':
      return Buffer.from(`${made}`)
    case 'json':
    case 'jsonb':
      return '{}'
    default:
      return `v${made}`
  }
}

async function insertRow(sql: Pick<pg.ClientBase, 'query'>, table: Table, organization: string): Promise<void> {
  const { name, columns } = table
  const column = tenantColumn({ name, columns: columns.map((one) => one.name) })
  const values = columns.map((one) => (one.name === column ? organization : valueOf(one.type)))
  const places = columns.map((_, index) => `$${index + 1}`)
  await sql.query(
    `INSERT INTO "${name}" (${columns.map((one) => `"${one.name}"`).join(', ')}) OVERRIDING SYSTEM VALUE VALUES (${places.join(', ')})`,
    values,
  )
}

/** A row of each of two organizations in every table, whatever else it demands. */
async function fillTables(): Promise<void> {
  const client = await owner.connect()
  await client.query('SET session_replication_role = replica')
  const { rows: checks } = await client.query<{ name: string; table: string }>(
    `SELECT conname AS name, conrelid::regclass::text AS table FROM pg_constraint
     WHERE contype IN ('c', 'x') AND connamespace = 'public'::regnamespace`,
  )
  for (const { name, table } of checks) await client.query(`ALTER TABLE ${table} DROP CONSTRAINT "${name}"`)
  for (const { name } of tenantTables) await client.query(`ALTER TABLE "${name}" DISABLE TRIGGER USER`)
  for (const table of tenantTables) for (const id of ['org_a', 'org_b']) await insertRow(client, table, id)
  await client.query('RESET session_replication_role')
  client.release()
}

async function organizationsIn(table: { name: string; column: string }): Promise<string[]> {
  const { rows } = await owner.query<{ id: string }>(`SELECT ${table.column} AS id FROM "${table.name}" ORDER BY 1`)
  return rows.map(({ id }) => id)
}

const denied = (error: unknown): true => {
  expect((error as { code?: string }).code).toBe('42501')
  return true
}

it('no function that works as the owner is for everybody, and the API has those that are named', async () => {
  const { rows } = await owner.query<{ name: string; everybody: boolean; api: boolean; gateway: boolean }>(
    `SELECT p.proname AS name, p.proacl IS NULL OR EXISTS (SELECT 1 FROM aclexplode(p.proacl) a WHERE a.grantee = 0) AS everybody,
       has_function_privilege('culvert_api', p.oid, 'EXECUTE') AS api, has_function_privilege('culvert_gateway', p.oid, 'EXECUTE') AS gateway
     FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef`,
  )
  expect(rows.length).toBeGreaterThanOrEqual(apiFunctions.length)
  for (const { name, everybody, api: given, gateway } of rows)
    expect([name, everybody, gateway, given]).toEqual([
      name,
      false,
      false,
      apiFunctions.some((one) => one.startsWith(`${name}(`)),
    ])
})

describe('row-level security', () => {
  it('is forced on every table with an organization, with the same three policies', async () => {
    expect(tenantTables.length).toBeGreaterThan(20)
    const { rows } = await owner.query<{ name: string; forced: boolean; policies: string[] }>(
      `SELECT c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced,
         (SELECT array_agg(p.polname::text ORDER BY p.polname) FROM pg_policy p WHERE p.polrelid = c.oid) AS policies
       FROM pg_class c WHERE c.relname = ANY($1)`,
      [tenantTables.map(({ name }) => name)],
    )
    for (const row of rows)
      expect(row).toEqual({ name: row.name, forced: true, policies: ['installation', 'owner', 'tenant'] })
    expect(rows).toHaveLength(tenantTables.length)
  })

  // The first net is off: these statements do not name the organization.
  it('A03 shows, changes and removes rows of the carried organization alone, in every table', async () => {
    const door = tenant(api, 'org_a')
    for (const table of tenantTables) {
      const { name, column } = table
      const seen = await door.query<{ id: string }>(`SELECT ${column} AS id FROM "${name}"`).catch(denied)
      if (seen !== true) expect([name, seen.rows.map(({ id }) => id)]).toEqual([name, ['org_a']])
      const taken = await door.query(`UPDATE "${name}" SET ${column} = 'org_a'`).catch(denied)
      if (taken !== true) expect([name, taken.rowCount]).toEqual([name, 1])
      await insertRow(door as unknown as pg.ClientBase, table, 'org_b').then(
        () => expect.fail(`${name} took a row of another organization`),
        denied,
      )
      const gone = await door.query(`DELETE FROM "${name}"`).catch((error: { code?: string }) => {
        expect(['42501', '23503', '23001']).toContain(error.code)
        return true as const
      })
      if (gone !== true) expect([name, gone.rowCount]).toEqual([name, 1])
      expect([name, await organizationsIn(table)]).toEqual([name, expect.arrayContaining(['org_b'])])
    }
  })

  it('A03 shows nothing while no organization is carried, and no name makes it show all', async () => {
    const fresh = openPool(url, { max: 1, role: 'culvert_api' })
    try {
      for (const { name, column } of tenantTables) {
        const seen = await fresh.query(`SELECT ${column} FROM "${name}"`).catch(denied)
        if (seen !== true) expect([name, seen.rowCount]).toEqual([name, 0])
      }
      for (const id of ['', '%', `' OR true --`, '\u00a0', 'org_b '])
        expect((await tenant(fresh, id).query('SELECT id FROM organizations')).rowCount).toBe(0)
    } finally {
      await fresh.end()
    }
  })

  it('shows the processes that work for all what they may read', async () => {
    const worker = openPool(url, { max: 1, role: 'culvert_worker' })
    try {
      const { rows } = await worker.query('SELECT organization_id AS id FROM events ORDER BY 1')
      expect(rows.map(({ id }) => id)).toContain('org_b')
    } finally {
      await worker.end()
    }
  })
})

describe('roles', () => {
  it('cannot log in, are nothing special and own nothing', async () => {
    const { rows } = await owner.query(
      `SELECT rolname FROM pg_roles r WHERE rolname = ANY($1) AND NOT rolcanlogin AND NOT rolsuper AND NOT rolbypassrls
         AND NOT rolcreaterole AND NOT rolcreatedb AND NOT EXISTS (SELECT 1 FROM pg_class c WHERE c.relowner = r.oid)`,
      [databaseRoles],
    )
    expect(rows).toHaveLength(databaseRoles.length)
  })

  it('A10 read sealed columns as culvert_secrets alone, and through its members; what is sealed for one process as that one alone', async () => {
    const sealed = tables.flatMap(({ name, columns }) =>
      columns.filter((column) => column.name.startsWith('sealed_')).map((column) => [name, column.name] as const),
    )
    expect(sealed).toContainEqual(['credentials', 'sealed_secret'])
    for (const [table, column] of sealed) {
      const { rows } = await owner.query<{ role: DatabaseRole }>(
        `SELECT role FROM unnest($1::text[]) AS r(role) WHERE has_column_privilege(role, $2, $3, 'SELECT') ORDER BY role`,
        [databaseRoles, table, column],
      )
      const reader = readerOfSecret(table, column)
      const readers = reader ? [reader] : ['culvert_concentrator', 'culvert_resealer', 'culvert_secrets']
      expect([table, rows.map(({ role }) => role)]).toEqual([table, readers])
    }
  })

  it.each([
    'SELECT sealed_secret FROM credentials',
    'SELECT * FROM credentials',
    'SELECT c FROM credentials c',
    'SELECT count(*) FROM credentials WHERE length(sealed_secret) > 3',
    `UPDATE credentials SET identity = encode(sealed_secret, 'hex')`,
    'UPDATE credentials SET revoked_at = now() RETURNING sealed_secret',
    'COPY credentials TO STDOUT',
    'CREATE TABLE mine AS SELECT 1',
    'ALTER TABLE credentials DISABLE ROW LEVEL SECURITY',
    `UPDATE audit_log SET action = 'nothing'`,
    'DELETE FROM audit_log',
    'TRUNCATE devices',
    'SELECT * FROM outer_addresses',
    'SET ROLE NONE; RESET ROLE; SELECT sealed_secret FROM credentials',
  ])('A10 the API cannot: %s', async (statement) => {
    await expect(tenant(api, 'org_a').query(statement)).rejects.toSatisfy(denied)
  })

  it('work with a login that is a member of one alone: it finds the schema up to date and can be nothing else', async () => {
    const login = new URL(url)
    const [name, password] = [`login_${Date.now()}`, 'only-for-this-test']
    await owner.query(`CREATE ROLE ${name} LOGIN NOINHERIT PASSWORD '${password}' IN ROLE culvert_api`)
    Object.assign(login, { username: name, password })
    const asMember = openPool(login.href, { max: 1, role: 'culvert_api' })
    const asOther = openPool(login.href, { max: 1, role: 'culvert_concentrator' })
    const asItself = openPool(login.href, { max: 1 })
    try {
      expect(await migrate(login.href)).toEqual([])
      expect((await tenant(asMember, 'org_b').query('SELECT id FROM organizations')).rowCount).toBe(1)
      await expect(asMember.query('SET ROLE culvert_concentrator')).rejects.toSatisfy(denied)
      await expect(asOther.query('SELECT 1')).rejects.toThrow('permission denied to set role')
      await expect(asItself.query('SELECT id FROM organizations')).rejects.toSatisfy(denied)
    } finally {
      await Promise.all([asMember.end(), asOther.end(), asItself.end()])
      await owner.query(`DROP ROLE ${name}`)
    }
  })

  it('are made and used by an owner of the schema who is no superuser', async () => {
    const [name, password] = [`owner_${Date.now()}`, 'only-for-this-test']
    await owner.query(`CREATE ROLE ${name} LOGIN CREATEROLE PASSWORD '${password}'`)
    for (const role of databaseRoles) await owner.query(`GRANT ${role} TO ${name} WITH ADMIN TRUE, SET FALSE`)
    await owner.query(`CREATE DATABASE ${name} OWNER ${name}`)
    const own = Object.assign(new URL(url), { username: name, password, pathname: `/${name}` }).href
    expect((await migrate(own)).length).toBeGreaterThan(5)
    expect(await migrate(own)).toEqual([])
    const [asOwner, asApi] = [openPool(own, { max: 1 }), openPool(own, { max: 1, role: 'culvert_api' })]
    try {
      const { id: first } = await ensureOrganization(asOwner, { name: 'A', slug: 'a' })
      const { id: second } = await ensureOrganization(asOwner, { name: 'B', slug: 'b' })
      const { rows } = await tenant(asApi, second).query('SELECT id FROM organizations')
      expect(rows).toEqual([{ id: second }])
      await inTenantTransaction(asApi, first, async (tx) => {
        const what = { action: 'x', targetType: 'x', targetId: 'x' }
        await appendAudit(tx, { organizationId: first, by: systemAuthor('test'), ...what })
      })
      expect(await verifyAuditChain(asOwner, first)).toMatchObject({ entries: 1, fault: null })
    } finally {
      await Promise.all([asOwner.end(), asApi.end()])
    }
  })

  it('and policies reach a table that came later, whoever made it', async () => {
    await owner.query(
      'CREATE TABLE latecomers (id text PRIMARY KEY, organization_id text NOT NULL, sealed_thing bytea)',
    )
    await migrate(url)
    await owner.query(`INSERT INTO latecomers VALUES ('a', 'org_a'), ('b', 'org_b')`)
    const { rows } = await tenant(api, 'org_a').query('SELECT id FROM latecomers')
    expect(rows).toEqual([{ id: 'a' }])
    await expect(tenant(api, 'org_a').query('SELECT sealed_thing FROM latecomers')).rejects.toSatisfy(denied)
  })

  it('are put in place while others work, who wait for no more than one table at a time: nobody ends in a deadlock', async () => {
    await owner.query('CREATE TABLE later_still (id text PRIMARY KEY)')
    const atWork = await owner.connect()
    try {
      await atWork.query('BEGIN')
      await atWork.query('SELECT 1 FROM webhook_keys')
      const migrating = migrate(url)
      await waitFor(async () => {
        const { rowCount } = await owner.query(
          `SELECT 1 FROM pg_stat_activity WHERE application_name = 'culvert-migrate' AND wait_event_type = 'Lock' AND datname = current_database()`,
        )
        return rowCount === 1
      })
      await atWork.query('SELECT 1 FROM api_keys, devices, webhook_endpoints')
      await atWork.query('COMMIT')
      expect(await migrating).toEqual([])
      expect(await migrate(url)).toEqual([])
    } finally {
      atWork.release()
    }
  })
})

/** Statements of nodes stand in these files; a table that a new one names must be granted. */
const sourcesOf: readonly (readonly [DatabaseRole, readonly string[]])[] = [
  ['culvert_concentrator', fs.globSync('concentrator/*.ts', { cwd: path.join(import.meta.dirname, '..') })],
  ['culvert_gateway', ['gateway-store.ts', 'gateway-connections.ts']],
  ['culvert_signer', ['signer-store.ts', 'authorities.ts', 'revoked-certificates.ts']],
  ['culvert_resealer', ['reseal.ts']],
]

it.each(sourcesOf)('%s may do what its statements do', async (role, files) => {
  const known = new Set(tables.map(({ name }) => name))
  const wanted = new Set<string>()
  for (const file of files) {
    if (file.endsWith('.test.ts')) continue
    const source = fs.readFileSync(path.join(import.meta.dirname, '..', file), 'utf8')
    for (const [, verb = '', name = ''] of source.matchAll(/\b(FROM|JOIN|INTO|UPDATE|DELETE FROM)\s+([a-z_]+)/g))
      if (known.has(name)) wanted.add(`${privilegeOf.get(verb)} ${name}`)
  }
  expect(wanted.size).toBeGreaterThan(0)
  const { rows } = await owner.query<{ denied: string }>(
    `SELECT w AS denied FROM unnest($2::text[]) AS w WHERE NOT (has_table_privilege($1, split_part(w, ' ', 2), split_part(w, ' ', 1))
       OR split_part(w, ' ', 1) <> 'DELETE' AND has_any_column_privilege($1, split_part(w, ' ', 2), split_part(w, ' ', 1)))`,
    [role, [...wanted]],
  )
  expect(rows).toEqual([])
})

const privilegeOf = new Map([
  ['FROM', 'SELECT'],
  ['JOIN', 'SELECT'],
  ['INTO', 'INSERT'],
  ['UPDATE', 'UPDATE'],
  ['DELETE FROM', 'DELETE'],
])

it('a policy costs no plan its index: the organization is looked up once for a statement', async () => {
  const { rows: networks } = await owner.query<{ id: string }>(
    `INSERT INTO networks (id, organization_id, name, pool4) SELECT 'net_plan', 'org_b', 'plan', '10.250.0.0/16' RETURNING id`,
  )
  await owner.query('ALTER TABLE devices DISABLE TRIGGER ALL')
  await owner.query(
    `INSERT INTO devices (id, organization_id, network_id, name, iccid, ike_identity, address4)
     SELECT 'dev_' || n, 'org_' || n % 50, $1, 'd', n::text, 'plan' || n, '11.0.0.0'::inet + n FROM generate_series(1, 5000) AS n`,
    [networks[0]?.id],
  )
  await owner.query('ANALYZE devices')
  const page = `SELECT id FROM devices WHERE organization_id = 'org_7' AND deleted_at IS NULL AND (created_at, id) < (now(), 'x')
    ORDER BY created_at DESC, id DESC LIMIT 50`
  for (const statement of [
    page,
    `SELECT id FROM devices WHERE organization_id = 'org_7' AND id = 'dev_7'`,
    'SELECT count(*) FROM devices',
  ]) {
    const { rows } = await tenant(api, 'org_7').query<{ 'QUERY PLAN': string }>(`EXPLAIN ${statement}`)
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
    expect(plan).toContain('InitPlan')
    expect(plan).toMatch(/Index Cond: .*organization_id/)
    expect(plan).not.toContain('Seq Scan')
  }
})
