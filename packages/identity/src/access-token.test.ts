import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { exportJWK, importSPKI, SignJWT, UnsecuredJWT, type CryptoKey, type JWTPayload } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { deriveKeys, makeSigningKey, openSigningKey, publicKeyOf, signAccessToken, verifyAccessToken } from './index.ts'

const parties = { issuer: 'https://api.test', audience: 'https://api.test' }
const sealingKey = deriveKeys(Buffer.alloc(32, 7).toString('base64url')).signingKeys
const now = new Date('2026-11-22T12:00:00Z')
const nowSec = now.getTime() / 1_000
const id = (prefix: string): string => `${prefix}_${'a'.repeat(20)}`
const claims = { subject: id('usr'), organizationId: id('org'), sessionId: id('ses') }

let kid = ''
let privateKey: CryptoKey
let publicKey: CryptoKey
let publicPem = ''
const asked: string[] = []

beforeAll(async () => {
  const stored = await makeSigningKey(sealingKey)
  kid = stored.kid
  privateKey = (await openSigningKey(stored, sealingKey)).privateKey
  publicKey = (await publicKeyOf(stored.publicJwk)) as CryptoKey
  const { createPublicKey } = await import('node:crypto')
  publicPem = createPublicKey({ key: stored.publicJwk as never, format: 'jwk' }).export({
    type: 'spki',
    format: 'pem',
  }) as string
})

const findKey = async (wanted: string): Promise<CryptoKey | null> => {
  asked.push(wanted)
  return wanted === kid ? publicKey : null
}
const verify = (token: string, at: Date = now) => verifyAccessToken(token, parties, findKey, at)
const good = () => signAccessToken(claims, parties, { kid, privateKey }, { tokenId: 'a', nowSec })
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const body = {
  iss: parties.issuer,
  aud: parties.audience,
  sub: claims.subject,
  org: claims.organizationId,
  sid: claims.sessionId,
  jti: 'a',
  iat: nowSec,
  exp: nowSec + 600,
}

/** Signed with our key whatever it says. */
function forge(payload: object, header: object = {}): Promise<string> {
  return new SignJWT({ ...body, ...payload } as JWTPayload)
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid, ...header })
    .sign(privateKey)
}
function handMade(header: object, payload: object, sign: (input: string) => Buffer): string {
  const input = `${part(header)}.${part(payload)}`
  return `${input}.${sign(input).toString('base64url')}`
}

describe('an access token', () => {
  it('says who, where and in which session, as RFC 9068 has it', async () => {
    const token = await good()
    expect(await verify(token)).toEqual({ ...claims, kid })
    const [header, payload] = token
      .split('.')
      .slice(0, 2)
      .map((text) => JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, unknown>)
    expect(header).toEqual({ alg: 'ES256', typ: 'at+jwt', kid })
    expect(payload).toMatchObject({
      iss: parties.issuer,
      aud: parties.audience,
      sub: claims.subject,
      client_id: parties.audience,
      jti: 'a',
      iat: nowSec,
      exp: nowSec + 600,
    })
  })

  it('is forged by nothing in these tests but what they change', async () => {
    expect(await verify(await forge({}))).toEqual({ ...claims, kid })
  })
})

