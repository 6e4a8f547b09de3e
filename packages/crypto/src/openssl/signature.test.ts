import { generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { fromHex } from '@culvert/bytes'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nobleVerifyingKey, signingKey, verifyingKey } from '../index.ts'
import type { SignatureScheme } from '../index.ts'

const HASHES = ['sha1', 'sha256', 'sha384', 'sha512'] as const
const message = new TextEncoder().encode('<SignedOctets/AUTH>')

const KEYS = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  p521: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  ed25519: generateKeyPairSync('ed25519'),
} as const
type KeyName = keyof typeof KEYS

const RAW = { p256: 'sha256', p384: 'sha384', p521: 'sha512' } as const

/** Every scheme that goes with a key. */
const FITTING: readonly (readonly [KeyName, SignatureScheme])[] = [
  ...HASHES.flatMap((hash) => [
    ['rsa', { kind: 'rsaPkcs1', hash }] as const,
    ['rsa', { kind: 'rsaPss', hash, saltBytes: 32 }] as const,
    ['rsa', { kind: 'rsaPss', hash, saltBytes: 0 }] as const,
    ...(['p256', 'p384', 'p521'] as const).map((name) => [name, { kind: 'ecdsa', hash, form: 'der' }] as const),
  ]),
  ...(['p256', 'p384', 'p521'] as const).map(
    (name) => [name, { kind: 'ecdsa', hash: RAW[name], form: 'raw' }] as const,
  ),
  ['ed25519', { kind: 'ed25519' }],
]

describe('signatures', () => {
  it.each(FITTING)('made with %s and %o are taken, and no changed octet, message or length', (name, scheme) => {
    const signature = signer(name).sign(scheme, message)
    const keys = [verifyingKey(spkiOf(KEYS[name].publicKey)), nobleVerifyingKey(spkiOf(KEYS[name].publicKey))]
    for (const key of keys.filter((each) => each !== null)) {
      expect(key.verify(scheme, message, signature)).toBe(true)
      expect(key.verify(scheme, message.subarray(1), signature)).toBe(false)
      expect(key.verify(scheme, message, signature.subarray(1))).toBe(false)
      expect(key.verify(scheme, message, Uint8Array.of(...signature, 0))).toBe(false)
      expect(key.verify(scheme, message, Uint8Array.of(0, ...signature))).toBe(false)
      expect(key.verify(scheme, message, new Uint8Array())).toBe(false)
      signature[9] = signature[9]! ^ 1
      expect(key.verify(scheme, message, signature)).toBe(false)
      signature[9] = signature[9] ^ 1
    }
    expect(keys[0]?.kind).toBe(name)
    expect(keys[1]?.kind ?? 'rsa').toBe(name)
  })

  it('keys are read without a change to their octets, also out of a Buffer, of which slice() is no copy', () => {
    const point = '7c3ffb07189e875ff616af6daea53afaf9449127d0eaf28877220d3b5b8385a6' // its highest bit is set
    const ed25519 = Buffer.from(`302a300506032b6570032100${point}`, 'hex')
    for (const spki of [ed25519, ...Object.values(KEYS).map(({ publicKey }) => Buffer.from(spkiOf(publicKey)))]) {
      const before = spki.toString('hex')
      expect(verifyingKey(spki)).not.toBeNull()
      nobleVerifyingKey(spki)
      expect(spki.toString('hex')).toBe(before)
    }
  })

  it('N14 key and scheme go together: any other pair signs with an error and verifies to false', () => {
    for (const [, scheme] of FITTING) {
      const label = JSON.stringify(scheme)
      const fitting = new Set(FITTING.filter(([, other]) => JSON.stringify(other) === label).map(([name]) => name))
      for (const name of Object.keys(KEYS) as KeyName[]) {
        if (fitting.has(name)) continue
        const key = verifyingKey(spkiOf(KEYS[name].publicKey))!
        expect(() => signer(name).sign(scheme, message), `${name} ${label}`).toThrow('does not sign')
        for (const length of [0, 8, 64, 70, 96, 132, 256]) {
          expect(key.verify(scheme, message, new Uint8Array(length).fill(1))).toBe(false)
        }
      }
    }
  })

  it('names of hashes from elsewhere fit nothing', () => {
    const wrong = [
      { kind: 'rsaPkcs1', hash: 'md5' },
      { kind: 'rsaPkcs1', hash: 'constructor' },
      { kind: 'rsaPss', hash: 'toString', saltBytes: 20 },
    ] as unknown as SignatureScheme[]
    for (const scheme of wrong) {
      const signature = new Uint8Array(256).fill(1)
      expect(verifyingKey(spkiOf(KEYS.rsa.publicKey))!.verify(scheme, message, signature)).toBe(false)
    }
  })

  it('totality: no octets make a key or a verification throw', () => {
    const spkis = Object.values(KEYS).map(({ publicKey }) => spkiOf(publicKey))
    fc.assert(
      fc.property(fc.constantFrom(...spkis), fc.nat(), fc.nat({ max: 255 }), fc.uint8Array({ maxLength: 300 }), mutate),
      { numRuns: 2_000, seed: 7427 },
    )
    function mutate(spki: Uint8Array, at: number, octet: number, signature: Uint8Array): void {
      const mutated = spki.slice()
      mutated[at % mutated.length] = octet
      for (const open of [verifyingKey, nobleVerifyingKey]) {
        const key = open(mutated)
        for (const [, scheme] of FITTING) expect(key?.verify(scheme, message, signature) ?? false).toBe(false)
        expect(open(mutated.subarray(0, at % mutated.length))).toBeNull()
        expect(open(signature)).toBeNull()
      }
      expect(signingKey(signature)).toBeNull()
    }
  })
})

