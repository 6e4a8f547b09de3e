/** The runner and EAP-MSCHAPv2 on it: conversations of two real ends, and what a hostile peer may say in each state. */
import { toHex } from '@culvert/bytes'
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  createEapAuthenticator,
  type EapAuthenticator,
  type EapAuthenticatorOptions,
  type EapStep,
} from './authenticator.ts'
import type { EapMethod } from './method.ts'
import { createMschapMethod } from './mschapv2/authenticator.ts'
import { ntHash } from './mschapv2/derivation.ts'
import { decodeMschapResponse, encodeMschapResponse } from './mschapv2/packet.ts'
import { createMschapPeerMethod } from './mschapv2/peer.ts'
import { decodeEap, EAP_TYPE, type EapMessage, encodeEap } from './packet.ts'
import { createEapPeer, type EapPeer, type EapPeerAnswer } from './peer.ts'

const rng = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const octets = (text: string): Uint8Array => new TextEncoder().encode(text)
const mschap = createMschapMethod({
  serverName: 'gw.example',
  secretFor: async (name) => (name === 'd1' || name === 'LAB\\d1' ? ntHash('pässword') : null),
})

function authenticator(options: Partial<EapAuthenticatorOptions> = {}): EapAuthenticator {
  return createEapAuthenticator({ methods: [mschap], askIdentity: false, claimedIdentity: 'idi', rng, ...options })
}

function device(userName = 'd1', password = 'pässword'): EapPeer {
  return createEapPeer({ identity: 'outer', methods: [createMschapPeerMethod({ userName, password })], rng })
}

/** Runs both to their end. */
async function converse(server: EapAuthenticator, peer: EapPeer): Promise<{ steps: EapStep[]; answer: EapPeerAnswer }> {
  const steps: EapStep[] = []
  let packet: Uint8Array | null = null
  while (true) {
    const step: EapStep = await server.next(packet)
    steps.push(step)
    const answer: EapPeerAnswer = await peer.next(step.packet)
    if (answer.outcome !== 'continue') return { steps, answer }
    packet = answer.packet
  }
}

describe('EAP-MSCHAPv2', () => {
  it.each(['d1', 'LAB\\d1'])('lets %s in, and both have the same MSK', async (name) => {
    const { steps, answer } = await converse(authenticator(), device(name))
    const last = steps.at(-1)
    expect(steps.map(({ outcome }) => outcome)).toEqual(['continue', 'continue', 'success'])
    expect(last).toMatchObject({ method: 'mschapv2', identity: name, certificates: [] })
    const msk = last?.outcome === 'success' ? last.msk : new Uint8Array(0)
    expect(msk).toHaveLength(64)
    expect(answer).toEqual({ outcome: 'success', method: 'mschapv2', msk })
  })

  it('asks for an identity when told to, and proves the user name, not that', async () => {
    const { steps } = await converse(authenticator({ askIdentity: true }), device())
    expect(typesOf(steps)).toEqual([EAP_TYPE.IDENTITY, EAP_TYPE.MSCHAPV2, EAP_TYPE.MSCHAPV2, null])
    expect(steps.at(-1)).toMatchObject({ outcome: 'success', identity: 'd1' })
  })

  it('RFC 2759 6 answers a wrong password with error 691, no retry, then EAP-Failure', async () => {
    const { steps, answer } = await converse(authenticator(), device('d1', 'wrong'))
    expect(steps.map(({ outcome }) => outcome)).toEqual(['continue', 'continue', 'failure'])
    expect(new TextDecoder().decode(requestOf(steps[1]).data.subarray(4))).toMatch(/^E=691 R=0 C=[0-9A-F]{32} V=3 M=/)
    expect(steps[1]).toMatchObject({ lost: 'wrongSecret' })
    expect(steps[2]).toMatchObject({ reason: 'wrongSecret' })
    expect(answer).toEqual({ outcome: 'failure' })
  })

  it('N26 treats a user nobody knows like a wrong password', async () => {
    const unknown = await converse(authenticator(), device('nobody'))
    const wrong = await converse(authenticator(), device('d1', 'wrong'))
    expect(unknown.steps.map(shapeOf)).toEqual(wrong.steps.map(shapeOf))
    expect(unknown.steps.at(-1)).toMatchObject({ reason: 'unknownIdentity' })
  })

  it.each([
    ['rejects', () => Promise.reject(new Error('database away'))],
    ['gives what is no hash', () => Promise.resolve(new Uint8Array(15))],
  ])('lets nobody in when the look-up %s', async (_, secretFor) => {
    const method = createMschapMethod({ serverName: 'gw', secretFor })
    const { steps } = await converse(authenticator({ methods: [method] }), device())
    expect(steps.map(({ outcome }) => outcome)).toEqual(['continue', 'continue', 'failure'])
  })

  it('zeroes the hash it was given', async () => {
    const hash = ntHash('pässword')
    const method = createMschapMethod({ serverName: 'gw', secretFor: async () => hash })
    await converse(authenticator({ methods: [method] }), device())
    expect(toHex(hash)).toBe('00'.repeat(16))
  })

  it('takes the long form of the acknowledgement', async () => {
    const server = authenticator()
    const { identifier } = await answered(server, device())
    const step = await server.next(response(identifier, EAP_TYPE.MSCHAPV2, Uint8Array.of(3, 9, 0, 4)))
    expect(step.outcome).toBe('success')
  })
})

