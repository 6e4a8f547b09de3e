import { expect, it } from 'vitest'
import { createCredentialCache, type CachedCredential } from './credential-cache.ts'

const limits = { entries: 2, freshMs: 100, staleMs: 1000, unknownMs: 10 }

function credential(deviceId: string): CachedCredential {
  const psks = [{ id: `crd_${deviceId}`, secret: Uint8Array.of(1, 2, 3) }]
  return { deviceId, organizationId: 'org_a', address4: '10.128.0.5', policyVersion: 1, psks }
}

it('answers fresh, then stale, then nothing', () => {
  const cache = createCredentialCache(limits)
  cache.put('a.example', credential('dev_a'), 0)
  expect(cache.get('a.example', 100).kind).toBe('fresh')
  expect(cache.get('a.example', 101).kind).toBe('stale')
  expect(cache.get('a.example', 1001).kind).toBe('miss')
  expect(cache.size).toBe(0)
})

it('remembers an unknown identity only briefly and never as stale', () => {
  const cache = createCredentialCache(limits)
  cache.put('nobody.example', null, 0)
  expect(cache.get('nobody.example', 10)).toEqual({ kind: 'fresh', credential: null })
  expect(cache.get('nobody.example', 11).kind).toBe('miss')
})

it('stays within its bound, the oldest entry goes first', () => {
  const cache = createCredentialCache(limits)
  for (const name of ['a', 'b', 'c']) cache.put(`${name}.example`, credential(`dev_${name}`), 0)
  expect(cache.size).toBe(2)
  expect(cache.get('a.example', 1).kind).toBe('miss')
  expect(cache.get('c.example', 1).kind).toBe('fresh')
})

it('forgets a device by id and overwrites its secret', () => {
  const cache = createCredentialCache(limits)
  const kept = credential('dev_a')
  cache.put('a.example', kept, 0)
  cache.forgetDevice('dev_a')
  expect(cache.get('a.example', 1).kind).toBe('miss')
  expect([...(kept.psks[0]?.secret ?? [])]).toEqual([0, 0, 0])
})