describe('A04 the algorithm is pinned', () => {
  it('A04 refuses alg none, in every spelling, with and without signature', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
      const unsigned = `${part({ alg, typ: 'at+jwt', kid })}.${part(body)}`
      const signature = (await good()).split('.')[2]
      for (const token of [`${unsigned}.`, `${unsigned}.${signature}`, unsigned]) expect(await verify(token)).toBeNull()
    }
    expect(await verify(new UnsecuredJWT(body).encode())).toBeNull()
  })

  it('A04 refuses HS256 with the public key as the secret, as PEM, DER, JWK and with whitespace around it', async () => {
    const jwk = await exportJWK(publicKey)
    const secrets = [
      publicPem,
      publicPem.trim(),
      ` ${publicPem}`,
      `\n${publicPem}`,
      `\t${publicPem}\r\n`,
      publicPem.replaceAll('\n', '\r\n'),
      Buffer.from(publicPem.split('\n').slice(1, -2).join(''), 'base64'),
      JSON.stringify(jwk),
      jwk.x as string,
      '',
    ]
    for (const secret of secrets)
      for (const [alg, hash] of [
        ['HS256', 'sha256'],
        ['HS384', 'sha384'],
        ['HS512', 'sha512'],
      ] as const) {
        const token = handMade({ alg, typ: 'at+jwt', kid }, body, (input) =>
          createHmac(hash, secret).update(input).digest(),
        )
        expect(await verify(token)).toBeNull()
      }
  })

  it('A04 refuses every other algorithm, also one of another key of the attacker under our kid', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
    const attempts: [string, KeyObject, string][] = [
      ['RS256', rsa, 'sha256'],
      ['PS256', rsa, 'sha256'],
      ['ES256', p256, 'sha256'],
      ['ES384', p384, 'sha384'],
      ['ES256', p384, 'sha256'],
    ]
    for (const [alg, key, hash] of attempts) {
      const sign = (input: string): Buffer => createSign(hash).update(input).sign({ key, dsaEncoding: 'ieee-p1363' })
      expect(await verify(handMade({ alg, typ: 'at+jwt', kid }, body, sign))).toBeNull()
    }
    const zeros = handMade({ alg: 'ES256', typ: 'at+jwt', kid }, body, () => Buffer.alloc(64))
    expect(await verify(zeros)).toBeNull()
  })

  it('A04 takes no key out of the token: jwk, jku, x5c, x5u', async () => {
    const attacker = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwk = attacker.publicKey.export({ format: 'jwk' })
    const sign = (input: string): Buffer =>
      createSign('sha256').update(input).sign({ key: attacker.privateKey, dsaEncoding: 'ieee-p1363' })
    for (const more of [{ jwk }, { jku: 'https://evil.test/keys' }, { x5u: 'https://evil.test/c' }, { x5c: ['AA=='] }])
      for (const named of [{ kid }, {}, { kid: 'A'.repeat(43) }])
        expect(await verify(handMade({ alg: 'ES256', typ: 'at+jwt', ...named, ...more }, body, sign))).toBeNull()
  })
})

describe('A04 the kid', () => {
  it('A04 is looked up only when it has the shape of ours: no path, SQL, prototype or array gets there', async () => {
    asked.length = 0
    const kids = [
      '../../../dev/null',
      "' OR 1=1 --",
      `${kid}' UNION SELECT`,
      '__proto__',
      'constructor',
      '',
      ' '.repeat(43),
      `${kid}\n`,
      '\0',
      'A'.repeat(10_000),
      [kid],
      { kid },
      0,
      null,
      true,
    ]
    for (const wrong of kids) {
      const sign = (input: string): Buffer => Buffer.from(input).subarray(0, 64)
      expect(await verify(handMade({ alg: 'ES256', typ: 'at+jwt', kid: wrong }, body, sign))).toBeNull()
    }
    expect(await verify(handMade({ alg: 'ES256', typ: 'at+jwt' }, body, () => Buffer.alloc(64)))).toBeNull()
    expect(asked).toEqual([])
  })

  it('A04 of a key that is not there any more is refused', async () => {
    expect(await verifyAccessToken(await good(), parties, async () => null, now)).toBeNull()
  })

  it('a store that is away is not a wrong token', async () => {
    const away = async (): Promise<never> => {
      throw new Error('connect ECONNREFUSED')
    }
    await expect(verifyAccessToken(await good(), parties, away, now)).rejects.toThrow('ECONNREFUSED')
  })
})