describe('N25 EAP-MSCHAPv2 states cannot be skipped', () => {
  const success = encodeMschapResponse({ kind: 'success' })
  const failure = encodeMschapResponse({ kind: 'failure' })

  it.each([
    ['success', success],
    ['failure', failure],
    ['nothing', new Uint8Array(0)],
  ])('%s in place of the response', async (_, data) => {
    const server = authenticator()
    const { identifier } = requestOf(await server.next(null))
    await expectFailure(server, response(identifier, EAP_TYPE.MSCHAPV2, data))
  })

  it('an all-zero response', async () => {
    const server = authenticator()
    const { identifier, data } = requestOf(await server.next(null))
    const zeros = { peerChallenge: new Uint8Array(16), ntResponse: new Uint8Array(24), name: octets('d1') }
    const answer = encodeMschapResponse({ kind: 'response', id: data[1]!, ...zeros })
    const rejected = requestOf(await server.next(response(identifier, EAP_TYPE.MSCHAPV2, answer)))
    await expectFailure(server, response(rejected.identifier, EAP_TYPE.MSCHAPV2, success))
  })

  it('success after a refused response', async () => {
    const server = authenticator()
    const { identifier } = await answered(server, device('d1', 'wrong'))
    await expectFailure(server, response(identifier, EAP_TYPE.MSCHAPV2, success))
  })

  it('a second response after a refused one', async () => {
    const server = authenticator()
    const { identifier, answer } = await answered(server, device('d1', 'wrong'))
    await expectFailure(server, response(identifier, EAP_TYPE.MSCHAPV2, answer.data))
  })

  it('another response after a right one', async () => {
    const server = authenticator()
    const { identifier, answer } = await answered(server, device())
    await expectFailure(server, response(identifier, EAP_TYPE.MSCHAPV2, answer.data))
  })

  it('failure after a right response', async () => {
    const server = authenticator()
    const { identifier } = await answered(server, device())
    await expectFailure(server, response(identifier, EAP_TYPE.MSCHAPV2, failure))
  })

  it('an MS-CHAPv2-ID of another challenge', async () => {
    const server = authenticator()
    const request = requestOf(await server.next(null))
    const answer = requestOf(await device().next(encodeEap(request)))
    const decoded = decodeMschapResponse(answer.data)
    const forged =
      decoded.ok && decoded.value.kind === 'response' ? { ...decoded.value, id: decoded.value.id ^ 1 } : null
    await expectFailure(server, response(request.identifier, EAP_TYPE.MSCHAPV2, encodeMschapResponse(forged!)))
  })

  it('a response made for another conversation', async () => {
    const [first, second] = [authenticator(), authenticator()]
    const { answer } = await answered(first, device())
    const request = requestOf(await second.next(null))
    const replayed = answer.data.slice()
    replayed[1] = request.data[1]!
    const step = await second.next(response(request.identifier, EAP_TYPE.MSCHAPV2, replayed))
    await expectFailure(second, response(requestOf(step).identifier, EAP_TYPE.MSCHAPV2, success))
  })
})

