/**
 * ML-KEM-768: Wycheproof and the hard cases of CCTV. As the initiator of an exchange the private value is the vector's seed;
 * as its responder the message of the vector is what the generator draws, where a library lets us give it.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { KE, nobleProvider } from '@culvert/crypto'
import type { CryptoProvider, KeyExchangeMethod, Rng } from '@culvert/crypto'
import { describe, expect, it } from 'vitest'
import { PROVIDERS, sameBytes } from './provider-cases.ts'
import { hex, readJson } from './vector-file.ts'

interface MlKemTest {
  readonly tcId: number
  readonly seed: string
  readonly ek: string
  readonly c: string
  readonly K: string
  readonly result: 'valid' | 'invalid'
}

const file = readJson<{ readonly testGroups: readonly { readonly tests: readonly MlKemTest[] }[] }>(
  'wycheproof/mlkem_768_test.json',
)
const tests = file.testGroups.flatMap((group) => group.tests)

describe.each(PROVIDERS)('ML-KEM-768 on $name', (provider) => {
  it('Wycheproof: computes valid cases and refuses ciphertexts and seeds of a wrong length', () => {
    expect(tests).toHaveLength(193)
    expect(tests.filter((test) => !isRight(provider, test)).map(({ tcId }) => tcId)).toEqual([])
  })

  it('CCTV: answers an encapsulation key whose matrix takes unusually many samples', () => {
    const key = hex(readCctv('unluckysample_ML-KEM-768.txt').get('ek') ?? '')
    expect(mlKem(provider).respond(fixed('00'.repeat(32)), key)?.sharedSecret).toHaveLength(32)
  })

  it('C15 CCTV: refuses every encapsulation key with a coefficient not below the modulus', () => {
    const keys = gunzipSync(readFileSync(new URL('mlkem-cctv/modulus_ML-KEM-768.txt.gz', import.meta.url)))
    const lines = keys.toString('latin1').trim().split('\n')
    expect(lines).toHaveLength(780)
    const taken = lines.filter((line) => mlKem(provider).respond(fixed('00'.repeat(32)), hex(line.trim())) !== null)
    expect(taken).toEqual([])
  })
})

it.each(['intermediate', 'unluckysample'])('CCTV %s: ciphertext and secret, with the message of the vector', (name) => {
  const fields = readCctv(`${name}_ML-KEM-768.txt`)
  const answer = mlKem(nobleProvider).respond(fixed(fields.get('m') ?? ''), hex(fields.get('ek') ?? ''))
  expect(answer?.publicValue).toEqual(hex(fields.get('c') ?? ''))
  expect(answer?.sharedSecret).toEqual(hex(fields.get('K') ?? ''))
})

/** A seed of a wrong length is a bug of ours, which throws. */
function isRight(provider: CryptoProvider, { seed, ek, c, K, result }: MlKemTest): boolean {
  const method = mlKem(provider)
  try {
    const own = method.generate(fixed(seed))
    const shared = own.sharedSecret(hex(c))
    return result === 'valid' ? sameBytes(shared, hex(K)) && sameBytes(own.publicValue, hex(ek)) : shared === null
  } catch {
    return result === 'invalid' && seed.length !== 128
  }
}

function mlKem(provider: CryptoProvider): KeyExchangeMethod {
  const method = provider.keyExchange(KE.ML_KEM_768)
  if (method === null) throw new Error('no ML-KEM-768')
  return method
}

function fixed(octets: string): Rng {
  return () => hex(octets)
}

/** Lines `name = hex`; the first of a name counts. */
function readCctv(name: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  for (const line of readFileSync(new URL(`mlkem-cctv/${name}`, import.meta.url), 'utf8').split('\n')) {
    const [field = '', value = ''] = line.split(' = ')
    if (!fields.has(field)) fields.set(field, value.trim())
  }
  return fields
}
