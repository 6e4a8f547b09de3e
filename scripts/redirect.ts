/**
 * `npm run redirect -- NODE GATEWAY`: devices of a concentrator are sent to another gateway (RFC 5685), an IP address or a name that
 * they reach, until `npm run redirect -- NODE stay`. Works on DATABASE_URL; the running node is told at once. Exit status 1: there is
 * no such node, or the gateway is the node itself; 2: it could not be told.
 */
import { canonicalIp } from '@culvert/bytes'
import { openPool, redirectConcentrator } from '@culvert/db'

const NAME = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

const [node, gateway] = process.argv.slice(2)

try {
  if (!node || !gateway) throw new Error('Usage: npm run redirect -- NODE GATEWAY | stay')
  const url = process.env['DATABASE_URL']
  if (!url) throw new Error('DATABASE_URL is not set.')
  process.exitCode = (await redirect(url, node, gateway === 'stay' ? null : canonical(gateway))) ? 0 : 1
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 2
}

async function redirect(url: string, id: string, to: string | null): Promise<boolean> {
  const pool = openPool(url, { max: 1, applicationName: 'culvert-redirect' })
  try {
    const isDone = await redirectConcentrator(pool, id, to)
    if (isDone) process.stdout.write(`${id}: devices ${to === null ? 'stay' : `are sent to ${to}`}\n`)
    else process.stderr.write(`${id} is no concentrator, or ${to} is its own address.\n`)
    return isDone
  } finally {
    await pool.end()
  }
}

function canonical(text: string): string {
  const address = canonicalIp(text)
  if (address !== undefined) return address
  const name = text.toLowerCase()
  if (!NAME.test(name)) throw new Error(`${text} is neither an IP address nor a full name.`)
  return name
}