describe('N25 the peer', () => {
  it('does not believe an early success', async () => {
    const peer = device()
    const request = requestOf(await authenticator().next(null))
    await peer.next(encodeEap(request))
    expect(await peer.next(encodeEap({ kind: 'success', identifier: request.identifier }))).toEqual({
      outcome: 'failure',
    })
    expect(await device().next(encodeEap({ kind: 'success', identifier: 1 }))).toEqual({ outcome: 'failure' })
  })

  it('does not believe an authenticator that does not know the password', async () => {
    const impostor = createMschapMethod({ serverName: 'gw', secretFor: async () => ntHash('guess') })
    const { answer } = await converse(authenticator({ methods: [impostor] }), device())
    expect(answer.outcome).toBe('failure')
  })
})

describe('RFC 3748 the conversation', () => {
  const other: EapMethod = { name: 'tls', type: EAP_TYPE.TLS, start: () => refusingRun() }

  it('5.3.1 offers another method after a Nak', async () => {
    const { steps, answer } = await converse(authenticator({ methods: [other, mschap] }), device())
    expect(typesOf(steps)).toEqual([EAP_TYPE.TLS, EAP_TYPE.MSCHAPV2, EAP_TYPE.MSCHAPV2, null])
    expect(answer.outcome).toBe('success')
  })

  it.each([
    ['no alternative', [0]],
    ['the method it refused', [EAP_TYPE.MSCHAPV2]],
    ['methods we do not have', [4, 5, 6]],
    ['nothing', []],
  ])('5.3.1 ends when the Nak names %s', async (_, types) => {
    const server = authenticator()
    const { identifier } = requestOf(await server.next(null))
    await expectFailure(server, response(identifier, EAP_TYPE.NAK, Uint8Array.from(types)))
  })

  it('5.3.1 takes no Nak once the method has begun', async () => {
    const server = authenticator({ methods: [mschap, other] })
    const { identifier } = await answered(server, device())
    await expectFailure(server, response(identifier, EAP_TYPE.NAK, Uint8Array.of(EAP_TYPE.TLS)))
  })

  it('N25 an endless quarrel about methods ends', async () => {
    const server = authenticator({ methods: [other, mschap] })
    const first = requestOf(await server.next(null))
    const wish = (identifier: number): Uint8Array => response(identifier, EAP_TYPE.NAK, Uint8Array.of(13, 26))
    const second = requestOf(await server.next(wish(first.identifier)))
    await expectFailure(server, wish(second.identifier))
  })

  it('4.1 every request has another identifier, the verdict that of the last response', async () => {
    const { steps } = await converse(authenticator({ askIdentity: true }), device())
    const identifiers = steps.map(({ packet }) => packet[1]!)
    const first = identifiers[0]!
    expect(identifiers).toEqual([first, (first + 1) & 255, (first + 2) & 255, (first + 2) & 255])
  })

  it.each<[string, (identifier: number) => Uint8Array]>([
    ['another identifier', (identifier) => response(identifier ^ 1, EAP_TYPE.IDENTITY, octets('d1'))],
    ['a request', (identifier) => encodeEap({ kind: 'request', identifier, type: 1, data: octets('d1') })],
    ['EAP-Success', (identifier) => encodeEap({ kind: 'success', identifier })],
    ['EAP-Failure', (identifier) => encodeEap({ kind: 'failure', identifier })],
    ['another type', (identifier) => response(identifier, EAP_TYPE.NOTIFICATION, octets('d1'))],
    ['a method', (identifier) => response(identifier, EAP_TYPE.MSCHAPV2, Uint8Array.of(3))],
    ['a Nak', (identifier) => response(identifier, EAP_TYPE.NAK, Uint8Array.of(26))],
    ['an identity with a line break', (identifier) => response(identifier, EAP_TYPE.IDENTITY, octets('d1\r\nx'))],
    ['an identity that is no text', (identifier) => response(identifier, EAP_TYPE.IDENTITY, Uint8Array.of(0xff))],
    ['an identity too long', (identifier) => response(identifier, EAP_TYPE.IDENTITY, new Uint8Array(257).fill(97))],
    ['a length that lies', (identifier) => Uint8Array.of(2, identifier, 0, 9, 1, 97)],
    ['nothing', () => new Uint8Array(0)],
    ['16 kB and more', (identifier) => response(identifier, EAP_TYPE.IDENTITY, new Uint8Array(16_385))],
  ])('N25 %s in place of the identity ends it', async (_, packet) => {
    const server = authenticator({ askIdentity: true })
    const { identifier } = requestOf(await server.next(null))
    await expectFailure(server, packet(identifier))
  })

  it('N25 none of the 255 other identifiers is taken, for an identity, a response or an acknowledgement', async () => {
    for (let offset = 1; offset < 256; offset++) {
      const asking = authenticator({ askIdentity: true })
      const asked = requestOf(await asking.next(null))
      const strange = (asked.identifier + offset) & 255
      const identity = await asking.next(response(strange, EAP_TYPE.IDENTITY, octets('d1')))
      expect(identity).toMatchObject({ outcome: 'failure', reason: 'identifierMismatch' })

      const challenging = authenticator()
      const challenge = await challenging.next(null)
      const answer = requestOf(await device().next(challenge.packet))
      const shifted = encodeEap({ ...answer, identifier: (answer.identifier + offset) & 255 })
      expect(await challenging.next(shifted)).toMatchObject({ outcome: 'failure', reason: 'identifierMismatch' })

      const finishing = authenticator()
      const { identifier } = await answered(finishing, device())
      const last = await finishing.next(response((identifier + offset) & 255, EAP_TYPE.MSCHAPV2, Uint8Array.of(3)))
      expect(last).toMatchObject({ outcome: 'failure', reason: 'identifierMismatch' })
    }
  })

  it('5.1 an empty identity is none', async () => {
    const claims: (string | null)[] = []
    const curious: EapMethod = { ...other, start: (context) => (claims.push(context.claimedIdentity), refusingRun()) }
    for (const name of ['', 'said']) {
      const server = authenticator({ methods: [curious], askIdentity: true })
      const { identifier } = requestOf(await server.next(null))
      await server.next(response(identifier, EAP_TYPE.IDENTITY, octets(name)))
    }
    expect(claims).toEqual(['idi', 'said'])
  })

  it('N25 rounds without end come to one', async () => {
    const endless: EapMethod = {
      ...other,
      start: () => ({ next: async () => ({ kind: 'request', data: Uint8Array.of(0) }), close: () => {} }),
    }
    const server = authenticator({ methods: [endless] })
    let step = await server.next(null)
    let rounds = 0
    while (step.outcome === 'continue') {
      step = await server.next(response(step.packet[1]!, EAP_TYPE.TLS, Uint8Array.of(0)))
      rounds += 1
    }
    expect(step).toMatchObject({ outcome: 'failure', reason: 'bounds' })
    expect(rounds).toBe(129)
  })

  it('starts once, and with nothing', async () => {
    const twice = authenticator()
    await twice.next(null)
    expect((await twice.next(null)).outcome).toBe('failure')
    const early = authenticator()
    expect((await early.next(response(0, EAP_TYPE.IDENTITY, octets('d1')))).outcome).toBe('failure')
  })

  it('gives nothing more after success', async () => {
    const server = authenticator()
    const { steps } = await converse(server, device())
    expect(steps.at(-1)?.outcome).toBe('success')
    expect((await server.next(null)).outcome).toBe('failure')
  })

  it('turns a bug of a method into failure', async () => {
    const broken: EapMethod = {
      ...other,
      start: () => ({ next: () => Promise.reject(new Error('x')), close: () => {} }),
    }
    expect(await authenticator({ methods: [broken] }).next(null)).toMatchObject({
      outcome: 'failure',
      reason: 'internal',
    })
  })
})