describe('A04 the claims (RFC 8725 3.8 to 3.12)', () => {
  it.each<[string, object]>([
    ['another issuer', { iss: 'https://evil.test' }],
    ['an issuer that begins like ours', { iss: `${parties.issuer}.evil.test` }],
    ['an issuer with a slash more', { iss: `${parties.issuer}/` }],
    ['no issuer', { iss: undefined }],
    ['another audience', { aud: 'https://other.test' }],
    ['an audience list without us', { aud: ['https://other.test'] }],
    ['no audience', { aud: undefined }],
    ['no subject', { sub: undefined }],
    ['a subject of another kind', { sub: 7 }],
    ['a subject that is no id', { sub: "usr_' OR 1=1 --" }],
    ['no organization', { org: undefined }],
    ['a list of organizations', { org: [claims.organizationId] }],
    ['no session', { sid: undefined }],
    ['no jti', { jti: undefined }],
    ['no exp', { exp: undefined }],
    ['exp as a string', { exp: String(nowSec + 600) }],
    ['exp as a huge string', { exp: '9'.repeat(30) }],
    ['exp as a list', { exp: [nowSec + 600] }],
    ['exp null', { exp: null }],
    ['exp true', { exp: true }],
    ['no iat', { iat: undefined }],
    ['iat as a string', { iat: String(nowSec) }],
    ['iat in the future', { iat: nowSec + 60 }],
    ['nbf in the future', { nbf: nowSec + 60 }],
    ['nbf as a string', { nbf: '0' }],
    ['a life longer than ours, however far its end', { iat: nowSec - 700, exp: nowSec + 10_000_000 }],
  ])('A04 refuses %s', async (_, payload) => {
    expect(await verify(await forge(payload))).toBeNull()
  })

  it('A04 refuses tokens of another type, such as ID tokens and logout tokens (RFC 9068 4)', async () => {
    for (const typ of ['JWT', 'jwt', 'logout+jwt', 'dpop+jwt', '', 'at+jwt ', undefined])
      expect(await verify(await forge({}, { typ }))).toBeNull()
  })

  it('A04 refuses what must be understood and is not (crit)', async () => {
    const token = await good()
    const [, payload, signature] = token.split('.')
    const header = part({ alg: 'ES256', typ: 'at+jwt', kid, crit: ['exp'], exp: 1 })
    expect(await verify(`${header}.${payload}.${signature}`)).toBeNull()
  })

  it('A04 allows clocks five seconds of difference and no more', async () => {
    const token = await good()
    const at = (sec: number): Date => new Date((nowSec + sec) * 1_000)
    expect(await verify(token, at(-4))).not.toBeNull()
    expect(await verify(token, at(-7))).toBeNull()
    expect(await verify(token, at(604))).not.toBeNull()
    expect(await verify(token, at(606))).toBeNull()
  })
})

describe('A04 the form', () => {
  it('A04 refuses a token that is changed anywhere', async () => {
    const token = await good()
    for (let index = 0; index < token.length - 1; index += 7) {
      const other = token[index] === 'A' ? 'B' : 'A'
      expect(await verify(token.slice(0, index) + other + token.slice(index + 1))).toBeNull()
    }
  })

  it('A04 refuses other serializations, padding, whitespace and too much', async () => {
    const token = await good()
    const [header, payload, signature] = token.split('.')
    const json = JSON.stringify({ payload, signature, protected: header })
    for (const wrong of [
      json,
      `${token}.`,
      `.${token}`,
      `${token}=`,
      ` ${token}`,
      `${token}\n`,
      token.repeat(5),
      `${header}..${signature}`,
      '',
      'a.b.c',
      '...',
    ])
      expect(await verify(wrong)).toBeNull()
  })

  it('A04 tells two tokens apart that differ in one claim: no result of another one is reused', async () => {
    const [mine, theirs] = [await forge({}), await forge({ sub: id('usr').replace('a', 'b') })]
    const results = await Promise.all([mine, theirs, mine, theirs].map((token) => verify(token)))
    expect(results.map((result) => result?.subject)).toEqual([
      id('usr'),
      id('usr').replace('a', 'b'),
      id('usr'),
      id('usr').replace('a', 'b'),
    ])
  })

  it('A04 is not proven by a key of another kind than ours', async () => {
    for (const jwk of [
      { kty: 'oct', k: 'AAAA', alg: 'ES256' },
      { kty: 'RSA', n: 'AQAB', e: 'AQAB', alg: 'ES256' },
      { kty: 'EC', crv: 'P-384', alg: 'ES256' },
      { kty: 'EC', crv: 'P-256', alg: 'HS256' },
      {},
    ])
      expect(await publicKeyOf(jwk)).toBeNull()
    expect(await importSPKI(publicPem, 'ES256')).toBeDefined()
  })
})
