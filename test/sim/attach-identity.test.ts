/**
 * Identities in IKE_AUTH: every kind comes to the driver as it was claimed and is bound to the proof; what is no identity comes to
 * nobody (RFC 7296 3.5).
 */
import { type CryptoProvider, opensslProvider, type Prf } from '@culvert/crypto'
import { type Answer, ID_TYPE, type Identity, NOTIFY } from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { HandPeer, kindsOf } from './hand-peer.ts'
import { Network } from './network.ts'
import { fqdn, Node } from './node.ts'
import { createPair, grantEverything, initiate, PSK } from './pair.ts'

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

function claim(idI: Identity, proven: Identity = idI): { answer: readonly string[] | null; concentrator: Node } {
  const network = new Network(5)
  const concentrator = new Node(network, { name: 'con', address: '203.0.113.1' })
  concentrator.answerTo = grantEverything
  const peer = new HandPeer(network, concentrator.address)
  peer.init()
  peer.idI = proven
  const auth = peer.sharedKeyAuth(PSK)
  peer.idI = idI
  return { answer: kindsOf(peer.ask(peer.firstRequest(auth))), concentrator }
}

const KINDS: readonly (readonly [string, Identity])[] = [
  ['an IPv4 address', { type: ID_TYPE.IPV4_ADDR, data: Uint8Array.of(192, 0, 2, 1) }],
  ['an IPv6 address', { type: ID_TYPE.IPV6_ADDR, data: new Uint8Array(16).fill(0x20) }],
  ['an FQDN', fqdn('dev.test')],
  ['a mail address', { type: ID_TYPE.RFC822_ADDR, data: text('dev@fleet.test') }],
  ['a key id with any octets', { type: ID_TYPE.KEY_ID, data: Uint8Array.of(0, 10, 13, 255, 47, 46, 46) }],
  ['a distinguished name', { type: ID_TYPE.DER_ASN1_DN, data: Uint8Array.of(0x30, 0) }],
]

test.each(KINDS)('C29 %s is asked for as it was claimed, and bound to the proof', (_name, idI) => {
  const { answer, concentrator } = claim(idI)
  expect(concentrator.questions[0]).toMatchObject({ kind: 'credential', idI })
  expect(answer?.slice(0, 2)).toEqual(['idR', 'auth'])
  expect(claim(idI, fqdn('other.test')).answer).toEqual([`notify ${NOTIFY.AUTHENTICATION_FAILED}`])
})

test.each([1, 64, 65, 512])('C28 a shared key of %d octets of any value proves both ends', (length) => {
  const secret = Uint8Array.from({ length }, (_, index) => (index * 37) & 255)
  const pair = createPair()
  pair.concentrator.answerTo = (question) =>
    question.kind === 'credential'
      ? { kind: 'credential', found: { subject: 'dev_1', candidates: [{ kind: 'psk', id: 'crd_1', secret }] } }
      : grantEverything(question)
  initiate(pair, { proof: { kind: 'psk', secret } })
  pair.network.run(2_000)
  expect(pair.device.eventsOf('established')).toHaveLength(1)
})

describe('what AUTH data are made with of a shared secret', () => {
  const KEY_PAD = text('Key Pad for IKEv2')
  const WRONG = text('wrong horse')

  /** @param good the secrets that are good now, all of one device. @returns what it was made to, in order */
  function made(
    good: readonly Uint8Array[],
    proven: Uint8Array = PSK,
    answer = grantEverything,
  ): readonly Uint8Array[] {
    const keys: Uint8Array[] = []
    const crypto: CryptoProvider = {
      ...opensslProvider,
      prf: (id) => {
        const prf = opensslProvider.prf(id)
        const compute: Prf['compute'] = (key, ...chunks) => {
          const output = prf!.compute(key, ...chunks)
          if (chunks.length === 1 && Buffer.compare(chunks[0]!, KEY_PAD) === 0) keys.push(output)
          return output
        }
        return prf && { ...prf, compute }
      },
    }
    const network = new Network(6)
    const concentrator = new Node(network, { name: 'con', address: '203.0.113.1', crypto })
    const candidates = good.map((secret, index) => ({ kind: 'psk' as const, id: `crd_${index}`, secret }))
    concentrator.answerTo = (question) =>
      question.kind === 'credential'
        ? { kind: 'credential', found: good.length === 0 ? null : { subject: 'dev_1', candidates } }
        : answer(question)
    const peer = new HandPeer(network, concentrator.address)
    peer.init()
    peer.ask(peer.firstRequest(peer.sharedKeyAuth(proven)))
    return keys
  }

  test('is made once for both ends, and nothing stays of it', () => {
    const refuse = (): Answer => ({ kind: 'attach', grant: null })
    for (const keys of [made([PSK]), made([WRONG, PSK]), made([PSK], WRONG), made([]), made([PSK], PSK, refuse)]) {
      expect(keys).toHaveLength(2) // candidates and decoys
      for (const key of keys) expect(key).toEqual(new Uint8Array(32))
    }
  })
})

describe('N13 what is no identity is not asked for', () => {
  test.each([
    ['an IPv4 address of five octets', { type: ID_TYPE.IPV4_ADDR, data: new Uint8Array(5) }],
    ['an IPv6 address of four', { type: ID_TYPE.IPV6_ADDR, data: new Uint8Array(4) }],
    ['an FQDN with a NUL', { type: ID_TYPE.FQDN, data: text('dev\0.test') }],
    ['a mail address with a line end', { type: ID_TYPE.RFC822_ADDR, data: text('dev@fleet.test\r\n') }],
    ['1025 octets', { type: ID_TYPE.KEY_ID, data: new Uint8Array(1_025) }],
    ['15 kB', { type: ID_TYPE.DER_ASN1_DN, data: new Uint8Array(15_000) }],
  ])('%s', (_name, idI) => {
    const { answer, concentrator } = claim(idI)
    expect(answer).toEqual([`notify ${NOTIFY.INVALID_SYNTAX}`])
    expect(concentrator.questions).toEqual([])
    expect(concentrator.endpoint.size.established).toBe(0)
  })
})