describe('N14 RSA keys', () => {
  it.each([
    ['1024 bits', rsaSpki(oddModulus(1024), 65537n), false],
    ['2047 bits', rsaSpki(oddModulus(2047), 65537n), false],
    ['2048 bits', rsaSpki(oddModulus(2048), 65537n), true],
    ['8192 bits', rsaSpki(oddModulus(8192), 65537n), true],
    ['8193 bits', rsaSpki(oddModulus(8193), 65537n), false],
    ['16384 bits', rsaSpki(oddModulus(16384), 65537n), false],
    ['a modulus of 0', rsaSpki(0n, 65537n), false],
    ['exponent 0', rsaSpki(oddModulus(2048), 0n), false],
    ['exponent 1', rsaSpki(oddModulus(2048), 1n), false],
    ['exponent 2', rsaSpki(oddModulus(2048), 2n), false],
    ['exponent 3', rsaSpki(oddModulus(2048), 3n), true],
    ['an even exponent', rsaSpki(oddModulus(2048), 65536n), false],
    ['exponent 2^32 - 1', rsaSpki(oddModulus(2048), 2n ** 32n - 1n), true],
    ['exponent 2^32 + 1', rsaSpki(oddModulus(2048), 2n ** 32n + 1n), false],
    ['an exponent as long as the modulus', rsaSpki(oddModulus(2048), oddModulus(2047)), false],
  ])('with %s', (_what, spki, isTaken) => {
    expect(verifyingKey(spki) !== null).toBe(isTaken)
  })

  it('1024 bits do not sign either', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    expect(signingKey(privateKey.export({ format: 'der', type: 'pkcs8' }))).toBeNull()
  })

  it('restricted to PSS, with another encoding of the same key, or with anything behind it are not taken', () => {
    const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 })
    expect(verifyingKey(spkiOf(pss.publicKey))).toBeNull()
    const spki = spkiOf(KEYS.rsa.publicKey)
    expect(verifyingKey(Uint8Array.of(...spki, 0))).toBeNull()
    expect(verifyingKey(rsaSpki(oddModulus(2048), 65537n, '05000000'))).toBeNull()
    expect(verifyingKey(rsaSpki(oddModulus(2048), 65537n, '0500'))).not.toBeNull()
    expect(verifyingKey(rsaSpki(oddModulus(2048), 65537n, ''))).toBeNull()
  })

  it('a signature equal to or above the modulus, of zero and of one verifies nothing', () => {
    const modulus = modulusOf(KEYS.rsa.publicKey)
    const key = verifyingKey(spkiOf(KEYS.rsa.publicKey))!
    const scheme: SignatureScheme = { kind: 'rsaPkcs1', hash: 'sha256' }
    const genuine = BigInt(`0x${Buffer.from(signer('rsa').sign(scheme, message)).toString('hex')}`)
    expect(key.verify(scheme, message, bigOctets(genuine, 256))).toBe(true)
    const isRoom = genuine + modulus < 2n ** 2048n
    for (const value of [0n, 1n, modulus - 1n, modulus, modulus + 1n, ...(isRoom ? [genuine + modulus] : [])]) {
      expect(key.verify(scheme, message, bigOctets(value, 256))).toBe(false)
      expect(key.verify({ kind: 'rsaPss', hash: 'sha256', saltBytes: 32 }, message, bigOctets(value, 256))).toBe(false)
    }
  })

  it('a cube root forged for exponent 3 with free octets behind the hash or in the parameters verifies nothing', () => {
    const key = verifyingKey(rsaSpki(oddModulus(2048), 3n))!
    const digest = '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881' // SHA-256 of "x"
    const info = `3031300d060960864801650304020105000420${digest}`
    const padded = ['0001ff00', `0001${'ff'.repeat(8)}00`, `0001${'ff'.repeat(60)}00`]
    for (const head of padded) {
      const prefix = head + info
      const target = BigInt(`0x${prefix}${'00'.repeat(256 - prefix.length / 2)}`)
      const root = cubeRootAbove(target)
      const block = bigOctets(root ** 3n, 256)
      expect(Buffer.from(block).toString('hex').startsWith(prefix)).toBe(head !== padded[2])
      const scheme: SignatureScheme = { kind: 'rsaPkcs1', hash: 'sha256' }
      expect(key.verify(scheme, new TextEncoder().encode('x'), bigOctets(root, 256))).toBe(false)
    }
  })
})

