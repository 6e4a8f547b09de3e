import { describe, expect, it } from 'vitest'
import { KE, nobleProvider, opensslProvider } from './index.ts'
import type { CryptoProvider, KeyExchangeMethod, Rng } from './index.ts'

const PROVIDERS = [opensslProvider, nobleProvider]
const KEMS = [
  [KE.ML_KEM_512, 800, 768],
  [KE.ML_KEM_768, 1184, 1088],
  [KE.ML_KEM_1024, 1568, 1568],
] as const
const Q = 3329

describe.each(KEMS)('ML-KEM as key exchange %d', (id, publicBytes, ciphertextBytes) => {
  it.each(PROVIDERS)('$name: both ends of an exchange come to one secret of 32 octets', (provider) => {
    for (const responder of PROVIDERS) {
      const initiator = method(provider, id).generate(counting)
      const answer = method(responder, id).respond(counting, initiator.publicValue)
      expect(initiator.publicValue).toHaveLength(publicBytes)
      expect(answer?.publicValue).toHaveLength(ciphertextBytes)
      expect(answer?.sharedSecret).toHaveLength(32)
      expect(initiator.sharedSecret(answer!.publicValue)).toEqual(answer?.sharedSecret)
    }
  })

  it('equal randomness gives equal encapsulation keys in both providers', () => {
    const [openssl, noble] = PROVIDERS.map((provider) => method(provider, id).generate(counting).publicValue)
    expect(openssl).toEqual(noble)
  })

  it.each(PROVIDERS)('C14 $name: refuses values that are empty, one octet short or one octet long', (provider) => {
    const initiator = method(provider, id).generate(counting)
    for (const length of [0, publicBytes - 1, publicBytes + 1]) {
      expect(method(provider, id).respond(counting, fit(initiator.publicValue, length))).toBeNull()
    }
    for (const length of [0, ciphertextBytes - 1, ciphertextBytes + 1]) {
      expect(initiator.sharedSecret(new Uint8Array(length))).toBeNull()
    }
  })

  it.each(PROVIDERS)('C15 $name: refuses an encapsulation key with a coefficient not below the modulus', (provider) => {
    const { publicValue } = method(provider, id).generate(counting)
    const coefficients = ((publicBytes - 32) * 8) / 12
    for (const index of [0, 1, 255, 256, coefficients - 1]) {
      for (const value of [Q, 4095]) {
        expect(method(provider, id).respond(counting, withCoefficient(publicValue, index, value))).toBeNull()
      }
      expect(method(provider, id).respond(counting, withCoefficient(publicValue, index, Q - 1))).not.toBeNull()
    }
  })

  it.each(PROVIDERS)(
    '$name: a ciphertext that was changed gives another secret, the same one each time',
    (provider) => {
      const initiator = method(provider, id).generate(counting)
      const answer = method(provider, id).respond(counting, initiator.publicValue)!
      const changed = answer.publicValue.with(0, (answer.publicValue[0] ?? 0) ^ 1)
      expect(initiator.sharedSecret(changed)).not.toEqual(answer.sharedSecret)
      expect(initiator.sharedSecret(changed)).toEqual(initiator.sharedSecret(changed))
    },
  )

  it.each(PROVIDERS)('$name: clears the seed it drew and refuses one of a wrong length', (provider) => {
    const drawn: Uint8Array[] = []
    method(provider, id).generate((length) => {
      const bytes = counting(length)
      drawn.push(bytes)
      return bytes
    })
    expect(drawn.map((bytes) => [bytes.length, bytes.every((octet) => octet === 0)])).toEqual([[64, true]])
    expect(() => method(provider, id).generate(() => new Uint8Array(63))).toThrow('wrong length')
  })
})

const counting: Rng = (length) => Uint8Array.from({ length }, (_, index) => index + 1)

function method(provider: CryptoProvider, id: number): KeyExchangeMethod {
  const found = provider.keyExchange(id)
  if (found === null) throw new Error(`no key exchange ${id}`)
  return found
}

function fit(value: Uint8Array, length: number): Uint8Array {
  const fitted = new Uint8Array(length)
  fitted.set(value.subarray(0, length))
  return fitted
}

/** Writes one 12-bit coefficient: two of them in three octets, the lower bits first (FIPS 203 4.2.1). */
function withCoefficient(key: Uint8Array, index: number, value: number): Uint8Array {
  const changed = key.slice()
  const at = Math.floor(index / 2) * 3
  if (index % 2 === 0) {
    changed[at] = value
    changed[at + 1] = ((changed[at + 1] ?? 0) & 0xf0) | (value >>> 8)
  } else {
    changed[at + 1] = ((changed[at + 1] ?? 0) & 0x0f) | ((value & 0x0f) << 4)
    changed[at + 2] = value >>> 4
  }
  return changed
}
