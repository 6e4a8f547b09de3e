/**
 * EAP against recorded strongSwan peers: every packet is decoded and encoded again octet for octet, MS-CHAPv2 is computed anew from
 * the password, AT_MAC of EAP-AKA from K_aut. That AUTH follows from the MSK is shown by `captures-key-schedule.test.ts`, whose
 * `secret` is the MSK found here.
 *
 * EAP-TLS keys cannot be computed from a capture; its recorded first flights are put before our authenticator instead.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { toHex } from '@culvert/bytes'
import { opensslProvider } from '@culvert/crypto'
import {
  authenticatorResponse,
  authenticatorResponseText,
  createEapAuthenticator,
  createMschapMethod,
  createTlsMethod,
  decodeAkaMessage,
  decodeEap,
  decodeMschapRequest,
  decodeMschapResponse,
  decodeTlsFragment,
  EAP_TYPE,
  type EapMessage,
  type EapPacket,
  encodeAkaMessage,
  encodeEap,
  encodeMschapRequest,
  encodeMschapResponse,
  encodeTlsFragment,
  type MschapAnswer,
  mschapMsk,
  ntHash,
  ntResponse,
} from '@culvert/eap'
import { addFragment, decodeMessage, decodePayloads, type FragmentSet, openMessage } from '@culvert/ikev2'
import { describe, expect, it } from 'vitest'
import { hexBytes, ikeMessageOf, loadDatagrams, loadDerivation, loadIkeSas } from './capture-scenario.ts'

const AT_MAC = 11
const CERTIFICATES = new URL('./captures/08-eap-tls13/certs/', import.meta.url)

/** Scenario, and its EAP packets without repeated ones. */
const SCENARIOS: readonly (readonly [string, number])[] = [
  ['08-eap-tls12', 9],
  ['08-eap-tls13', 9],
  ['09-eap-mschapv2', 7],
  ['10-eap-aka', 7],
  ['10-eap-aka-resync', 9],
  ['19-fail-eap-aka-key', 7],
  ['19-fail-eap-mschapv2-password', 5],
]

describe('captured EAP packets', () => {
  it.each(SCENARIOS)('of %s are encoded as they were decoded', (name, count) => {
    const packets = loadEap(name)
    expect(packets).toHaveLength(count)
    for (const octets of packets) {
      const packet = decode(octets)
      expect(toHex(encodeEap(packet))).toBe(toHex(octets))
      if ('type' in packet) expect(toHex(encodeAgain(packet)), toHex(octets)).toBe(toHex(packet.data))
    }
  })
})

