/**
 * Where a run keeps things: `.data/` in the checkout, or the folder CULVERT_DATA names. The servers' data lie there too, or under /var/lib where root's own
 * folders are closed to PostgreSQL's account.
 */
import { dataRoot } from '@culvert/services'
import fs from 'node:fs'
import path from 'node:path'
import { Problem } from './problem.ts'

export const root = path.resolve(import.meta.dirname, '../..')

export interface Folders {
  readonly data: string
  readonly logs: string
  readonly postgres: string
  readonly redis: string
  readonly sealingPublicKey: string
  readonly sealingPrivateKey: string
  /** The pair that the keys of webhooks are sealed with. */
  readonly webhookPublicKey: string
  readonly webhookPrivateKey: string
  /** Key and certificate of the certificate authority. */
  readonly authority: string
  readonly firstKey: string
  /** Of who runs the installation: sees its nodes, and nothing of any organization. */
  readonly operatorKey: string
  /** The demo device: its id, and its pre-shared key in a file of its own. */
  readonly demo: string
  readonly demoPsk: string
  readonly run: string
}

export function prepareFolders(): Folders {
  const data = path.resolve(process.env['CULVERT_DATA'] || path.join(root, '.data'))
  try {
    fs.mkdirSync(path.join(data, 'logs'), { recursive: true })
    fs.accessSync(data, fs.constants.W_OK)
    fs.accessSync(path.join(data, 'logs'), fs.constants.W_OK)
  } catch (error) {
    throw new Problem(
      `${data} belongs to another account, perhaps of an earlier \`sudo npm start\`: start with sudo again.`,
      error,
    )
  }
  const servers = dataRoot(data)
  return {
    data,
    logs: path.join(data, 'logs'),
    postgres: path.join(servers, 'postgres'),
    redis: path.join(servers, 'redis'),
    sealingPublicKey: path.join(data, 'sealing-key.pub'),
    sealingPrivateKey: path.join(data, 'sealing-key'),
    webhookPublicKey: path.join(data, 'webhook-key.pub'),
    webhookPrivateKey: path.join(data, 'webhook-key'),
    authority: path.join(data, 'authority.pem'),
    firstKey: path.join(data, 'first-key'),
    operatorKey: path.join(data, 'operator-key'),
    demo: path.join(data, 'demo-device.json'),
    demoPsk: path.join(data, 'demo-device.psk'),
    run: path.join(data, 'run.json'),
  }
}

/** Writes a file that only this account can read, complete or not at all. */
export function writeSecret(file: string, text: string): void {
  const part = `${file}.part`
  fs.rmSync(part, { force: true })
  fs.writeFileSync(part, text, { mode: 0o600, flag: 'wx' }) // never through a link that somebody else has put there
  fs.renameSync(part, file)
}

export function readIfThere(file: string): string | null {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim() : null
}

export function isInside(folder: string, file: string): boolean {
  return !path.relative(folder, file).startsWith('..')
}

/** The path as a person in the checkout would write it. */
export function shortPath(file: string): string {
  const relative = path.relative(process.cwd(), file)
  return relative.startsWith('..') ? file : relative
}
