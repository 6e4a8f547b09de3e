/**
 * `npm run audit -- verify [--heads FILE]`: recomputes the audit chains of all organizations from DATABASE_URL. With a file, the
 * heads told in it before must still be part of the chains, and where all holds the present heads are written into it: keep
 * it where nobody who can write the database can. Exit status 1: a chain does not hold; 2: it could not be told.
 */
import { auditedOrganizations, openPool, verifyAuditChain, type ChainHead } from '@culvert/db'
import fs from 'node:fs'
import { parseArgs } from 'node:util'

type Heads = Record<string, ChainHead>

try {
  process.exitCode = (await verify(readArguments())) ? 0 : 1
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 2
}

function readArguments(): { url: string; headsFile: string | undefined } {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { heads: { type: 'string' }, help: { type: 'boolean', default: false } },
  })
  const url = process.env['DATABASE_URL']
  if (values.help || positionals.join(' ') !== 'verify')
    throw new Error('Usage: npm run audit -- verify [--heads FILE]')
  if (!url) throw new Error('DATABASE_URL is not set.')
  return { url, headsFile: values.heads }
}

async function verify({ url, headsFile }: ReturnType<typeof readArguments>): Promise<boolean> {
  const known = headsFile !== undefined && fs.existsSync(headsFile) ? readHeads(headsFile) : {}
  const pool = openPool(url, { max: 1, applicationName: 'culvert-audit' })
  try {
    const heads: Heads = {}
    let holds = true
    const organizations = new Set([...(await auditedOrganizations(pool)), ...Object.keys(known)])
    for (const id of organizations) {
      const { fault, head, entries } = await verifyAuditChain(pool, id, known[id])
      heads[id] = head
      if (fault) holds = false
      const text = fault
        ? `DOES NOT HOLD at entry ${fault.sequence} (${fault.kind}): ${fault.detail}`
        : `${entries} entries hold, head ${head.hash}`
      process.stdout.write(`${id}: ${text}\n`)
    }
    if (holds && headsFile !== undefined) fs.writeFileSync(headsFile, `${JSON.stringify(heads, null, 2)}\n`)
    return holds
  } finally {
    await pool.end()
  }
}

function readHeads(file: string): Heads {
  return JSON.parse(fs.readFileSync(file, 'utf8')) as Heads
}
