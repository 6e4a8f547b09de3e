import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ensureDemoDevice } from './demo-device.ts'
import type { Folders } from './folders.ts'
import type { Answer, Rest } from './rest.ts'

let folder: string
let folders: Folders

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(tmpdir(), 'culvert-demo-device-'))
  folders = { demo: path.join(folder, 'demo.json'), demoPsk: path.join(folder, 'demo.psk') } as Folders
})
afterEach(() => {
  fs.rmSync(folder, { recursive: true })
})

/** An API that knows the demo device and keeps at most two active credentials of it, listed newest first. */
function apiWith(credentials: { id: string; state: string }[]): Rest {
  const answer = (status: number, body: unknown = {}) => Promise.resolve({ status, body } as Answer<never>)
  const isActive = ({ state }: { state: string }): boolean => state === 'active'
  return (method, route) => {
    if (route.startsWith('/v1/devices?iccid=')) return answer(200, { data: [{ id: 'dev_1' }] })
    if (route === '/v1/devices/dev_1') return answer(200, { id: 'dev_1' })
    if (method === 'GET') return answer(200, { data: credentials })
    if (method === 'DELETE') {
      for (const one of credentials) if (route.endsWith(`/${one.id}`)) one.state = 'revoked'
      return answer(204)
    }
    if (credentials.filter(isActive).length >= 2) return answer(409, { code: 'credential_limit' })
    credentials.unshift({ id: 'crd_new', state: 'active' })
    return answer(201, { psk: 'hush' })
  }
}

test('the oldest active key makes way when the device has two already and the file of its key is gone', async () => {
  const credentials = ['active', 'active', 'revoked'].map((state, i) => ({ id: `crd_${3 - i}`, state }))
  await ensureDemoDevice(folders, apiWith(credentials))
  expect(fs.readFileSync(folders.demoPsk, 'utf8')).toBe('hush')
  expect(credentials.filter(({ state }) => state === 'active').map(({ id }) => id)).toEqual(['crd_new', 'crd_3'])
})

test('no key is revoked while there is room, and none is issued while the kept one is known', async () => {
  const credentials = [{ id: 'crd_1', state: 'active' }]
  const rest = apiWith(credentials)
  await ensureDemoDevice(folders, rest)
  await ensureDemoDevice(folders, rest)
  expect(credentials.map(({ id, state }) => `${id} ${state}`)).toEqual(['crd_new active', 'crd_1 active'])
})
