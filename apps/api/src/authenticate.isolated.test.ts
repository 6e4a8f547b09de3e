import { makeApiKey, parseApiKey, type Pool } from '@culvert/db'
import crypto from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { expect, it, vi } from 'vitest'
import { authenticator } from './authenticate.ts'

const work = vi.hoisted(() => ({ compared: 0, hashed: 0 }))
vi.mock('node:crypto', async (original) => {
  const real = await original<typeof crypto>()
  return {
    ...real,
    timingSafeEqual: (a: Uint8Array, b: Uint8Array) => (work.compared++, real.timingSafeEqual(a, b)),
    createHash: (name: string) => (work.hashed++, real.createHash(name)),
  }
})

const { id, key, secretHash } = makeApiKey()
const row = { organizationId: 'org_a', secretHash, formerSecretHash: null, scopes: null, admitted: true, stale: false }

/** @returns what is done for a key when the database answers this */
async function done(given: string, rows: object[]): Promise<object> {
  const statements: unknown[] = []
  const pool = { query: async (statement: unknown) => (statements.push(statement), { rows }) } as unknown as Pool
  const request = {
    headers: { authorization: `Bearer ${given}` },
    ip: '192.0.2.1',
    routeOptions: { config: { permission: 'devices:read' } },
  } as unknown as FastifyRequest
  Object.assign(work, { compared: 0, hashed: 0 })
  const outcome = await authenticator(
    pool,
    null,
  )(request).then(
    () => 'admitted',
    (error: { code: string }) => error.code,
  )
  return { outcome, statements: statements.length, ...work }
}

it('A11 an API key that nobody has costs the same work as one whose secret is wrong, or is right', async () => {
  const other = makeApiKey(id)
  const same = { statements: 1, compared: 2, hashed: 2 }
  expect(parseApiKey(key)?.id).toBe(id)
  expect(await done(key, [row])).toEqual({ outcome: 'admitted', ...same })
  expect(await done(other.key, [row])).toEqual({ outcome: 'unauthenticated', ...same })
  expect(await done(other.key, [])).toEqual({ outcome: 'unauthenticated', ...same })
  expect(await done(key, [{ ...row, admitted: false }])).toEqual({ outcome: 'unauthenticated', ...same })
  expect(await done(key, [{ ...row, formerSecretHash: other.secretHash }])).toEqual({ outcome: 'admitted', ...same })
})

it('A11 what is no key is refused before anything is asked, whatever it looks like', async () => {
  for (const text of ['', 'x', key.slice(0, -1), `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`])
    expect(await done(text, [row])).toEqual({ outcome: 'unauthenticated', statements: 0, compared: 0, hashed: 0 })
})