describe('captured EAP-MSCHAPv2', () => {
  it('RFC 2759 8 a right password gives the responses of both sides and the MSK', () => {
    const { hash, answer, challenges, verdict } = loadMschap('09-eap-mschapv2', 'pass-3d11699804949fc0')
    expect(toHex(ntResponse(hash, challenges))).toBe(toHex(answer.ntResponse))
    const text = authenticatorResponseText(authenticatorResponse(hash, answer.ntResponse, challenges))
    expect(verdict).toMatch(new RegExp(`^${text} M=`))
    const secrets = loadDerivation('09-eap-mschapv2').filter(({ label }) => label === 'secret')
    expect(secrets.map(({ hex }) => hex)).toContain(toHex(mschapMsk(hash, answer.ntResponse)))
  })

  it('RFC 2759 6 another password gives another response, and strongSwan answers as we do', () => {
    const { hash, answer, challenges, verdict } = loadMschap('19-fail-eap-mschapv2-password', 'pass-f0e52841b4603ff8')
    expect(toHex(ntResponse(hash, challenges))).not.toBe(toHex(answer.ntResponse))
    expect(toHex(ntResponse(ntHash('not-the-password'), challenges))).toBe(toHex(answer.ntResponse))
    expect(verdict).toMatch(/^E=691 R=[01] C=/)
  })

  it.each([
    ['09-eap-mschapv2', 'pass-3d11699804949fc0', 'success'],
    ['19-fail-eap-mschapv2-password', 'pass-f0e52841b4603ff8', 'failure'],
  ])('%s replayed against our authenticator with the recorded challenge', async (name, password, outcome) => {
    const packets = loadEap(name)
    const [request] = packets.map(decode).filter(isOf(EAP_TYPE.MSCHAPV2, 'request'))
    const challenge = decodeMschapRequest(request!.data)
    // first the identifier, then the challenge, then a decoy
    const draws = [
      Uint8Array.of(request!.identifier),
      challenge.ok && challenge.value.kind === 'challenge' ? challenge.value.challenge.slice() : new Uint8Array(16),
    ]
    const eap = createEapAuthenticator({
      methods: [createMschapMethod({ serverName: 'strongSwan', secretFor: async () => ntHash(password) })],
      askIdentity: false,
      claimedIdentity: 'd1',
      rng: (length) => draws.shift() ?? new Uint8Array(randomBytes(length)),
    })
    expect(toHex((await eap.next(null)).packet)).toBe(toHex(encodeEap(request!)))
    const [answer, acknowledgement] = packets.map(decode).filter(isOf(EAP_TYPE.MSCHAPV2, 'response'))
    expect((await eap.next(encodeEap(answer!))).outcome).toBe('continue')
    // the recorded peer left without a word when it was refused
    const { identifier } = acknowledgement ?? { identifier: (request!.identifier + 1) & 255 }
    const data = acknowledgement?.data ?? encodeMschapResponse({ kind: 'failure' })
    const end = await eap.next(encodeEap({ kind: 'response', identifier, type: EAP_TYPE.MSCHAPV2, data }))
    expect(end.outcome).toBe(outcome)
    if (end.outcome !== 'success') return
    const secrets = loadDerivation(name).filter(({ label }) => label === 'secret')
    expect(secrets.map(({ hex }) => hex)).toContain(toHex(end.msk))
  })
})

describe('captured EAP-AKA', () => {
  it.each([
    ['10-eap-aka', 2],
    ['10-eap-aka-resync', 3],
    ['19-fail-eap-aka-key', 1],
  ])('RFC 4187 10.15 AT_MAC of %s is found where it is and agrees', (name, count) => {
    const keys = loadDerivation(name).filter(({ label }) => label === 'K_auth')
    const protectedPackets = loadEap(name).filter((octets) => macOffset(octets) !== null)
    expect(protectedPackets).toHaveLength(count)
    for (const octets of protectedPackets) {
      const at = macOffset(octets)!
      const blank = octets.slice()
      blank.fill(0, at, at + 16)
      const macs = keys.map(({ hex }) => createHmac('sha1', hexBytes(hex)).update(blank).digest('hex').slice(0, 32))
      expect(macs).toContain(toHex(octets.subarray(at, at + 16)))
    }
  })
})

describe('captured EAP-TLS', () => {
  it.each([
    ['08-eap-tls12', [22, 3, 3], 2],
    ['08-eap-tls13', [22, 3, 3], 2],
  ])('the first flight of the device in %s is answered with ServerHello', async (name, record, handshakeType) => {
    const pem = (file: string): string => readFileSync(new URL(file, CERTIFICATES), 'utf8')
    const eap = createEapAuthenticator({
      methods: [
        createTlsMethod({ certificate: { chain: pem('gw.pem'), key: pem('gw.key') }, verifyChain: async () => null }),
      ],
      askIdentity: false,
      claimedIdentity: null,
      rng: (length) => new Uint8Array(randomBytes(length)),
    })
    const start = decode((await eap.next(null)).packet)
    const [hello] = loadEap(name).map(decode).filter(isOf(EAP_TYPE.TLS, 'response'))
    const answer = decode((await eap.next(encodeEap({ ...hello!, identifier: start.identifier }))).packet)
    const fragment = 'type' in answer ? decodeTlsFragment(answer.data) : null
    const octets = fragment?.ok ? fragment.value.data : new Uint8Array(0)
    expect([...octets.subarray(0, 3), octets[5]]).toEqual([...record, handshakeType])
    eap.close()
  })
})

