import { execFile } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const folder = path.join(import.meta.dirname, '..')

it('what npx culvert runs is there after npm ci, and works from a checkout wherever it is called', async () => {
  const { bin } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')) as { bin: { culvert: string } }
  const file = path.join(folder, bin.culvert)
  // npm links only what exists when it installs, before anything is built.
  fs.accessSync(file, fs.constants.X_OK)
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, [file, '--help'], { cwd: os.tmpdir() })
  expect(stdout).toContain('culvert listen --forward-to')
  await expect(run(process.execPath, [file, 'listen'], { cwd: os.tmpdir() })).rejects.toMatchObject({ code: 2 })
})
