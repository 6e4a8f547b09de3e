import { execFile } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { generateSealingKeyPair } from '@culvert/db'
import { createDatabase } from '@culvert/testkit'

const ROOT = path.resolve(import.meta.dirname, '../..')
const NOWHERE_POSTGRES = 'postgresql://nobody:secret-word@127.0.0.1:1/none'
const NOWHERE_REDIS = 'redis://127.0.0.1:1'
const apps = ['api', 'worker', 'signer', 'gateway', 'concentrator'] as const

let folder: string
let databaseUrl: string
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(tmpdir(), 'culvert-nowhere-'))
  const sealing = await generateSealingKeyPair()
  const keyFile = path.join(folder, 'sealing.key')
  fs.writeFileSync(keyFile, sealing.privateKey, { mode: 0o600 })
  databaseUrl = await createDatabase(inject('databaseUrl'))
  env = {
    ...process.env,
    NODE_NAME: 'node-1',
    API_PORT: '18089',
    SEALING_PUBLIC_KEY: sealing.publicKey,
    SEALING_PRIVATE_KEY_FILE: keyFile,
    SIGNER_KEY_FILE: path.join(folder, 'authority.pem'),
    CONCENTRATOR_ADDRESS: '127.0.0.1',
    GATEWAY_BIND: '127.0.0.1',
    GATEWAY_PUBLIC_HOST: '127.0.0.1',
    GATEWAY_PORT_RANGE: '20000-20999',
    LOG_LEVEL: 'error',
  }
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

function run(app: string, changes: NodeJS.ProcessEnv): Promise<{ code: number; stderr: string }> {
  const main = path.join(ROOT, `apps/${app}/src/main.ts`)
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--conditions=source', main],
      { env: { ...env, ...changes }, timeout: 30_000, killSignal: 'SIGKILL' },
      (_error, _stdout, stderr) => resolve({ code: child.exitCode ?? -1, stderr }),
    )
  })
}

describe.each(apps)('%s', (app) => {
  it.each([
    ['PostgreSQL', () => ({ DATABASE_URL: NOWHERE_POSTGRES, REDIS_URL: '' })],
    ['Redis', () => ({ DATABASE_URL: databaseUrl, REDIS_URL: NOWHERE_REDIS })],
  ])('says in one sentence that %s cannot be reached, and ends with 1', async (server, changes) => {
    const { code, stderr } = await run(app, changes())
    expect(code).toBe(1)
    const lines = stderr.trim().split('\n')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain(server)
    expect(stderr).not.toContain('secret-word')
  })
})
