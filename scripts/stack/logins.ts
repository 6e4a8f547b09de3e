/**
 * A login of the database for each program, which may be its own role there and nothing else: an injected statement of one cannot
 * become another one with `SET ROLE`. Passwords are new with every start and are told to the program alone.
 *
 * The user of DATABASE_URL has to be allowed to make logins (a superuser, or CREATEROLE); one that is not is shared by all programs.
 */
import { openPool, type DatabaseRole } from '@culvert/db'
import { createHash, randomBytes } from 'node:crypto'
import { progress } from './screen.ts'

export type ProgramName = 'api' | 'worker' | 'signer' | 'gateway' | 'concentrator'

const roles: Readonly<Record<ProgramName, readonly DatabaseRole[]>> = {
  api: ['culvert_api', 'culvert_queue'],
  worker: ['culvert_worker', 'culvert_queue'],
  signer: ['culvert_signer', 'culvert_queue'],
  gateway: ['culvert_gateway', 'culvert_queue'],
  concentrator: ['culvert_concentrator', 'culvert_queue'],
}

const insufficientPrivilege = '42501'

/** @returns the URL for each program; that which was given where no logins may be made */
export async function ensureLogins(databaseUrl: string): Promise<Readonly<Record<ProgramName, string>>> {
  const pool = openPool(databaseUrl, { max: 1, applicationName: 'culvert-start' })
  const names = Object.keys(roles) as ProgramName[]
  try {
    const urls: [ProgramName, string][] = []
    for (const name of names) {
      const login = loginOf(databaseUrl, name)
      const password = randomBytes(24).toString('base64url')
      const { rowCount } = await pool.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [login])
      const how = `LOGIN NOINHERIT PASSWORD '${password}'`
      await pool.query(
        rowCount === 0
          ? `CREATE ROLE ${login} ${how} IN ROLE ${roles[name].join(', ')}`
          : `ALTER ROLE ${login} WITH ${how}`,
      )
      urls.push([name, Object.assign(new URL(databaseUrl), { username: login, password }).href])
    }
    progress('Each program has a login of its own in the database')
    return Object.fromEntries(urls) as Record<ProgramName, string>
  } catch (error) {
    if ((error as { code?: string }).code !== insufficientPrivilege) throw error
    progress('All programs use the login of DATABASE_URL, which may not make others (CREATEROLE)')
    return Object.fromEntries(names.map((name) => [name, databaseUrl])) as Record<ProgramName, string>
  } finally {
    await pool.end()
  }
}

/** Logins are of a server: those of another database there are others. */
function loginOf(databaseUrl: string, name: ProgramName): string {
  const database = createHash('sha256').update(new URL(databaseUrl).pathname).digest('hex').slice(0, 8)
  return `culvert_${database}_${name}`
}