describe('close', () => {
  function waiting(): { server: EapAuthenticator; hash: Uint8Array; answer: () => void } {
    const hash = ntHash('pässword')
    const gate = Promise.withResolvers<void>()
    const method = createMschapMethod({ serverName: 'gw', secretFor: () => gate.promise.then(() => hash) })
    return { server: authenticator({ methods: [method] }), hash, answer: gate.resolve }
  }

  async function begun(server: EapAuthenticator): Promise<Uint8Array> {
    const answer = await device().next((await server.next(null)).packet)
    return answer.outcome === 'continue' ? answer.packet : new Uint8Array(0)
  }

  it('ends a round under way, and nothing comes of it later', async () => {
    const { server, hash, answer } = waiting()
    const round = server.next(await begun(server))
    server.close()
    server.close()
    expect(await round).toMatchObject({ outcome: 'failure', reason: 'closed' })
    answer()
    expect((await server.next(null)).outcome).toBe('failure')
    await expect.poll(() => toHex(hash)).toBe('00'.repeat(16))
  })

  it('is safe before the start and after the end', async () => {
    const early = authenticator()
    early.close()
    expect((await early.next(null)).outcome).toBe('failure')
    const late = authenticator()
    const { steps, answer } = await converse(late, device())
    late.close()
    const last = steps.at(-1)
    expect(last?.outcome === 'success' && answer.outcome === 'success' && toHex(last.msk)).toBe(
      answer.outcome === 'success' && toHex(answer.msk),
    )
  })

  it('the same packet again meets the round under way, another one ends it', async () => {
    const first = waiting()
    const packet = await begun(first.server)
    const round = first.server.next(packet)
    expect(first.server.next(packet.slice())).toBe(round)
    first.answer()
    expect((await round).outcome).toBe('continue')

    const second = waiting()
    const other = await begun(second.server)
    const interrupted = second.server.next(other)
    other[other.length - 1]! ^= 1
    expect((await second.server.next(other)).outcome).toBe('failure')
    second.answer()
    expect((await interrupted).outcome).toBe('failure')
  })
})

