import { processMark } from '@culvert/services'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { takeRunFile } from './run-file.ts'

let folder: string
let file: string

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(tmpdir(), 'culvert-run-file-'))
  file = path.join(folder, 'run.json')
})
afterEach(() => {
  fs.rmSync(folder, { recursive: true })
})

test('refuses a second run while the first lives, and takes over after it is gone', async () => {
  const run = await takeRunFile(file)
  await expect(takeRunFile(file)).rejects.toThrow(`Culvert already runs (process ${process.pid}`)
  run.remove()
  await expect(takeRunFile(file)).resolves.toBeDefined()
})

test('ends what a killed run left, and nothing that merely has the same number', async () => {
  const orphan = spawn('sleep', ['1000'], { detached: true })
  const stranger = spawn('sleep', ['1000'], { detached: true })
  await Promise.all([once(orphan, 'spawn'), once(stranger, 'spawn')])
  const children = [processMark(orphan.pid), `${stranger.pid}:1`]
  fs.writeFileSync(file, JSON.stringify({ launcher: `${process.pid}:1`, children }))

  const gone = once(orphan, 'exit')
  await takeRunFile(file)
  expect((await gone)[1]).toBe('SIGTERM')
  expect(stranger.exitCode ?? stranger.signalCode).toBeNull()
  stranger.kill('SIGKILL')
  await once(stranger, 'exit')
})
