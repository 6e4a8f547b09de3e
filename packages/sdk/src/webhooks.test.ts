/** Webhook verification, with the package of the standard and with node:crypto on the other side. */
import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { verifyWebhook, WebhookError, type Delivery, type VerifyOptions } from './webhooks.ts'

const secret = `whsec_${randomBytes(32).toString('base64')}`
const other = `whsec_${randomBytes(24).toString('base64')}`
const pair = generateKeyPairSync('ed25519')
const publicKey = `whpk_${pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(12).toString('base64')}`

const id = 'evt_ajaic76ztpqad76h2tn2'
const nowMs = 1_795_205_450_123
const at = Math.floor(nowMs / 1_000)
const body = JSON.stringify({
  id,
  type: 'device.online',
  timestamp: '2026-11-21T20:10:50.179Z',
  resourceId: 'dev_ajaic76ztpqad76h2tn2',
  sequence: 3,
  data: { concentratorId: 'con-1', note: 'Öl ✓' },
})

const v1 = (key: string, text = body, sec = at, name = id): string =>
  `v1,${createHmac('sha256', Buffer.from(key.slice(6), 'base64'))
    .update(`${name}.${sec}.${text}`)
    .digest('base64')}`
const v1a = (text = body): string =>
  `v1a,${sign(null, Buffer.from(`${id}.${at}.${text}`), pair.privateKey).toString('base64')}`
const headers = (signature: string, changes: Record<string, string> = {}): Record<string, string> => ({
  'webhook-id': id,
  'webhook-timestamp': String(at),
  'webhook-signature': signature,
  ...changes,
})
const verified = (delivery: Partial<Delivery>, options: Partial<VerifyOptions> = {}): unknown =>
  verifyWebhook({ body, headers: headers(v1(secret)), ...delivery }, { keys: secret, nowMs, ...options })
const faultOf = (...given: Parameters<typeof verified>): string => {
  try {
    verified(...given)
  } catch (error) {
    if (error instanceof WebhookError) return error.code
    throw error
  }
  return 'none'
}

