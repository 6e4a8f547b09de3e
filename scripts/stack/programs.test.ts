import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Folders, root, writeSecret } from './folders.ts'
import { createPrograms } from './programs.ts'
import { createTeardown } from './teardown.ts'

let folder: string

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(tmpdir(), 'culvert-programs-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  fs.rmSync(folder, { recursive: true })
})

test('a program gets the passwords it is told of and not those of the launcher; nobody else can read its log', async () => {
  vi.stubEnv('DATABASE_URL', 'postgresql://u:hush@db/culvert')
  vi.stubEnv('REDIS_URL', 'redis://:hush@cache')
  const main = path.join(folder, 'main.ts')
  fs.writeFileSync(main, 'process.stdout.write(JSON.stringify(process.env))')
  const died = Promise.withResolvers<void>()
  const run = { started: () => undefined, remove: () => undefined }
  const folders = { logs: folder } as Folders
  const programs = createPrograms(folders, run, createTeardown(), () => died.resolve())
  programs.start({ name: 'one', main: path.relative(root, main), env: { REDIS_URL: 'redis://told' } })
  await died.promise
  const log = path.join(folder, 'one.log')
  const env = JSON.parse(fs.readFileSync(log, 'utf8')) as NodeJS.ProcessEnv
  expect(env['DATABASE_URL']).toBeUndefined()
  expect(env['REDIS_URL']).toBe('redis://told')
  expect(env['PATH']).toBe(process.env['PATH'])
  expect(fs.statSync(log).mode & 0o777).toBe(0o600)
})

test('a secret is written for this account only, and never through a link', () => {
  const [file, elsewhere] = [path.join(folder, 'key'), path.join(folder, 'elsewhere')]
  fs.writeFileSync(elsewhere, 'mine')
  fs.symlinkSync(elsewhere, `${file}.part`)
  writeSecret(file, 'hush')
  expect(fs.readFileSync(file, 'utf8')).toBe('hush')
  expect(fs.lstatSync(file).isSymbolicLink()).toBe(false)
  expect(fs.statSync(file).mode & 0o777).toBe(0o600)
  expect(fs.readFileSync(elsewhere, 'utf8')).toBe('mine')
})
