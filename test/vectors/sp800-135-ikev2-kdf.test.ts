/**
 * NIST SP 800-135 component tests of the IKEv2 key derivation (CAVS 12.0, public domain; `nist/ikev2_kdf_sp800-135.rsp`): SKEYSEED,
 * SK_*, Child SA keys with and without a key exchange, SKEYSEED of a rekey. 280 cases over five hashes.
 */
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { concatBytes, toHex } from '@culvert/bytes'
import { type CryptoProvider, nobleProvider, opensslProvider, type Prf } from '@culvert/crypto'
import { deriveChildKeys, deriveIkeKeys, deriveSkeyseed, ENCR, type IkeSpi, INTEG, prfPlus, PRF } from '@culvert/ikev2'
import { describe, expect, it } from 'vitest'

type Case = Readonly<Record<string, string>>

const cases = readCases()

it('has all 280 cases of five hashes', () => {
  expect(cases).toHaveLength(280)
  expect(new Set(cases.map((one) => one['hash']))).toEqual(
    new Set(['SHA-1', 'SHA-224', 'SHA-256', 'SHA-384', 'SHA-512']),
  )
})

describe.each([opensslProvider, nobleProvider])('SP 800-135 IKEv2 KDF with the $name provider', (provider) => {
  it.each(['SHA-1', 'SHA-224', 'SHA-256', 'SHA-384', 'SHA-512'])('%s', (hash) => {
    const prf = prfOf(provider, hash)
    for (const one of cases.filter((candidate) => candidate['hash'] === hash)) checkCase(prf, one)
  })
})

function checkCase(prf: Prf, one: Case): void {
  const nonceI = field(one, 'Ni')
  const nonceR = field(one, 'Nr')
  const sharedSecret = field(one, 'g^ir')
  const newSecret = field(one, 'g^ir (new)')
  const spis = { spiI: one['SPIi'] as IkeSpi, spiR: one['SPIr'] as IkeSpi }
  const dkm = field(one, 'DKM')
  const skeyseed = deriveSkeyseed(prf, { nonceI, nonceR, sharedSecret })
  expect(toHex(skeyseed)).toBe(one['SKEYSEED'])
  const seed = concatBytes(nonceI, nonceR, field(one, 'SPIi'), field(one, 'SPIr'))
  expect(toHex(prfPlus(prf, skeyseed, [seed], dkm.length))).toBe(one['DKM'])

  const keys = deriveIkeKeys({ prf, ...suite }, { nonceI, nonceR, sharedSecret, ...spis })
  const { skD, skAi, skAr, skEi, skEr, skPi, skPr } = keys
  expectStream([skD, skAi, skAr, skEi, skEr, skPi, skPr], dkm)

  checkChild(prf, skD, { nonceI, nonceR }, field(one, 'DKM(Child SA)'))
  checkChild(prf, skD, { nonceI, nonceR, sharedSecret: newSecret }, field(one, 'DKM(Child SA D-H)'))
  const rekeyed = deriveSkeyseed(prf, { nonceI, nonceR, sharedSecret: newSecret, oldSkD: skD })
  expect(toHex(rekeyed)).toBe(one['SKEYSEED(Rekey)'])
}

const suite = {
  cipher: opensslProvider.cipher(ENCR.AES_CBC, 256)!,
  integ: opensslProvider.integrity(INTEG.HMAC_SHA2_512_256)!,
}

type ChildInput = Parameters<typeof deriveChildKeys>[3]

/** The whole stream, and what is cut from it. */
function checkChild(prf: Prf, skD: Uint8Array, input: ChildInput, stream: Uint8Array): void {
  const seed = concatBytes(input.sharedSecret ?? new Uint8Array(0), input.nonceI, input.nonceR)
  expect(toHex(prfPlus(prf, skD, [seed], stream.length))).toBe(toHex(stream))
  const { initiator, responder } = deriveChildKeys(prf, skD, suite, input)
  expectStream([initiator.encrKey, initiator.integKey, responder.encrKey, responder.integKey], stream)
}

/** Keys in the order in which they are cut from the stream, as far as both go. */
function expectStream(keys: readonly Uint8Array[], stream: Uint8Array): void {
  const joined = concatBytes(...keys)
  const shared = Math.min(joined.length, stream.length)
  expect(shared).toBeGreaterThan(100)
  expect(toHex(joined.subarray(0, shared))).toBe(toHex(stream.subarray(0, shared)))
}

/** SHA-224 has no number in IKEv2, so no provider has it: the derivation is checked with an HMAC made here. */
function prfOf(provider: CryptoProvider, hash: string): Prf {
  const ids: Readonly<Record<string, number>> = {
    'SHA-1': PRF.HMAC_SHA1,
    'SHA-256': PRF.HMAC_SHA2_256,
    'SHA-384': PRF.HMAC_SHA2_384,
    'SHA-512': PRF.HMAC_SHA2_512,
  }
  const prf = provider.prf(ids[hash] ?? 0)
  if (prf !== null) return prf
  expect(hash).toBe('SHA-224')
  return {
    id: 0,
    keyBytes: 28,
    outputBytes: 28,
    compute: (key, ...chunks) =>
      new Uint8Array(
        createHmac('sha224', key)
          .update(concatBytes(...chunks))
          .digest(),
      ),
  }
}

function field(one: Case, name: string): Uint8Array {
  return new Uint8Array(Buffer.from(one[name] ?? '', 'hex'))
}

function readCases(): Case[] {
  const text = readFileSync(new URL('nist/ikev2_kdf_sp800-135.rsp', import.meta.url), 'utf8')
  const found: Record<string, string>[] = []
  let hash = ''
  for (const line of text.split(/\r?\n/)) {
    hash = /^\[(SHA-\d+)\]$/.exec(line)?.[1] ?? hash
    const [, name, value] = /^(.+?) = (.*)$/.exec(line.startsWith('[') ? '' : line) ?? []
    if (name === 'COUNT') found.push({ hash })
    else if (name !== undefined && value !== undefined) Object.assign(found.at(-1) ?? {}, { [name]: value })
  }
  return found
}
