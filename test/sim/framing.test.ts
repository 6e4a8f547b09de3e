/**
 * Header, lengths and the Encrypted payload as both ends and strangers see them (RFC 7296 2, 3.1, 3.14).
 */
import {
  decodeMessage,
  defaultIkeSuites,
  defaultEspSuites,
  encodeMessage,
  ENCR,
  EXCHANGE,
  type IkeHeader,
  NOTIFY,
  PAYLOAD,
  type Payload,
  peekHeader,
  type PeekedHeader,
  ZERO_SPI,
} from '@culvert/ikev2'
import { expect, test } from 'vitest'
import { forge, forgeRaw, notify } from './forge.ts'
import type { Node } from './node.ts'
import { lastSent } from './packets.ts'
import { attachedPair, createPair, initiate, type Pair } from './pair.ts'

const { INFORMATIONAL } = EXCHANGE
const GENERIC_HEADER_BYTES = 4

function headerOf(bytes: Uint8Array): PeekedHeader {
  const header = peekHeader(bytes)
  if (!header.ok) throw new Error(header.error.code)
  return header.value
}

function toConcentrator(pair: Pair, bytes: Uint8Array): void {
  pair.concentrator.receive({ ...lastSent(pair.device), bytes })
}

/** An IKE_SA_INIT request of the device that a vendor id brings to this length. */
function firstRequest(pair: Pair, length: number): Uint8Array {
  initiate(pair)
  const decoded = decodeMessage(lastSent(pair.device).bytes)
  if (!decoded.ok) throw new Error(decoded.error.code)
  const { header, payloads } = decoded.value
  const short = encodeMessage(header, payloads).length
  const vendor: Payload = { kind: 'vendor', data: new Uint8Array(length - short - GENERIC_HEADER_BYTES) }
  return encodeMessage(header, [...payloads, vendor])
}

test('C03 a first request of 3000 octets is answered; one whose Length is not that of the datagram leaves nothing', () => {
  const pair = createPair()
  const request = firstRequest(pair, 3_000)
  expect(request).toHaveLength(3_000)
  const longer = new Uint8Array(3_001)
  longer.set(request)
  for (const wrong of [request.subarray(0, 2_999), longer]) toConcentrator(pair, wrong)
  expect([pair.concentrator.endpoint.size.halfOpen, pair.concentrator.sent.length]).toEqual([0, 0])
  toConcentrator(pair, request)
  expect([pair.concentrator.endpoint.size.halfOpen, pair.concentrator.sent.length]).toEqual([1, 1])
})

test('C03 a protected request of 3000 octets is answered, in one datagram', () => {
  const pair = attachedPair()
  const payloads: Payload[] = [{ kind: 'vendor', data: new Uint8Array(3_000) }]
  const [bytes, ...more] = forge(pair.device, { exchangeType: INFORMATIONAL, messageId: 2, payloads })
  if (bytes === undefined) throw new Error('there is one')
  expect([bytes.length > 3_000, more.length]).toEqual([true, 0])
  toConcentrator(pair, bytes)
  expect(headerOf(lastSent(pair.concentrator).bytes)).toMatchObject({ messageId: 2, isResponse: true })
})

test('C03 what is shorter than a header gets no answer and leaves nothing', () => {
  const pair = createPair()
  initiate(pair)
  const { bytes } = lastSent(pair.device)
  for (let length = 0; length < 28; length += 1) toConcentrator(pair, bytes.subarray(0, length))
  expect([pair.concentrator.endpoint.size.halfOpen, pair.concentrator.sent.length]).toEqual([0, 0])
})

test('C06 I says who began the IKE SA and R is in every response, whoever asks', () => {
  const pair = attachedPair()
  const { device, concentrator } = pair
  concentrator.command({ kind: 'rekeyIke', key: concentrator.key })
  pair.network.run(1_000)
  for (const node of [device, concentrator]) node.command({ kind: 'checkLiveness', key: node.key })
  pair.network.run(1_000)
  const flags = (node: Node): string[] =>
    node.sent
      .map(({ bytes }) => headerOf(bytes))
      .map((header) => (header.fromOriginalInitiator ? 'I' : '') + (header.isResponse ? 'R' : ''))
  // IKE_SA_INIT, IKE_AUTH; rekey and Delete of the concentrator; then both ask on the IKE SA that the concentrator began.
  expect(flags(device)).toEqual(['I', 'I', 'IR', 'IR', '', 'R'])
  expect(flags(concentrator)).toEqual(['R', 'R', '', '', 'I', 'IR'])
})

