/**
 * The unprivileged account that PostgreSQL runs under when this process is root, and what that account can reach.
 *
 * PostgreSQL refuses to run as root. A folder that is closed to others (such as root's home) hides both the server's files
 * and its data from the account: the files are then copied, and the data kept, under /var/lib/culvert.
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const OPEN_ROOT = '/var/lib/culvert'
const SEARCH_BY_OTHERS = 0o001

export interface Account {
  readonly uid: number
  readonly gid: number
}

/**
 * @param dataDir data that is there already stays its owner's
 * @returns when this process is root: the owner of `dataDir`, else `postgres` or `nobody` of /etc/passwd; null otherwise (the
 *   process's own account serves)
 */
export function serverAccount(dataDir: string): Account | null {
  if (process.getuid?.() !== 0) return null
  const accounts = new Map<string, Account>()
  for (const line of fs.readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name = '', , uid, gid] = line.split(':')
    accounts.set(name, { uid: Number(uid), gid: Number(gid) })
  }
  const owner = fs.existsSync(path.join(dataDir, 'PG_VERSION')) ? fs.statSync(dataDir).uid : 0
  const account =
    [...accounts.values()].find(({ uid }) => owner !== 0 && uid === owner) ??
    accounts.get('postgres') ??
    accounts.get('nobody')
  if (!account) throw new Error('root cannot run PostgreSQL, and /etc/passwd has neither postgres nor nobody')
  return account
}

/** @returns `folder`, or a copy of it under /var/lib/culvert where the way to it is closed to the account. */
export function readableBy(account: Account | null, folder: string, version: string): string {
  if (!account || closedFolders(folder).length === 0) return folder
  const copy = path.join(OPEN_ROOT, version)
  if (fs.existsSync(copy)) return copy
  const part = `${copy}.${process.pid}.part`
  fs.mkdirSync(OPEN_ROOT, { recursive: true, mode: 0o755 })
  fs.cpSync(folder, part, { recursive: true, verbatimSymlinks: true })
  try {
    fs.renameSync(part, copy)
  } catch (error) {
    if (!fs.existsSync(copy)) throw error
    fs.rmSync(part, { recursive: true }) // another process was faster
  }
  return copy
}

/** Makes `dataDir` the account's, private, and reachable when it lies in a temporary folder of this process's own. */
export function giveTo(account: Account | null, dataDir: string): void {
  fs.mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  if (!account) return
  fs.chownSync(dataDir, account.uid, account.gid)
  for (const dir of closedFolders(dataDir)) {
    if (!dir.startsWith(`${tmpdir()}/`)) {
      throw new Error(`PostgreSQL's account cannot reach ${dataDir}: ${dir} is closed to others`)
    }
    fs.chmodSync(dir, fs.statSync(dir).mode | SEARCH_BY_OTHERS)
  }
}

/** Where servers keep their data: `preferred`, or a folder of its own under /var/lib/culvert where the account cannot go there. */
export function dataRoot(preferred: string): string {
  fs.mkdirSync(preferred, { recursive: true })
  if (process.getuid?.() !== 0 || closedFolders(path.join(preferred, 'postgres')).length === 0) return preferred
  const own = path.join(OPEN_ROOT, createHash('sha256').update(preferred).digest('hex').slice(0, 12))
  fs.mkdirSync(own, { recursive: true, mode: 0o755 })
  return own
}

function closedFolders(target: string): string[] {
  const closed: string[] = []
  for (let dir = path.dirname(target); ; dir = path.dirname(dir)) {
    if ((fs.statSync(dir).mode & SEARCH_BY_OTHERS) === 0) closed.push(dir)
    if (dir === path.dirname(dir)) return closed
  }
}
