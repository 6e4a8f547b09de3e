import { nobleProvider, opensslProvider } from '@culvert/crypto'
import { describe, expect, it } from 'vitest'
import {
  createSecretOpener,
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
      const open = createSecretOpener(privateKey, crypto)
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
