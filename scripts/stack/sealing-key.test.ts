import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Folders } from './folders.ts'
import { ensureSealingKey } from './sealing-key.ts'

let data: string
let folders: Folders

const embedded = (held: boolean) => ({ givenUrl: null, holdCredentials: () => Promise.resolve(held) })

beforeEach(() => {
  data = fs.mkdtempSync(path.join(tmpdir(), 'culvert-sealing-'))
  folders = {
    data,
    postgres: '/var/lib/culvert/0123456789ab/postgres',
    sealingPublicKey: path.join(data, 'sealing-key.pub'),
    sealingPrivateKey: path.join(data, 'sealing-key'),
  } as Folders
})
afterEach(() => {
  fs.rmSync(data, { recursive: true })
})

test('makes a pair once and keeps it, whatever the database holds', async () => {
  const made = await ensureSealingKey(folders, embedded(false))
  expect(await ensureSealingKey(folders, embedded(true))).toBe(made)
  expect(fs.statSync(folders.sealingPrivateKey).mode & 0o777).toBe(0o600)
})

test('a lost key of stored credentials is told with the folder of the database, and no other key is made', async () => {
  await expect(ensureSealingKey(folders, embedded(true))).rejects.toThrow(
    'The data of an earlier run are still in /var/lib/culvert/0123456789ab/postgres, but the key to its credentials is gone: ' +
      `put sealing-key and sealing-key.pub back into ${data}, or, to begin anew, ` +
      'remove that folder too (`rm -r /var/lib/culvert/0123456789ab/postgres`).',
  )
  expect(fs.readdirSync(data)).toEqual([])
})

test('a private key without its public one is not overwritten', async () => {
  await ensureSealingKey(folders, embedded(false))
  const kept = fs.readFileSync(folders.sealingPrivateKey, 'utf8')
  fs.rmSync(folders.sealingPublicKey)
  await expect(ensureSealingKey(folders, embedded(true))).rejects.toThrow('put sealing-key.pub back into')
  expect(fs.readFileSync(folders.sealingPrivateKey, 'utf8')).toBe(kept)
})

test('a database of one’s own is named without its password', async () => {
  const own = { ...embedded(true), givenUrl: 'postgresql://me:hush@db.example:5432/fleet' }
  const failure: unknown = await ensureSealingKey(folders, own).catch((error: unknown) => error)
  expect(String(failure)).toContain('in the database db.example:5432/fleet (DATABASE_URL)')
  expect(String(failure)).toContain('name an empty database')
  expect(String(failure)).not.toContain('hush')
})
