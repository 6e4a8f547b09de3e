/**
 * Row-level security and privileges, made out of the catalog: every table with `organization_id` gets its policies, every
 * table the privileges of each role. Runs after migrations, so that a new table is protected without a line of its own, and a
 * database from before is too. What is in place already costs one look.
 */
import { createHash } from 'node:crypto'
import type pg from 'pg'
import {
  apiFunctions,
  isHashOfSecret,
  isSealedColumn,
  privileges,
  readerOfSecret,
  type TablePrivileges,
} from './privileges.ts'
import { databaseRoles, installationRoles, memberships, type DatabaseRole } from './roles.ts'

interface Table {
  readonly name: string
  readonly columns: readonly string[]
}

export interface AccessPlan {
  /** What is done together: those of a table, and those of none. */
  readonly steps: readonly (readonly string[])[]
  readonly digest: string
  /** They are carried out. */
  readonly isDone: boolean
}

/** The policy of the API. Evaluated once for a statement and not for each row. */
const carried = `(SELECT current_setting('culvert.organization_id', true))`

export async function planAccess(client: pg.ClientBase): Promise<AccessPlan> {
  const { rows } = await client.query<Table>(
    `SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname NOT LIKE '\\_%'
     GROUP BY c.relname ORDER BY c.relname`,
  )
  const steps = [rolesOf(), ...rows.map(protectTable), functionsOf()]
  const digest = createHash('sha256').update(steps.flat().join('\n')).digest('hex')
  return { steps, digest, isDone: (await digestInPlace(client)) === digest }
}

/**
 * As the owner of the schema. Each table in a transaction of its own: its policies need it alone for a moment, and who held several
 * tables would stop, or end in a deadlock with, an installation that is at work. Who is killed half-way leaves each table protected in
 * one way or the other, and the next one begins anew, of whatever version it is: from the first statement to the last nothing counts
 * as in place.
 *
 * @throws what a role that is not the owner is told
 */
export async function protect(client: pg.ClientBase, plan: AccessPlan): Promise<void> {
  await forgetAccess(client)
  await createRoles(client)
  for (const step of plan.steps) await together(client, step)
  await together(client, [
    `CREATE TABLE IF NOT EXISTS _culvert_access (digest text NOT NULL)`,
    'GRANT SELECT ON _culvert_access, _prisma_migrations TO PUBLIC',
    'DELETE FROM _culvert_access',
    `INSERT INTO _culvert_access VALUES ('${plan.digest}')`,
  ])
}

/**
 * From now on nothing counts as in place, until `protect` is through: before the first change of what is granted, or to what.
 * Otherwise who is killed amid an upgrade would leave rights that an older version takes for its own.
 */
export async function forgetAccess(client: pg.ClientBase): Promise<void> {
  if (await isNoted(client)) await client.query('DELETE FROM _culvert_access')
}

async function together(client: pg.ClientBase, statements: readonly string[]): Promise<void> {
  await client.query('BEGIN')
  try {
    for (const statement of statements) await client.query(statement)
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  }
}

async function isNoted(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ known: boolean }>(
    `SELECT to_regclass('public._culvert_access') IS NOT NULL AS known`,
  )
  return rows[0]?.known === true
}

async function digestInPlace(client: pg.ClientBase): Promise<string | null> {
  if (!(await isNoted(client))) return null
  const { rows } = await client.query<{ digest: string }>('SELECT digest FROM _culvert_access')
  return rows[0]?.digest ?? null
}

/** Roles are the cluster's, shared by its databases: another one may be making them now. */
async function createRoles(client: pg.ClientBase): Promise<void> {
  for (const role of databaseRoles) {
    const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role])
    if (rowCount !== 0) continue
    await client.query(`CREATE ROLE ${role} NOLOGIN NOINHERIT`).catch((error: { code?: string }) => {
      if (error.code !== '42710' && error.code !== '23505') throw error as unknown
    })
  }
}

/** A superuser may be any role; another owner must be a member of what its processes work as. */
function rolesOf(): string[] {
  const grants = memberships.map(([member, of]) => `GRANT ${of} TO ${member} WITH INHERIT TRUE, SET FALSE`)
  const own = databaseRoles.map(
    (role) =>
      `IF NOT pg_has_role('${role}', 'SET') THEN GRANT ${role} TO CURRENT_USER WITH INHERIT FALSE, SET TRUE; END IF`,
  )
  return [
    ...grants.map((grant) => unlessGranted(grant)),
    noOtherMemberships(),
    `DO $$ BEGIN IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN ${own.join('; ')}; END IF; END $$`,
    `GRANT USAGE ON SCHEMA public TO ${databaseRoles.join(', ')}`,
  ]
}

