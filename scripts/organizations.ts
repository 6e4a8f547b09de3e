/**
 * Organizations, by who runs the installation: on DATABASE_URL, `npm run organizations -- list`, `... -- add SLUG --name NAME`, and
 * `... -- key SLUG --file FILE [--days N] [--operator]`, which writes a new API key into a new file of mode 600. Its first
 * calls make everything else. `--operator` adds what is told of nodes to the operator alone. Exit status 2: it could not be done.
 */
import { permissions } from '@culvert/contracts'
import { createApiKey, ensureOrganization, type Pool } from '@culvert/db'
import fs from 'node:fs'
import { parseArgs } from 'node:util'
import { withDatabase } from './with-database.ts'

const USAGE =
  'Usage: npm run organizations -- list | add SLUG --name NAME | key SLUG --file FILE [--days N] [--operator]'
const DAY_MS = 86_400_000

try {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      name: { type: 'string' },
      file: { type: 'string' },
      days: { type: 'string', default: '90' },
      operator: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) process.stdout.write(`${USAGE}\n`)
  else if (positionals.length === 0) throw new Error(USAGE)
  else
    await withDatabase('organizations', async (pool) => {
      const [command, slug, ...more] = positionals
      if (more.length > 0) throw new Error(USAGE)
      if (command === 'list' && !slug) await list(pool)
      else if (command === 'add' && slug && values.name) await add(pool, slug, values.name)
      else if (command === 'key' && slug && values.file) await makeKey(pool, slug, { ...values, file: values.file })
      else throw new Error(USAGE)
    })
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 2
}

async function list(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ id: string; slug: string; name: string }>(
    'SELECT id, slug, name FROM organizations ORDER BY slug',
  )
  for (const { id, slug, name } of rows) process.stdout.write(`${id}  ${slug}  ${name}\n`)
}

async function add(pool: Pool, slug: string, name: string): Promise<void> {
  if (await idOf(pool, slug)) throw new Error(`There is an organization ${slug} already.`)
  const { id } = await ensureOrganization(pool, { slug, name })
  process.stdout.write(`${id}\n`)
}

interface KeyWanted {
  readonly file: string
  readonly days: string
  readonly operator: boolean
}

async function makeKey(pool: Pool, slug: string, { file, days, operator }: KeyWanted): Promise<void> {
  const organizationId = await idOf(pool, slug)
  if (!organizationId) throw new Error(`There is no organization ${slug}.`)
  if (!/^[1-9]\d{0,3}$/.test(days)) throw new Error('--days is a whole number from 1 to 9999.')
  const descriptor = fs.openSync(file, 'wx', 0o600) // first, so that no key is made that nobody gets
  try {
    const scopes = permissions.filter((name) => operator || !name.startsWith('installation:'))
    const expiresAt = new Date(Date.now() + Number(days) * DAY_MS)
    const { id, key } = await createApiKey(pool, { organizationId, name: 'made on the server', expiresAt, scopes })
    fs.writeSync(descriptor, `${key}\n`)
    process.stdout.write(`key_${id} is in ${file}, good until ${expiresAt.toISOString()}\n`)
  } catch (error) {
    fs.rmSync(file)
    throw error
  } finally {
    fs.closeSync(descriptor)
  }
}

async function idOf(pool: Pool, slug: string): Promise<string | undefined> {
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM organizations WHERE slug = $1', [slug])
  return rows[0]?.id
}
