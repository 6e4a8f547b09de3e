/**
 * Runs a command in packages/db with DATABASE_URL naming a throw-away PostgreSQL:
 * `npm run prisma -- migrate deploy`.
 */
import { scratchFolder, startPostgres } from '@culvert/services'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const [command, ...args] = process.argv.slice(2)
if (!command) {
  process.stderr.write('Usage: with-postgres.ts <command> [arguments]\n')
  process.exit(1)
}
const folder = await scratchFolder()
const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), durable: false })
const url = new URL(postgres.url)
url.pathname = '/scratch'
const child = spawn(command, args, {
  stdio: 'inherit',
  cwd: fileURLToPath(new URL('../packages/db', import.meta.url)),
  env: { ...process.env, DATABASE_URL: url.href },
})
const [code] = (await once(child, 'exit')) as [number | null]
await postgres.stop()
await rm(folder, { recursive: true, force: true })
process.exit(code ?? 1)