test('C06 no response is answered, whatever it says and whomever it is for', () => {
  const pair = attachedPair()
  const known = headerOf(lastSent(pair.device).bytes)
  const strange = { ...known, spiI: '1111111111111111', spiR: '2222222222222222' } as PeekedHeader
  const sent = pair.concentrator.sent.length
  for (const header of [known, strange, { ...known, spiR: ZERO_SPI }]) {
    for (const exchangeType of [EXCHANGE.IKE_SA_INIT, EXCHANGE.IKE_AUTH, EXCHANGE.CREATE_CHILD_SA, INFORMATIONAL]) {
      const response: IkeHeader = { ...header, exchangeType, isResponse: true }
      const unknown: Payload = { kind: 'unknown', type: 200, data: new Uint8Array(4) }
      const critical = encodeMessage(response, [unknown])
      critical[29] = 0x80
      const version = encodeMessage(response, [])
      version[17] = 3 << 4
      const error = encodeMessage(response, [notify(NOTIFY.INVALID_SYNTAX)])
      for (const bytes of [error, critical, version]) toConcentrator(pair, bytes)
    }
  }
  for (const messageId of [0, 1, 2, 3]) {
    const payloads = [notify(NOTIFY.INVALID_SYNTAX)]
    for (const bytes of forge(pair.device, { exchangeType: INFORMATIONAL, messageId, isResponse: true, payloads })) {
      toConcentrator(pair, bytes)
    }
  }
  expect(pair.concentrator.sent).toHaveLength(sent)
  expect(pair.concentrator.eventsOf('closed')).toEqual([])
})

test('C08 what SK holds is not looked at before its ICV is right', () => {
  const place = { exchangeType: INFORMATIONAL, messageId: 2 }
  // A Delete payload whose length is that of no payload.
  const nonsense = Uint8Array.of(0, 0, 0, 1)
  for (const isAuthentic of [false, true]) {
    const pair = attachedPair()
    const bytes = forgeRaw(pair.device, place, PAYLOAD.DELETE, nonsense)
    if (!isAuthentic) bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    pair.transcript.take()
    toConcentrator(pair, bytes)
    const answer = ['con: INFORMATIONAL response 2, SK {N(INVALID_SYNTAX)}']
    expect(pair.transcript.take()).toEqual(isAuthentic ? answer : [])
    expect(pair.concentrator.eventsOf('closed')).toHaveLength(isAuthentic ? 1 : 0)
  }
})

test('C09 the IV of every CBC message is 16 random octets of its own', () => {
  const ike = defaultIkeSuites.filter((suite) => suite.encr.some(({ id }) => id === ENCR.AES_CBC))
  const config = { proposals: { ike, esp: defaultEspSuites } }
  const pair = createPair({ device: config, concentrator: config })
  const drawn = new Set<string>()
  const { bytes: draw } = pair.network.random
  Object.assign(pair.network.random, {
    bytes: (length: number) => {
      const octets = draw(length)
      if (length === 16) drawn.add(Buffer.from(octets).toString('hex'))
      return octets
    },
  })
  initiate(pair)
  pair.network.run(1_000)
  for (let count = 0; count < 5; count += 1) {
    pair.device.command({ kind: 'checkLiveness', key: pair.device.key })
    pair.network.run(1_000)
  }
  const ivs = [pair.device, pair.concentrator].flatMap(({ sent }) =>
    sent
      .filter(({ bytes }) => headerOf(bytes).exchangeType !== EXCHANGE.IKE_SA_INIT)
      .map(({ bytes }) => Buffer.from(bytes.subarray(32, 48)).toString('hex')),
  )
  expect(ivs).toHaveLength(12)
  expect(new Set(ivs).size).toBe(12)
  expect(ivs.filter((iv) => !drawn.has(iv))).toEqual([])
})
