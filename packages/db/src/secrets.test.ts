import { type CryptoProvider, type KeyExchangePrivate, nobleProvider, opensslProvider, type Rng } from '@culvert/crypto'
import { describe, expect, it, vi } from 'vitest'
import {
  createSecretOpener,
  createSecretSealer,
  generateSealingKeyPair,
  idSuffix,
  makeApiKey,
  newId,
  openSecret,
  parseApiKey,
  sealingKeyId,
  sealSecret,
  verifyApiKey,
} from './index.ts'

const binding = { organizationId: 'org_a', deviceId: 'dev_b', credentialId: 'crd_c' }
const secret = new TextEncoder().encode('a device secret')

describe('sealed secrets', () => {
  it('open with the private key and the same binding', async () => {
    const { publicKey, privateKey, keyId } = await generateSealingKeyPair()
    const sealed = await sealSecret(publicKey, secret, binding)
    expect(openSecret(privateKey, sealed, binding)).toEqual(secret)
    expect(keyId).toBe(sealingKeyId(publicKey))
    expect(Buffer.from(sealed).includes(Buffer.from(secret))).toBe(false)
  })

  it('differ each time the same secret is sealed', async () => {
    const { publicKey } = await generateSealingKeyPair()
    expect(await sealSecret(publicKey, secret, binding)).not.toEqual(await sealSecret(publicKey, secret, binding))
  })

  it.each([
    ['organization', { ...binding, organizationId: 'org_x' }],
    ['device', { ...binding, deviceId: 'dev_x' }],
    ['credential', { ...binding, credentialId: 'crd_x' }],
    ['shifted parts', { organizationId: 'org_ad', deviceId: 'ev_b', credentialId: 'crd_c' }],
  ])('do not open for another %s', async (_name, other) => {
    const { publicKey, privateKey } = await generateSealingKeyPair()
    expect(openSecret(privateKey, await sealSecret(publicKey, secret, binding), other)).toBeNull()
  })

  it('do not open with another key, nor when any byte was changed, nor when cut short', async () => {
    const [own, other] = [await generateSealingKeyPair(), await generateSealingKeyPair()]
    const sealed = await sealSecret(own.publicKey, secret, binding)
    expect(openSecret(other.privateKey, sealed, binding)).toBeNull()
    for (let i = 0; i < sealed.length; i++) {
      const changed = Uint8Array.from(sealed)
      changed[i] = (changed[i] ?? 0) ^ 1
      expect(openSecret(own.privateKey, changed, binding)).toBeNull()
      expect(openSecret(own.privateKey, sealed.subarray(0, i), binding)).toBeNull()
    }
  })

  it('open one after the other with one opener, with every provider of cryptography', async () => {
    const { publicKey, privateKey } = await generateSealingKeyPair()
    for (const crypto of [opensslProvider, nobleProvider]) {
      const { open } = createSecretOpener(privateKey, crypto)
      for (const length of [0, 1, 32, 300]) {
        const plaintext = new Uint8Array(length).fill(length)
        expect(open(await sealSecret(publicKey, plaintext, binding), binding)).toEqual(plaintext)
      }
      expect(open(new Uint8Array(80).fill(1), binding)).toBeNull()
      expect(open(Uint8Array.of(1, ...new Uint8Array(79)), binding)).toBeNull()
    }
    expect(() => createSecretOpener('short')).toThrow('32 bytes')
  })

  it('refuse a key that is no key', async () => {
    await expect(sealSecret('short', secret, binding)).rejects.toThrow('32 bytes')
  })
})

describe('secrets that are sealed together', () => {
  const encapsulated = (sealed: Uint8Array): string => Buffer.from(sealed.subarray(1, 33)).toString('hex')
  const bindingOf = (index: number) => ({ ...binding, credentialId: `crd_${index}` })

  it('share a context of 64, each with a nonce of its own, and open in any order', async () => {
    const { publicKey, privateKey } = await generateSealingKeyPair()
    const seal = createSecretSealer(publicKey)
    const sealed = await Promise.all(Array.from({ length: 66 }, (_, index) => seal(secret, bindingOf(index))))
    expect(new Set(sealed.slice(0, 64).map(encapsulated)).size).toBe(1)
    expect(new Set(sealed.slice(63).map(encapsulated)).size).toBe(2)
    expect(new Set(sealed.map((octets) => Buffer.from(octets.subarray(35)).toString('hex'))).size).toBe(66)
    expect(new Set(sealed.map((octets) => `${encapsulated(octets)} ${octets[33]} ${octets[34]}`)).size).toBe(66)
    const { open } = createSecretOpener(privateKey)
    for (const [index, octets] of [...sealed.entries()].toReversed()) {
      expect(open(octets, bindingOf(index))).toEqual(secret)
      expect(open(octets, bindingOf(index + 1))).toBeNull()
      expect(open(octets.with(34, octets[34]! ^ 1), bindingOf(index))).toBeNull()
    }
    expect(open(await sealSecret(publicKey, secret, binding), binding)).toEqual(secret)
  })

  it('share it for a second', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const seal = createSecretSealer((await generateSealingKeyPair()).publicKey)
      const first = encapsulated(await seal(secret, binding))
      vi.advanceTimersByTime(999)
      expect(encapsulated(await seal(secret, binding))).toBe(first)
      vi.advanceTimersByTime(1)
      expect(encapsulated(await seal(secret, binding))).not.toBe(first)
    } finally {
      vi.useRealTimers()
    }
  })

  it('are refused for a key that is none, all of them', async () => {
    const seal = createSecretSealer('short')
    const results = await Promise.allSettled([seal(secret, binding), seal(secret, binding)])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await expect(seal(secret, binding)).rejects.toThrow('32 bytes')
  })
})