/** Those of another version. */
function noOtherMemberships(): string {
  const ours = databaseRoles.map((role) => `'${role}'`).join(', ')
  const wanted = memberships.map(([member, of]) => `('${member}', '${of}')`).join(', ')
  return `DO $$ DECLARE one record; BEGIN
    FOR one IN SELECT r.rolname AS of, m.rolname AS member FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid
      JOIN pg_roles m ON m.oid = a.member
      WHERE r.rolname IN (${ours}) AND m.rolname IN (${ours}) AND (m.rolname, r.rolname) NOT IN (${wanted})
    LOOP EXECUTE format('REVOKE %I FROM %I', one.of, one.member); END LOOP; END $$`
}

function unlessGranted(grant: string): string {
  const [, of, , member] = grant.split(' ')
  return `DO $$ BEGIN IF NOT pg_has_role('${member}', '${of}', 'USAGE') THEN ${grant}; END IF; END $$`
}

function protectTable(table: Table): string[] {
  return [
    `REVOKE ALL ON ${quote(table.name)} FROM PUBLIC, ${databaseRoles.join(', ')}`,
    ...databaseRoles.flatMap((role) => grantsOf(role, table)),
    ...policiesOf(table),
  ]
}

function grantsOf(role: DatabaseRole, table: Table): string[] {
  const { name, columns } = table
  const sealed = columns.filter((column) => isSealedColumn(name, column))
  if (role === 'culvert_secrets' && sealed.length > 0)
    return [`GRANT SELECT (${sealed.map(quote).join(', ')}) ON ${quote(name)} TO ${role}`]
  const known = privileges[role]
  if (!known) return []
  return (known.tables[name] ?? known.otherwise).map(
    (privilege) => `GRANT ${columnsOf(role, table, privilege)} ON ${quote(name)} TO ${role}`,
  )
}

/** Rows are made whole; what is read or changed are the columns that are no secret. */
function columnsOf(role: DatabaseRole, { name, columns }: Table, privilege: TablePrivileges[number]): string {
  if (typeof privilege === 'object') return `UPDATE (${privilege.UPDATE.map(quote).join(', ')})`
  const isSecret = (column: string): boolean =>
    isSealedColumn(name, column) ||
    (role !== 'culvert_api' && isHashOfSecret(column)) ||
    (readerOfSecret(name, column) ?? role) !== role
  if (privilege === 'DELETE' || privilege === 'INSERT' || !columns.some(isSecret)) return privilege
  return `${privilege} (${columns
    .filter((column) => !isSecret(column))
    .map(quote)
    .join(', ')})`
}

/** @returns the column that says whose a row is, null for tables of the installation */
export function tenantColumn({ name, columns }: Table): 'organization_id' | 'id' | null {
  if (name === 'organizations') return 'id'
  return columns.includes('organization_id') ? 'organization_id' : null
}

function policiesOf(table: Table): string[] {
  const column = tenantColumn(table)
  if (column === null) return []
  const name = quote(table.name)
  const own = `${column} = ${carried}`
  return [
    `ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY`,
    `ALTER TABLE ${name} FORCE ROW LEVEL SECURITY`,
    // Whatever their names: several policies add up.
    `DO $$ DECLARE one name; BEGIN FOR one IN SELECT polname FROM pg_policy WHERE polrelid = '${name}'::regclass
       LOOP EXECUTE format('DROP POLICY %I ON %s', one, '${name}'); END LOOP; END $$`,
    `CREATE POLICY tenant ON ${name} TO culvert_api USING (${own}) WITH CHECK (${own})`,
    `CREATE POLICY installation ON ${name} TO ${installationRoles.join(', ')} USING (true) WITH CHECK (true)`,
    `CREATE POLICY owner ON ${name} TO CURRENT_USER USING (true) WITH CHECK (true)`,
  ]
}

function functionsOf(): string[] {
  return [
    // A function of the owner does what its caller could not: nobody is given one unless it stands below.
    `DO $$ DECLARE one regprocedure; BEGIN
       FOR one IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
       LOOP EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC, ${databaseRoles.join(', ')}', one); END LOOP; END $$`,
    ...apiFunctions.flatMap((name) => [
      `REVOKE ALL ON FUNCTION ${name} FROM PUBLIC`,
      `GRANT EXECUTE ON FUNCTION ${name} TO culvert_api, culvert_worker`,
    ]),
    `REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, ${databaseRoles.join(', ')}`,
    `GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO culvert_api, culvert_worker`,
  ]
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
