import { createDatabase, runScript, type ScriptResult } from '@culvert/testkit'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, inject, it } from 'vitest'

it('npm run secrets makes a sealing key pair, adds a new one behind it, and asks for its private key before it seals anew', async () => {
  const url = await createDatabase(inject('databaseUrl'))
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'culvert-secrets-'))
  const file = path.join(folder, 'sealing-key')
  const run = (...args: string[]): Promise<ScriptResult> => runScript('secrets.ts', args, url)
  const keys = (): string[] => fs.readFileSync(file, 'utf8').trim().split('\n')
  try {
    const { stdout: first } = await run('new-pair', file)
    expect(fs.statSync(file).mode & 0o777).toBe(0o600)
    const [firstPrivate] = keys()
    expect(await run('new-pair', file)).toMatchObject({ code: 2 })
    expect(keys()).toEqual([firstPrivate])

    const { stdout: second } = await run('new-key', file)
    expect(keys()).toEqual([firstPrivate, expect.stringMatching(/^[\w-]+$/)])
    for (const command of ['rotate', 'rotate-webhooks'])
      expect(await run(command, file, second.trim())).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^0 secrets/) as string,
      })
    expect(await run('rotate', file, first.trim())).toMatchObject({ code: 0 })

    fs.writeFileSync(file, `${firstPrivate}\n`)
    for (const command of ['rotate', 'rotate-webhooks'])
      expect(await run(command, file, second.trim())).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('does not hold the private key') as string,
      })
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}, 120_000)
