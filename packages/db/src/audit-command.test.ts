import { createDatabase, runScript, type ScriptResult } from '@culvert/testkit'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, inject, it } from 'vitest'
import { appendAudit, inTenantTransaction, openPool, systemAuthor } from './index.ts'

it('npm run audit -- verify tells what holds, keeps the heads, and fails when an entry was changed', async () => {
  const url = await createDatabase(inject('databaseUrl'))
  const pool = openPool(url, { max: 1 })
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'culvert-audit-'))
  const heads = path.join(folder, 'heads.json')
  const run = (...args: string[]): Promise<ScriptResult> => runScript('audit.ts', args, url)
  const append = (targetId: string): Promise<void> =>
    inTenantTransaction(pool, 'org_a', (tx) => {
      const what = { action: 'device.updated', targetType: 'device', targetId }
      return appendAudit(tx, { organizationId: 'org_a', by: systemAuthor('test'), ...what })
    })
  try {
    await append('dev_a')
    expect(await run('verify', '--heads', heads)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/org_a: 1 entries hold, head [0-9a-f]{64}/) as string,
    })
    await pool.query(`SET session_replication_role = replica`)
    await pool.query(`DELETE FROM audit_log; DELETE FROM audit_heads`)
    await pool.query(`RESET session_replication_role`)
    expect(await run('verify', '--heads', heads)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('org_a: DOES NOT HOLD') as string,
    })
  } finally {
    await pool.end()
    fs.rmSync(folder, { recursive: true })
  }
}, 120_000)