describe('a webhook', () => {
  it('signed by the package of the standard is taken here, and the package takes what is signed here', () => {
    const theirs = new Webhook(secret)
    const now = new Date()
    const sec = Math.floor(now.getTime() / 1_000)
    const given = { ...headers(theirs.sign(id, now, body)), 'webhook-timestamp': String(sec) }
    expect(verifyWebhook({ body, headers: given }, { keys: secret })).toEqual(JSON.parse(body))
    const ours = { ...headers(v1(secret, body, sec)), 'webhook-timestamp': String(sec) }
    expect(theirs.verify(body, ours)).toEqual(JSON.parse(body))
  })

  it('is taken with HMAC and with Ed25519, as text and as bytes, with any kind of headers', () => {
    expect(verified({})).toEqual(JSON.parse(body))
    expect(verified({ headers: headers(v1a()) }, { keys: publicKey })).toEqual(JSON.parse(body))
    expect(verified({ body: Buffer.from(body) })).toEqual(JSON.parse(body))
    expect(verified({ body: new TextEncoder().encode(body) })).toEqual(JSON.parse(body))
    expect(verified({ headers: new Headers(headers(v1(secret))) })).toEqual(JSON.parse(body))
    const shouted = Object.entries(headers(v1(secret))).map(([name, value]) => [name.toUpperCase(), [value]])
    expect(verified({ headers: Object.fromEntries(shouted) as never })).toEqual(JSON.parse(body))
  })

  it('is taken while keys change: several signatures, several keys, schemes that nobody knows yet', () => {
    const both = `${v1(other)} v2,bm90aGluZw== ${v1(secret)} ${v1a()}`
    for (const keys of [secret, other, publicKey, [other, publicKey]])
      expect(verified({ headers: headers(both) }, { keys })).toEqual(JSON.parse(body))
    expect(verified({}, { keys: [other, secret] })).toEqual(JSON.parse(body))
  })

  it('is refused when a single bit of it differs', () => {
    const [scheme, encoded = ''] = v1(secret).split(',')
    for (let bit = 0; bit < 256; bit += 17) {
      const bytes = Buffer.from(encoded, 'base64')
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      expect(faultOf({ headers: headers(`${scheme},${bytes.toString('base64')}`) })).toBe('no_match')
    }
    expect(faultOf({ body: body.replace('con-1', 'con-2') })).toBe('no_match')
    expect(faultOf({ body: `${body} ` })).toBe('no_match')
    expect(faultOf({ headers: headers(v1(secret), { 'webhook-id': 'evt_other' }) })).toBe('no_match')
    expect(faultOf({ headers: headers(v1(secret), { 'webhook-timestamp': String(at + 1) }) })).toBe('no_match')
    expect(faultOf({ headers: headers(v1a(`${body} `)) }, { keys: publicKey })).toBe('no_match')
  })

  it('is refused with the key of somebody else, or with a signature of one scheme under the name of another', () => {
    expect(faultOf({}, { keys: other })).toBe('no_match')
    expect(faultOf({ headers: headers(v1(secret).replace('v1,', 'v1a,')) }, { keys: [secret, publicKey] })).toBe(
      'no_match',
    )
    expect(faultOf({ headers: headers(v1a().replace('v1a,', 'v1,')) }, { keys: [secret, publicKey] })).toBe('no_match')
    // A public key is known to everybody: it must never serve as a secret.
    const asSecret = createHmac('sha256', Buffer.from(publicKey.slice(5), 'base64')).update(`${id}.${at}.${body}`)
    expect(faultOf({ headers: headers(`v1,${asSecret.digest('base64')}`) }, { keys: publicKey })).toBe('no_match')
  })

  it('is refused when it is old, or from the future, by more than the tolerance', () => {
    const faultAt = (offset: number): string =>
      faultOf({ headers: headers(v1(secret, body, at + offset), { 'webhook-timestamp': String(at + offset) }) })
    expect([faultAt(-299), faultAt(300), faultAt(-301), faultAt(301)]).toEqual(['none', 'none', 'stale', 'stale'])
    expect(faultOf({}, { nowMs: nowMs + 11_000, toleranceSec: 10 })).toBe('stale')
  })

  it.each([
    ['no id', { 'webhook-id': '' }, 'missing_header'],
    ['no signature', { 'webhook-signature': '' }, 'missing_header'],
    ['a second id', { 'Webhook-Id': id }, 'missing_header'],
    ['a time that is none', { 'webhook-timestamp': '1e9' }, 'malformed_header'],
    ['a time with a sign', { 'webhook-timestamp': `-${at}` }, 'malformed_header'],
    ['a signature without a scheme', { 'webhook-signature': v1(secret).slice(3) }, 'no_match'],
    ['a signature in other base64', { 'webhook-signature': v1(secret).replace(/=+$/, '') }, 'no_match'],
    ['an empty signature', { 'webhook-signature': 'v1,' }, 'no_match'],
    ['thousands of signatures', { 'webhook-signature': 'v1,AA== '.repeat(5_000) }, 'malformed_header'],
  ])('with %s is refused', (_what, changes, fault) => {
    expect(faultOf({ headers: headers(v1(secret), changes) })).toBe(fault)
  })

  it('that is signed but no JSON is refused', () => {
    expect(faultOf({ body: 'nothing', headers: headers(v1(secret, 'nothing')) })).toBe('malformed_body')
  })

  it('cannot be verified with a body that was parsed, nor with keys that are none: the receiver hears of it', () => {
    expect(() => verified({ body: JSON.parse(body) as never })).toThrow(TypeError)
    for (const keys of [
      [],
      '',
      'secret',
      'whsec_',
      `whsec_${'A'.repeat(20)}`,
      `whpk_${'A'.repeat(40)}`,
      secret.slice(6),
    ])
      expect(() => verified({}, { keys })).toThrow(TypeError)
  })
})
