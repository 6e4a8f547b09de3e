import { createDatabase, runScript, type ScriptResult } from '@culvert/testkit'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, inject, it } from 'vitest'
import { findApiKey, openPool, parseApiKey } from './index.ts'

it('npm run organizations makes an organization and a key for it, in a file that is new and of nobody else', async () => {
  const url = await createDatabase(inject('databaseUrl'))
  const pool = openPool(url, { max: 1 })
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'culvert-organizations-'))
  const file = path.join(folder, 'key')
  const run = (...args: string[]): Promise<ScriptResult> => runScript('organizations.ts', args, url)
  try {
    const { stdout: id } = await run('add', 'acme', '--name', 'Acme')
    expect((await run('list')).stdout).toBe(`${id.trim()}  acme  Acme\n`)
    expect((await run('add', 'acme', '--name', 'Other')).stderr).toBe('There is an organization acme already.\n')
    expect(await run('--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('npm run organizations') })
    expect(await run('key', 'other', '--file', file)).toMatchObject({ code: 2 })
    expect(fs.existsSync(file)).toBe(false)

    expect(await run('key', 'acme', '--file', file, '--days', '3')).toMatchObject({ code: 0 })
    expect(fs.statSync(file).mode & 0o777).toBe(0o600)
    const stored = await findApiKey(pool, parseApiKey(fs.readFileSync(file, 'utf8').trim())!.id, null)
    expect(stored).toMatchObject({ organizationId: id.trim() })
    expect(stored!.scopes).not.toContain('installation:read')
    expect((await run('key', 'acme', '--file', file)).stderr).toMatch(/EEXIST/)
    const operator = `${file}-operator`
    await run('key', 'acme', '--file', operator, '--operator')
    const { id: operatorId } = parseApiKey(fs.readFileSync(operator, 'utf8').trim())!
    expect((await findApiKey(pool, operatorId, null))!.scopes).toContain('installation:read')
  } finally {
    await pool.end()
    fs.rmSync(folder, { recursive: true })
  }
}, 120_000)