describe('an opener', () => {
  /** Counts key exchanges. */
  function countingProvider() {
    const count = { exchanges: 0 }
    const crypto: CryptoProvider = {
      ...opensslProvider,
      keyExchange(id) {
        const method = opensslProvider.keyExchange(id)
        const generate = (rng: Rng): KeyExchangePrivate => {
          const own = method!.generate(rng)
          return { ...own, sharedSecret: (peer) => (count.exchanges++, own.sharedSecret(peer)) }
        }
        return method && { ...method, generate }
      },
    }
    return { crypto, count }
  }

  it('computes one key exchange for each context it meets, and forgets those met longest ago', async () => {
    const { publicKey, privateKey } = await generateSealingKeyPair()
    const { crypto, count } = countingProvider()
    const opener = createSecretOpener(privateKey, crypto)
    const seal = createSecretSealer(publicKey)
    const sealed = await Promise.all([seal(secret, binding), seal(secret, binding)])
    for (const octets of [...sealed, ...sealed]) expect(opener.open(octets, binding)).toEqual(secret)
    expect(count.exchanges).toBe(1)
    const fresh = createSecretOpener(privateKey, crypto)
    count.exchanges = 0
    fresh.open(sealed[0], binding)
    for (let index = 0; index < 4096; index++) fresh.pretend(`stranger ${index}`)
    expect(count.exchanges).toBe(4097)
    expect(fresh.open(sealed[1], binding)).toEqual(secret)
    expect(count.exchanges).toBe(4098)
  })

  it('N26 does for a stranger what it does for a device: a key exchange at first, none when asked again', async () => {
    const { publicKey, privateKey } = await generateSealingKeyPair()
    const { crypto, count } = countingProvider()
    const opener = createSecretOpener(privateKey, crypto)
    const sealed = await sealSecret(publicKey, secret, binding)
    const costs = (work: () => unknown): number => {
      const before = count.exchanges
      work()
      return count.exchanges - before
    }
    expect([costs(() => opener.open(sealed, binding)), costs(() => opener.open(sealed, binding))]).toEqual([1, 0])
    const seldomMet = Array.from({ length: 100 }, (_, index) => costs(() => opener.pretend(`a${index}`)))
    expect(seldomMet.reduce((sum, cost) => sum + cost)).toBeGreaterThan(90)
    expect(Array.from({ length: 100 }, (_, index) => costs(() => opener.pretend(`a${index}`)))).not.toContain(1)
    for (let index = 0; index < 1000; index++) opener.open(sealed, binding)
    const alwaysMet = Array.from({ length: 100 }, (_, index) => costs(() => opener.pretend(`b${index}`)))
    expect(alwaysMet.reduce((sum, cost) => sum + cost)).toBeLessThan(5)
  })
})

describe('API keys', () => {
  it('are found by id and proven by hash', () => {
    const { id, key, secretHash } = makeApiKey()
    expect(key).toMatch(/^culvert_[0-9A-Za-z]{16}_[0-9A-Za-z]{36}$/)
    const parsed = parseApiKey(key)
    expect(parsed?.id).toBe(id)
    expect(parsed && verifyApiKey(parsed, secretHash)).toBe(true)
    expect(parsed && verifyApiKey(parsed, makeApiKey().secretHash)).toBe(false)
    expect(parsed && verifyApiKey(parsed, null)).toBe(false)
    expect(parsed && verifyApiKey(parsed, new Uint8Array(0))).toBe(false)
  })

  it('are told from look-alikes by their checksum: any changed character is noticed', () => {
    const { key } = makeApiKey()
    for (let i = 0; i < key.length; i++) {
      const changed = key.slice(0, i) + (key[i] === 'x' ? 'y' : 'x') + key.slice(i + 1)
      expect(parseApiKey(changed)).toBeNull()
    }
    for (const text of ['', 'culvert__', `${key} `, `${key}0`, key.slice(1), `\n${key}`])
      expect(parseApiKey(text)).toBeNull()
  })
})

describe('ids', () => {
  it('have a prefix and 20 characters of base32, and are never the same', () => {
    const ids = Array.from({ length: 1000 }, () => newId('dev'))
    expect(new Set(ids).size).toBe(1000)
    for (const id of ids) expect(id).toMatch(/^dev_[a-z2-7]{20}$/)
    expect(idSuffix('dev_abc')).toBe('abc')
  })
})
