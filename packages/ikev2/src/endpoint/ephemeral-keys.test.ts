import { type KeyExchangePrivate, nobleProvider, type CryptoProvider } from '@culvert/crypto'
import { describe, expect, test } from 'vitest'
import { KE } from '../message/numbers.ts'
import type { Env } from './contract.ts'
import { EphemeralKeys } from './ephemeral-keys.ts'

const CALM = 7
const CROWD = 8
/** So many within 100 ms are a crowd too, however few of them are half-open. */
const RUSH = 16

interface Scene {
  readonly keys: EphemeralKeys
  /** Our public value as hexadecimal, null for a refused peer. */
  readonly respond: (nowMs: number, halfOpen: number, group?: number, peer?: Uint8Array) => string | null
  readonly destroyed: string[]
}

function scene(): Scene {
  const destroyed: string[] = []
  let draws = 0
  const rng = (length: number): Uint8Array => new Uint8Array(length).fill(++draws)
  const watched = (own: KeyExchangePrivate): KeyExchangePrivate => ({
    ...own,
    destroy() {
      destroyed.push(hex(own.publicValue))
      own.destroy()
    },
  })
  const crypto: CryptoProvider = {
    ...nobleProvider,
    keyExchange: (id) => {
      const method = nobleProvider.keyExchange(id)
      return method && { ...method, generate: (draw) => watched(method.generate(draw)) }
    },
  }
  const keys = new EphemeralKeys()
  return {
    keys,
    destroyed,
    respond(nowMs, halfOpen, group = KE.CURVE25519, peer = peerValue(group)) {
      const answer = keys.respond({ nowMs, rng, crypto } as unknown as Env, group, peer, halfOpen)
      if (answer === null) return null
      expect(answer.sharedSecret.some((octet) => octet !== 0)).toBe(true)
      return hex(answer.publicValue)
    },
  }
}

function peerValue(group: number): Uint8Array {
  const method = nobleProvider.keyExchange(group)
  if (method === null) throw new Error(`no group ${group}`)
  return method.generate((length) => new Uint8Array(length).fill(77)).publicValue
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

describe('our ephemeral keys of IKE_SA_INIT (RFC 7296 2.12)', () => {
  test('are fresh for each device while few come', () => {
    const { keys, respond } = scene()
    expect(new Set([0, 1, 2, 3].map((ms) => respond(ms, CALM))).size).toBe(4)
    expect(keys.expiresAtMs).toBeNull()
  })

  test('are shared within a second of a crowd, then destroyed', () => {
    const { keys, respond, destroyed } = scene()
    const first = respond(5_000, CROWD)
    expect(respond(5_999, CROWD)).toBe(first)
    expect(keys.expiresAtMs).toBe(6_000)
    expect(destroyed).toEqual([])
    expect(respond(6_000, CROWD)).not.toBe(first)
    expect(destroyed).toEqual([first])
  })

  test('are destroyed in time although nobody comes any more', () => {
    const { keys, respond, destroyed } = scene()
    const first = respond(0, CROWD)
    keys.expire(999)
    expect(destroyed).toEqual([])
    keys.expire(1_000)
    expect(destroyed).toEqual([first])
    expect(keys.expiresAtMs).toBeNull()
  })

  test('are shared by 64 devices at most', () => {
    const { keys, respond, destroyed } = scene()
    const values = Array.from({ length: 65 }, () => respond(0, CROWD))
    expect(new Set(values.slice(0, 64)).size).toBe(1)
    expect(destroyed).toEqual([values[0]])
    expect(values[64]).not.toBe(values[0])
    keys.expire(1_000)
    expect(destroyed).toEqual([values[0], values[64]])
  })

  test('are not shared with who stays out of the crowd', () => {
    const { respond } = scene()
    const shared = respond(0, CROWD)
    expect(respond(0, CALM)).not.toBe(shared)
    expect(respond(0, CROWD)).toBe(shared)
  })

  test('are shared by a crowd that is answered as fast as it comes', () => {
    const { respond } = scene()
    const values = Array.from({ length: 2 * RUSH }, (_, index) => respond(1_000 + index, 0))
    const [own, shared] = [values.slice(0, RUSH - 1), values.slice(RUSH - 1)]
    expect(new Set(own).size).toBe(RUSH - 1)
    expect(new Set(shared).size).toBe(1)
    expect(own).not.toContain(shared[0])
  })

  test('are fresh again as soon as fewer come', () => {
    const { respond } = scene()
    const inRush = Array.from({ length: RUSH }, () => respond(1_000, 0)).at(-1)
    expect(respond(1_099, 0)).toBe(inRush)
    const later = [1_100, 1_101, 1_102].map((ms) => respond(ms, 0))
    expect(new Set([inRush, ...later]).size).toBe(4)
    expect(respond(1_102, CROWD), 'the shared one is there until its second is over').toBe(inRush)
  })

  test('are fresh for each of a trickle, however long it goes on', () => {
    const { keys, respond } = scene()
    const values = Array.from({ length: 4 * RUSH }, (_, index) => respond(index * 7, 0))
    expect(new Set(values).size).toBe(4 * RUSH)
    expect(keys.expiresAtMs).toBeNull()
  })

  test('of other groups are never shared', () => {
    const { keys, respond } = scene()
    expect(respond(0, CROWD, KE.ECP_256)).not.toBe(respond(0, CROWD, KE.ECP_256))
    for (let index = 0; index < RUSH; index++) respond(0, CALM, KE.ECP_256)
    expect(respond(0, CALM), 'nor do they make a crowd').not.toBe(respond(0, CALM))
    expect(keys.expiresAtMs).toBeNull()
  })

  test('C15 refuse a value whose secret would be zero, shared or not (RFC 6989, RFC 8031 2)', () => {
    const { respond } = scene()
    const zero = new Uint8Array(32)
    expect(respond(0, CALM, KE.CURVE25519, zero)).toBeNull()
    expect(respond(0, CROWD, KE.CURVE25519, zero)).toBeNull()
    expect(respond(0, CROWD, KE.CURVE25519, new Uint8Array(31))).toBeNull()
    expect(respond(0, CROWD)).not.toBeNull()
  })
})
