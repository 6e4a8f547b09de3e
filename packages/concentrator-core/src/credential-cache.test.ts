import { expect, it } from 'vitest'
import { wipeDevice, type CachedDevice } from './cached-device.ts'
import { createCredentialCache } from './credential-cache.ts'

const limits = { entries: 2, freshMs: 100, staleMs: 1000, unknownMs: 10 }

function device(deviceId: string): CachedDevice {
  return {
    deviceId,
    organizationId: 'org_a',
    identity: 'a.example',
    address4: '10.128.0.5',
    address6: null,
    lanPrefixes: [],
    policyVersion: 1,
    pools: ['10.128.0.0/20'],
    limits: {
      networkId: 'net_a',
      deviceToDevice: false,
      rateLimit: null,
      quota: null,
      usage: { day: 0, month: 0, total: 0 },
    },
    tiers: ['modern'],
    dnsServers: [],
    dnsDomains: [],
    reauthenticateAfterSec: null,
    credentials: [
      { kind: 'psk', id: 'crd_1', secret: Uint8Array.of(1, 2, 3) },
      { kind: 'eap', id: 'crd_2', userName: 'x.a.example', secret: Uint8Array.of(4) },
      { kind: 'ppk', id: 'crd_3', identity: 'x.ppk', isRequired: true, secret: Uint8Array.of(5) },
      { kind: 'certificate', id: 'crd_4', fingerprint: 'ab', authority: null },
    ],
  }
}

const secretsOf = (known: CachedDevice | null): number[][] =>
  known?.credentials.flatMap((credential) => (credential.kind === 'certificate' ? [] : [[...credential.secret]])) ?? []

it('answers fresh, then stale, then nothing', () => {
  const cache = createCredentialCache(limits)
  cache.put('a.example', device('dev_a'), 0)
  expect(cache.get('a.example', 100).kind).toBe('fresh')
  expect(cache.get('a.example', 101).kind).toBe('stale')
  expect(cache.get('a.example', 1001).kind).toBe('miss')
  expect(cache.size).toBe(0)
})

it('remembers an unknown identity only briefly and never as stale', () => {
  const cache = createCredentialCache(limits)
  cache.put('nobody.example', null, 0)
  expect(cache.get('nobody.example', 10)).toEqual({ kind: 'fresh', device: null })
  expect(cache.get('nobody.example', 11).kind).toBe('miss')
})

it('stays within its bound, the oldest entry goes first', () => {
  const cache = createCredentialCache(limits)
  for (const name of ['a', 'b', 'c']) cache.put(`${name}.example`, device(`dev_${name}`), 0)
  expect(cache.size).toBe(2)
  expect(cache.get('a.example', 1).kind).toBe('miss')
  expect(cache.get('c.example', 1).kind).toBe('fresh')
})

it('lets no number of unknown identities push out a known one', () => {
  const cache = createCredentialCache(limits)
  cache.put('a.example', device('dev_a'), 0)
  for (let i = 0; i < 50; i++) cache.put(`guess-${i}.example`, null, 0)
  expect(cache.get('a.example', 1).kind).toBe('fresh')
  expect(cache.size).toBe(1 + limits.entries)
})

it('forgets a device by id, also after its identity changed', () => {
  const cache = createCredentialCache(limits)
  cache.put('old.example', device('dev_a'), 0)
  cache.put('new.example', device('dev_a'), 0)
  expect(cache.get('old.example', 1).kind).toBe('miss')
  cache.forgetDevice('dev_a')
  expect(cache.get('new.example', 1).kind).toBe('miss')
})

it('gives out copies: a secret in use is not zeroed when its entry goes, and the secret put in is not kept', () => {
  const cache = createCredentialCache(limits)
  const given = device('dev_a')
  cache.put('a.example', given, 0)
  wipeDevice(given)
  const answer = cache.get('a.example', 1)
  cache.forgetDevice('dev_a')
  expect(answer.kind === 'miss' ? null : secretsOf(answer.device)).toEqual([[1, 2, 3], [4], [5]])
})

it('gives out copies of a secret that came as a Buffer, whose slice is the same memory', () => {
  const cache = createCredentialCache(limits)
  const given: CachedDevice = {
    ...device('dev_a'),
    credentials: [{ kind: 'psk', id: 'crd_1', secret: Buffer.of(1, 2) }],
  }
  cache.put('a.example', given, 0)
  wipeDevice(given)
  for (let times = 0; times < 2; times++) {
    const answer = cache.get('a.example', 1)
    const known = answer.kind === 'miss' ? null : answer.device
    expect(secretsOf(known)).toEqual([[1, 2]])
    if (known !== null) wipeDevice(known)
  }
})

it('zeroes the secrets of every kind that are not handed on', () => {
  const known = device('dev_a')
  wipeDevice(known, ['psk'])
  expect(secretsOf(known)).toEqual([[1, 2, 3], [0], [0]])
})

it('tells a lookup which devices were forgotten while it was under way', () => {
  const cache = createCredentialCache(limits)
  cache.forgetDevice('dev_before')
  const [first, second] = [cache.watch(), cache.watch()]
  cache.forgetDevice('dev_a')
  expect(['dev_before', 'dev_a', 'dev_b'].map((id) => first.hasForgotten(id))).toEqual([false, true, false])
  first.end()
  cache.clear()
  expect(second.hasForgotten('dev_b')).toBe(true)
  expect(cache.watch().hasForgotten('dev_b')).toBe(false)
})

it('asks again about unknown identities after a notice about a device it does not know: it may be new', () => {
  const cache = createCredentialCache(limits)
  cache.put('new.example', null, 0)
  cache.put('a.example', device('dev_a'), 0)
  cache.forgetDevice('dev_a')
  expect(cache.get('new.example', 1).kind).toBe('fresh')
  const watch = cache.watch()
  expect(watch.hasForgottenAny).toBe(false)
  cache.forgetDevice('dev_new')
  expect(watch.hasForgottenAny).toBe(true)
  expect(cache.get('new.example', 1).kind).toBe('miss')
})