function encodeAgain(packet: EapMessage): Uint8Array {
  switch (packet.type) {
    case EAP_TYPE.AKA:
    case EAP_TYPE.AKA_PRIME:
      return encodeAkaMessage(valueOf(decodeAkaMessage(packet.data)))
    case EAP_TYPE.MSCHAPV2:
      return packet.kind === 'request'
        ? encodeMschapRequest(valueOf(decodeMschapRequest(packet.data)))
        : encodeMschapResponse(valueOf(decodeMschapResponse(packet.data)))
    case EAP_TYPE.TLS:
      return encodeTlsFragment(valueOf(decodeTlsFragment(packet.data)))
    default:
      return packet.data
  }
}

function loadMschap(
  name: string,
  password: string,
): {
  readonly hash: Uint8Array
  readonly answer: MschapAnswer
  readonly challenges: Parameters<typeof ntResponse>[1]
  readonly verdict: string
} {
  const packets = loadEap(name).map(decode)
  const requests = packets
    .filter(isOf(EAP_TYPE.MSCHAPV2, 'request'))
    .map(({ data }) => valueOf(decodeMschapRequest(data)))
  const responses = packets
    .filter(isOf(EAP_TYPE.MSCHAPV2, 'response'))
    .map(({ data }) => valueOf(decodeMschapResponse(data)))
  const [challenge, verdict] = requests
  const [answer] = responses
  if (challenge?.kind !== 'challenge' || answer?.kind !== 'response') throw new Error('no MS-CHAPv2 in the capture')
  if (verdict === undefined || verdict.kind === 'challenge') throw new Error('no verdict in the capture')
  return {
    hash: ntHash(password),
    answer,
    challenges: { authenticator: challenge.challenge, peer: answer.peerChallenge, userName: answer.name },
    verdict: new TextDecoder().decode(verdict.text),
  }
}

/** Of the sixteen octets of AT_MAC behind its two reserved ones; null when the packet has none. */
function macOffset(octets: Uint8Array): number | null {
  const packet = decode(octets)
  if (!('type' in packet) || packet.type !== EAP_TYPE.AKA) return null
  const mac = valueOf(decodeAkaMessage(packet.data)).attributes.find(({ type }) => type === AT_MAC)
  return mac === undefined ? null : mac.value.byteOffset - octets.byteOffset + 2
}

/** EAP packets of a scenario in the order they came, repeated ones once. */
function loadEap(name: string): readonly Uint8Array[] {
  const sas = loadIkeSas(name, opensslProvider)
  const fragments = new Map<string, FragmentSet | null>()
  const packets = new Map<string, Uint8Array>()
  for (const octets of loadDatagrams(name).map(ikeMessageOf)) {
    const message = octets === null ? null : decodeMessage(octets)
    if (octets === null || !message?.ok || message.value.sealed === null) continue
    const { header, sealed } = message.value
    const sa = sas.find(({ spiI, spiR }) => spiI === header.spiI && spiR === header.spiR)!
    const opened = valueOf(
      openMessage(octets, message.value, header.fromOriginalInitiator ? sa.initiator : sa.responder),
    )
    const key = [header.messageId, header.isResponse].join()
    let whole: { innerType: number; bytes: Uint8Array } | null = { innerType: sealed.innerType, bytes: opened }
    if (sealed.totalFragments > 0) {
      const added = addFragment(fragments.get(key) ?? null, sealed, opened)
      fragments.set(key, added.set)
      whole = added.complete
    }
    const payloads = whole === null ? [] : valueOf(decodePayloads(whole.innerType, whole.bytes))
    for (const payload of payloads) if (payload.kind === 'eap') packets.set(key, payload.data.slice())
  }
  return [...packets.values()]
}

function isOf(type: number, kind: EapMessage['kind']): (packet: EapPacket) => packet is EapMessage {
  return (packet): packet is EapMessage => packet.kind === kind && packet.type === type
}

function decode(octets: Uint8Array): EapPacket {
  return valueOf(decodeEap(octets))
}

function valueOf<T>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: { readonly code: string } },
): T {
  if (!result.ok) throw new Error(result.error.code)
  return result.value
}
