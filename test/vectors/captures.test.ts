/**
 * The codec and the Encrypted payload against recorded strongSwan peers: every IKE message of every scenario is decoded, opened,
 * reassembled, compared field by field with what an independent decoder found, and encoded again octet for octet.
 */
import { nobleProvider, opensslProvider } from '@culvert/crypto'
import {
  addFragment,
  decodeMessage,
  decodePayloads,
  encodeMessage,
  encodePayloads,
  type FragmentSet,
  type Message,
  openMessage,
  PAYLOAD,
  type Payload,
  sealMessage,
  type SkKeys,
} from '@culvert/ikev2'
import { formatIp, toHex } from '@culvert/bytes'
import { describe, expect, it } from 'vitest'
import {
  type CapturedIkeSa,
  type ExpectedMessage,
  type ExpectedPayload,
  hexBytes,
  ikeMessageOf,
  loadDatagrams,
  loadExpected,
  loadIkeSas,
  scenarioNames,
} from './capture-scenario.ts'

const names = scenarioNames()

describe('captures of strongSwan', () => {
  it('are all here', () => {
    expect(names).toHaveLength(51)
  })
})

describe.each([opensslProvider, nobleProvider])('captures with the $name provider', (provider) => {
  it.each(names)('%s decodes, opens and encodes as another decoder saw it', (name) => {
    const datagrams = loadDatagrams(name)
    const sas = loadIkeSas(name, provider)
    const capture = { open: opener(sas), fragments: new Map<string, FragmentSet | null>() }
    const expected = loadExpected(name)
    expect(datagrams.map(({ frame }) => frame)).toEqual(expected.map(({ frame }) => frame))
    for (const [index, message] of expected.entries()) {
      const datagram = datagrams[index]!
      const octets = ikeMessageOf(datagram)
      expect(octets === null ? 'other' : 'ike').toBe(message.kind === 'ike' ? 'ike' : 'other')
      if (octets !== null) checkIkeMessage(octets, message, capture)
    }
  })
})

type Open = (octets: Uint8Array, message: Message) => { plaintext: Uint8Array; keys: SkKeys }

/** Tries every key set of the SPIs: with IKE_INTERMEDIATE there are two. */
function opener(sas: readonly CapturedIkeSa[]): Open {
  return (octets, message) => {
    const { spiI, spiR, fromOriginalInitiator } = message.header
    for (const sa of sas) {
      if (sa.spiI !== spiI || sa.spiR !== spiR) continue
      const keys = fromOriginalInitiator ? sa.initiator : sa.responder
      const opened = openMessage(octets, message, keys)
      if (opened.ok) return { plaintext: opened.value, keys }
      expect(opened.error.code).toBe('badIcv')
    }
    throw new Error(`no key opens message ${message.header.messageId} of ${spiI}`)
  }
}

interface Capture {
  readonly open: Open
  /** By SPIs, message id and direction. */
  readonly fragments: Map<string, FragmentSet | null>
}

function checkIkeMessage(octets: Uint8Array, expected: ExpectedMessage, capture: Capture): void {
  const decoded = decodeMessage(octets)
  if (!decoded.ok) throw new Error(`frame ${expected.frame}: ${decoded.error.code}`)
  const message = decoded.value
  expect(headerView(message, octets.length)).toEqual(expectedHeader(expected))
  const outer = expected.payloads ?? []
  const last = outer.at(-1)
  if (message.sealed === null) {
    comparePayloads(message.payloads, outer)
    expect(toHex(encodeMessage(message.header, message.payloads))).toBe(toHex(octets))
    return
  }
  expect(message.payloads).toHaveLength(outer.length - 1)
  expect(last?.icv).toBe('correct')
  checkSealed(octets, message, last!, capture)
}

function checkSealed(octets: Uint8Array, message: Message, expected: ExpectedPayload, capture: Capture): void {
  const { fragments } = capture
  const { plaintext, keys } = capture.open(octets, message)
  checkDamageIsSeen(octets, message, keys)
  const sealed = message.sealed!
  expect([sealed.fragmentNumber, sealed.totalFragments]).toEqual([expected.fragment ?? 0, expected.fragments ?? 0])
  if (expected.type === PAYLOAD.SK) {
    comparePayloads(decodeInner(sealed.innerType, plaintext), expected.payloads ?? [])
    checkSealsAlike(octets, message, { plaintext, keys, expected })
    return
  }
  const { header } = message
  const key = [header.spiI, header.spiR, header.messageId, header.isResponse, header.fromOriginalInitiator].join()
  const added = addFragment(fragments.get(key) ?? null, sealed, plaintext)
  fragments.set(key, added.set)
  expect(added.complete !== null).toBe(expected.payloads !== undefined)
  if (added.complete !== null) {
    comparePayloads(decodeInner(added.complete.innerType, added.complete.bytes), expected.payloads ?? [])
  }
}

/** One flipped bit anywhere up to the body, in the ciphertext or in the ICV. */
function checkDamageIsSeen(octets: Uint8Array, message: Message, keys: SkKeys): void {
  const { bodyOffset } = message.sealed!
  for (const index of [20, bodyOffset, bodyOffset + keys.cipher.ivBytes, octets.length - 1]) {
    const damaged = octets.slice()
    damaged[index]! ^= 1
    expect(openMessage(damaged, message, keys)).toMatchObject({ ok: false, error: { code: 'badIcv' } })
  }
}