describe('N14 keys on curves', () => {
  it('a point off its curve, at infinity, compressed, hybrid or of another curve is no key', () => {
    const spki = spkiOf(KEYS.p256.publicKey)
    const point = spki.subarray(-64)
    const head = spki.subarray(0, -65)
    const off = spki.slice()
    off[off.length - 1]! ^= 1
    const wrong = [
      off,
      Uint8Array.of(...head, 4, ...new Uint8Array(64)),
      Uint8Array.of(...head, 6 + (point[63]! & 1), ...point),
      compressed(point),
      octetsOf('3019301306072a8648ce3d020106082a8648ce3d030107030200' + '00'),
      Uint8Array.of(...octetsOf('3059301306072a8648ce3d020106052b8104000a000003420004'), ...point),
    ]
    for (const each of wrong) {
      expect(verifyingKey(each)).toBeNull()
      expect(nobleVerifyingKey(each)).toBeNull()
    }
    const pair = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
    expect(verifyingKey(spkiOf(pair.publicKey))).toBeNull()
    expect(signingKey(pair.privateKey.export({ format: 'der', type: 'pkcs8' }))).toBeNull()
  })

  it('a named curve written out as explicit parameters is no key, even when the parameters are right', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' })
    expect(verifyingKey(spkiOf(publicKey))).toBeNull()
  })

  it.each(['p256', 'p384', 'p521'] as const)('%s: r or s of zero, of the order, negative or left out', (name) => {
    const bytes = { p256: 32, p384: 48, p521: 66 }[name]
    const key = verifyingKey(spkiOf(KEYS[name].publicKey))!
    const raw: SignatureScheme = { kind: 'ecdsa', hash: RAW[name], form: 'raw' }
    const der: SignatureScheme = { kind: 'ecdsa', hash: RAW[name], form: 'der' }
    const good = signer(name).sign(raw, message)
    expect(key.verify(raw, message, good)).toBe(true)
    for (const half of [0, bytes]) {
      for (const octet of [0, 0xff]) {
        const bad = good.slice()
        bad.fill(octet, half, half + bytes)
        expect(key.verify(raw, message, bad)).toBe(false)
      }
    }
    const wrong = [
      '',
      '3000',
      '3006020100020100',
      '3006020101020100',
      '3006020100020101',
      '30060201ff0201ff',
      '30030201',
    ]
    for (const hex of wrong) expect(key.verify(der, message, octetsOf(hex)), hex).toBe(false)
    expect(key.verify(der, message, good)).toBe(false)
    expect(key.verify(raw, message, signer(name).sign(der, message))).toBe(false)
  })

  it.each([
    ['0', '00'.repeat(32)],
    ['1', `01${'00'.repeat(31)}`],
    ['1 with the sign of x', `01${'00'.repeat(30)}80`],
    ['-1', `ec${'ff'.repeat(30)}7f`],
    ['p', `ed${'ff'.repeat(30)}7f`],
    ['p + 1', `ee${'ff'.repeat(30)}ff`],
    ['order 8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
    ['order 8, the other', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa'],
  ])('Ed25519 of small order or not canonical is no key: y = %s', (_what, hex) => {
    const spki = octetsOf(`302a300506032b6570032100${hex}`)
    expect(verifyingKey(spki)).toBeNull()
    expect(nobleVerifyingKey(spki)).toBeNull()
  })
})

function signer(name: KeyName) {
  return signingKey(KEYS[name].privateKey.export({ format: 'der', type: 'pkcs8' }))!
}

function spkiOf(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: 'der', type: 'spki' }))
}