it('two authenticators share nothing', async () => {
  const pairs = Array.from({ length: 4 }, () => ({ server: authenticator(), peer: device() }))
  const ends = await Promise.all(pairs.map(({ server, peer }) => converse(server, peer)))
  const msks = ends.map(({ answer }) => (answer.outcome === 'success' ? toHex(answer.msk) : ''))
  expect(new Set(msks).size).toBe(4)
  const [first, second] = [authenticator(), authenticator()]
  const { identifier } = await answered(first, device())
  await second.next(null)
  second.close()
  const step = await first.next(response(identifier, EAP_TYPE.MSCHAPV2, Uint8Array.of(3)))
  expect(step.outcome).toBe('success')
})

/** Up to the authenticator's answer to the MSCHAPv2 response. */
async function answered(server: EapAuthenticator, peer: EapPeer): Promise<{ identifier: number; answer: EapMessage }> {
  const answer = await peer.next((await server.next(null)).packet)
  const packet = answer.outcome === 'continue' ? answer.packet : new Uint8Array(0)
  const { identifier } = requestOf(await server.next(packet))
  return { identifier, answer: requestOf({ outcome: 'continue', packet }) }
}

async function expectFailure(server: EapAuthenticator, packet: Uint8Array): Promise<void> {
  const step = await server.next(packet)
  expect(step.outcome).toBe('failure')
  expect(decodeEap(step.packet)).toMatchObject({ ok: true, value: { kind: 'failure' } })
  expect((await server.next(packet)).outcome).toBe('failure')
}

function response(identifier: number, type: number, data: Uint8Array): Uint8Array {
  return encodeEap({ kind: 'response', identifier, type, data })
}

function requestOf(step: EapStep | EapPeerAnswer | undefined): EapMessage {
  const result = step?.outcome === 'continue' ? decodeEap(step.packet) : null
  if (!result?.ok || !('type' in result.value)) throw new Error('no message')
  return result.value
}

/** Null for a verdict. */
function typesOf(steps: readonly EapStep[]): (number | null)[] {
  return steps.map(({ packet }) => packet[4] ?? null)
}

/** Everything about a step that a peer can tell apart, but for identifiers and random text. */
function shapeOf({ outcome, packet }: EapStep): unknown {
  return { outcome, code: packet[0], length: packet.length, type: packet[4], opcode: packet[5] }
}

function refusingRun(): ReturnType<EapMethod['start']> {
  return {
    next: async (data) =>
      data === null ? { kind: 'request', data: Uint8Array.of(0x20) } : { kind: 'failure', reason: 'tls' },
    close: () => {},
  }
}