/** With the recorded IV and no padding beyond what is needed, an AEAD gives the very same datagram. */
function checkSealsAlike(
  octets: Uint8Array,
  message: Message,
  recorded: { plaintext: Uint8Array; keys: SkKeys; expected: ExpectedPayload },
): void {
  const { plaintext, keys, expected } = recorded
  const payloads = decodeInner(message.sealed!.innerType, plaintext)
  const iv = hexBytes(expected.iv ?? '')
  const again = sealMessage(message.header, payloads, keys, () => iv, { fragmentBytes: 1280, fragmentation: false })
  expect(again).toHaveLength(1)
  if (keys.cipher.kind === 'aead') expect(toHex(again[0]!)).toBe(toHex(octets))
  else expect(again[0]!.length).toBe(octets.length)
}

function decodeInner(firstType: number, plaintext: Uint8Array): readonly Payload[] {
  const inner = decodePayloads(firstType, plaintext)
  if (!inner.ok) throw new Error(`inner payloads: ${inner.error.code}`)
  const encoded = encodePayloads(inner.value)
  expect(encoded.firstType).toBe(firstType)
  expect(toHex(encoded.bytes)).toBe(toHex(plaintext))
  return inner.value
}

function headerView(message: Message, length: number): object {
  const { header } = message
  return {
    spiI: header.spiI,
    spiR: header.spiR,
    exchangeType: header.exchangeType,
    messageId: header.messageId,
    initiator: header.fromOriginalInitiator,
    response: header.isResponse,
    length,
  }
}

function expectedHeader(expected: ExpectedMessage): object {
  return {
    spiI: expected.spi_i,
    spiR: expected.spi_r,
    exchangeType: expected.exchange_type,
    messageId: expected.message_id,
    initiator: expected.initiator,
    response: expected.response,
    length: expected.length,
  }
}

function comparePayloads(payloads: readonly Payload[], expected: readonly ExpectedPayload[]): void {
  expect(payloads.map((payload) => encodePayloads([payload]).firstType)).toEqual(expected.map(({ type }) => type))
  for (const [index, payload] of payloads.entries()) comparePayload(payload, expected[index]!)
}

function comparePayload(payload: Payload, expected: ExpectedPayload): void {
  const { bytes } = encodePayloads([payload])
  expect(bytes.length).toBe(expected.length)
  // the first octet of the generic header names the next payload, which a payload alone does not have
  if (expected.raw !== undefined) expect(toHex(bytes).slice(2)).toBe(expected.raw.slice(2))
  const view = viewOf(payload)
  for (const [field, value] of Object.entries(view)) {
    const there = expected[field as keyof ExpectedPayload]
    if (there !== undefined || expected.raw === undefined) expect(value, field).toEqual(there ?? emptyOf(value))
  }
}

function emptyOf(value: unknown): unknown {
  return typeof value === 'string' ? '' : []
}

/** A payload in the terms of the other decoder. */
function viewOf(payload: Payload): Readonly<Record<string, unknown>> {
  switch (payload.kind) {
    case 'sa':
      return { proposals: payload.proposals.map(proposalView) }
    case 'ke':
      return { group: payload.group, data: toHex(payload.data) }
    case 'idI':
    case 'idR':
      return { id_type: payload.id.type, id: toHex(payload.id.data) }
    case 'cert':
    case 'certReq':
      return { encoding: payload.encoding }
    case 'auth':
      return payload.method === 14 ? { method: 14 } : { method: payload.method, data: toHex(payload.data) }
    case 'nonce':
      return { data: toHex(payload.data) }
    case 'notify':
      return {
        notify: payload.type,
        protocol: payload.protocolId,
        spi: toHex(payload.spi),
        data: toHex(payload.data),
      }
    case 'delete':
      return { protocol: payload.protocolId, spis: payload.spis.map(toHex) }
    case 'tsI':
    case 'tsR':
      return { selectors: payload.selectors.map(selectorView) }
    case 'cp':
      return {
        cfg_type: payload.cfgType,
        attributes: payload.attributes.map(({ type, value }) => expect.objectContaining({ type, value: toHex(value) })),
      }
    case 'eap':
    case 'vendor':
    case 'unknown':
      return {}
  }
}

function proposalView(proposal: Extract<Payload, { kind: 'sa' }>['proposals'][number]): unknown {
  const { number, protocolId, spi, transforms } = proposal
  return expect.objectContaining({
    number,
    protocol: protocolId,
    ...(spi.length > 0 && { spi: toHex(spi) }),
    transforms: transforms.map(({ type, id, keyBits }) =>
      expect.objectContaining({ type, id, ...(keyBits !== null && { key_length: keyBits }) }),
    ),
  })
}

function selectorView(selector: Extract<Payload, { kind: 'tsI' | 'tsR' }>['selectors'][number]): unknown {
  return {
    type: selector.type,
    protocol: selector.protocol,
    start_port: selector.startPort,
    end_port: selector.endPort,
    start: formatIp(selector.startAddress),
    end: formatIp(selector.endAddress),
  }
}