function octetsOf(hex: string): Uint8Array {
  return fromHex(hex)!
}

function compressed(point: Uint8Array): Uint8Array {
  const head = octetsOf('3039301306072a8648ce3d020106082a8648ce3d030107032200')
  return Uint8Array.of(...head, 2 + (point[63]! & 1), ...point.subarray(0, 32))
}

/** No product of primes, but nothing here looks for that. */
function oddModulus(bits: number): bigint {
  return 2n ** BigInt(bits) - 159n
}

/** SubjectPublicKeyInfo with any modulus and exponent. */
function rsaSpki(modulus: bigint, exponent: bigint, parameters = '0500'): Uint8Array {
  const key = der('30', integer(modulus) + integer(exponent))
  const algorithm = der('30', `06092a864886f70d010101${parameters}`)
  return octetsOf(der('30', algorithm + der('03', `00${key}`)))
}

function integer(value: bigint): string {
  const hex = value.toString(16)
  const even = hex.length % 2 === 0 ? hex : `0${hex}`
  return der('02', Number.parseInt(even.slice(0, 2), 16) >= 0x80 ? `00${even}` : even)
}

function der(tag: string, content: string): string {
  const length = content.length / 2
  if (length < 0x80) return tag + byte(length) + content
  if (length < 0x100) return `${tag}81${byte(length)}${content}`
  return `${tag}82${byte(length >> 8)}${byte(length & 0xff)}${content}`
}

function byte(value: number): string {
  return value.toString(16).padStart(2, '0')
}

function bigOctets(value: bigint, length: number): Uint8Array {
  return octetsOf(value.toString(16).padStart(2 * length, '0'))
}

function modulusOf(key: KeyObject): bigint {
  return BigInt(`0x${Buffer.from(key.export({ format: 'jwk' }).n!, 'base64url').toString('hex')}`)
}

/** Smallest integer whose cube is not below `value`. */
function cubeRootAbove(value: bigint): bigint {
  let low = 0n
  let high = 2n ** 700n
  while (low < high) {
    const middle = (low + high) / 2n
    if (middle ** 3n < value) low = middle + 1n
    else high = middle
  }
  return low
}
