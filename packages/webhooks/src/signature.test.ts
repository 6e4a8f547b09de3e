/** Signatures, with the package of the standard and our own receiver on the other side. */
import { opensslProvider, PRF, signingKey, type Prf } from '@culvert/crypto'
import { verifyWebhook, WebhookError } from '@culvert/sdk/webhooks'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { Webhook, WebhookVerificationError } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { privateKeyText, publicKeyText, readWebhookKey, secretText } from './keys.ts'
import { ed25519Pkcs8, ed25519Signer, hmacSigner, signedHeaders, type Signer } from './signature.ts'

const id = 'evt_ajaic76ztpqad76h2tn2'
const timestampSec = Math.floor(Date.now() / 1_000)
const text = JSON.stringify({ id, type: 'device.online', data: { note: 'Öl ✓' } })
const body = new TextEncoder().encode(text)
const hmac = opensslProvider.prf(PRF.HMAC_SHA2_256) as Prf
const sign = (...signers: Signer[]) => ({ ...signedHeaders({ id, timestampSec, body }, signers) })

function newSecret(bytes = 32): { text: string; signer: Signer } {
  const secret = randomBytes(bytes)
  return { text: secretText(secret), signer: hmacSigner(secret, hmac) }
}

function newPair(): { publicText: string; signer: Signer } {
  const pair = generateKeyPairSync('ed25519')
  const seed = pair.privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32)
  const publicKey = pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  const read = readWebhookKey(privateKeyText(seed, publicKey))
  if (read?.scheme !== 'v1a') throw new Error('no key')
  const key = signingKey(ed25519Pkcs8(read.seed))
  if (key === null) throw new Error('no key')
  return { publicText: publicKeyText(read.publicKey), signer: ed25519Signer(key) }
}

describe('a signed delivery', () => {
  it('is accepted by the verifier of the standard, and by our own', () => {
    for (const bytes of [24, 32, 64]) {
      const key = newSecret(bytes)
      expect(new Webhook(key.text).verify(text, sign(key.signer))).toEqual(JSON.parse(text))
      expect(verifyWebhook({ body, headers: sign(key.signer) }, { keys: key.text })).toEqual(JSON.parse(text))
    }
  })

  it('carries the signatures of the old and the new key while keys change: each receiver accepts it with either', () => {
    const [old, fresh, pair] = [newSecret(), newSecret(), newPair()]
    const headers = sign(old.signer, fresh.signer, pair.signer)
    for (const key of [old, fresh]) expect(new Webhook(key.text).verify(text, headers)).toEqual(JSON.parse(text))
    for (const keys of [old.text, fresh.text, pair.publicText])
      expect(verifyWebhook({ body, headers }, { keys })).toEqual(JSON.parse(text))
  })

  it('is refused by a key that did not sign it', () => {
    const headers = sign(newSecret().signer, newPair().signer)
    expect(() => new Webhook(newSecret().text).verify(text, headers)).toThrow(WebhookVerificationError)
    expect(() => verifyWebhook({ body, headers }, { keys: newPair().publicText })).toThrow(WebhookError)
  })

  it('A02 is refused when a single bit of body, id, time or signature is another', () => {
    const [key, pair] = [newSecret(), newPair()]
    const headers = sign(key.signer, pair.signer)
    const refused = (changedBody: Uint8Array, changes: Record<string, string>): void => {
      const given = { ...headers, ...changes }
      expect(() => new Webhook(key.text).verify(Buffer.from(changedBody), given)).toThrow(/./)
      expect(() => verifyWebhook({ body: changedBody, headers: given }, { keys: [key.text, pair.publicText] })).toThrow(
        WebhookError,
      )
    }
    for (let bit = 0; bit < body.length * 8; bit += 7) {
      const flipped = Uint8Array.from(body)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      refused(flipped, {})
    }
    refused(body, { 'webhook-id': id.replace('evt_a', 'evt_b') })
    refused(body, { 'webhook-timestamp': String(timestampSec ^ 1) })
    const flippedSignatures = headers['webhook-signature'].split(' ').map((signature) => {
      const [scheme, encoded = ''] = signature.split(',')
      const octets = Buffer.from(encoded, 'base64')
      octets[5] = (octets[5] ?? 0) ^ 4
      return `${scheme},${octets.toString('base64')}`
    })
    refused(body, { 'webhook-signature': flippedSignatures.join(' ') })
  })

  it('is not made with an id that has a dot, half a second, or without any key', () => {
    const { signer } = newSecret()
    expect(() => signedHeaders({ id: 'evt_a.1', timestampSec, body }, [signer])).toThrow(/characters/)
    expect(() => signedHeaders({ id, timestampSec: 1.5, body }, [signer])).toThrow(/seconds/)
    expect(() => sign()).toThrow(/without a signature/)
  })
})

describe('the text of a key', () => {
  it('has 24 to 64 octets for HMAC, 64 for Ed25519, and one spelling', () => {
    expect(readWebhookKey(secretText(randomBytes(24)))?.scheme).toBe('v1')
    const text64 = secretText(randomBytes(64))
    expect(readWebhookKey(text64)?.scheme).toBe('v1')
    for (const bad of [
      secretText(randomBytes(23)),
      secretText(randomBytes(65)),
      `${text64} `,
      text64.replace('==', ''),
      text64.slice(6),
      `whpk_${text64.slice(6)}`,
      `whsk_${randomBytes(32).toString('base64')}`,
      'whsec_',
      'whsec_%%%%',
    ])
      expect(readWebhookKey(bad)).toBeNull()
  })
})
