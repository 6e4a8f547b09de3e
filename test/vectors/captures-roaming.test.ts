/**
 * What recorded strongSwan peers say when they move, come without a Child SA, are sent elsewhere, or speak IPv6: our own functions
 * make of it what they did.
 */
import { opensslProvider } from '@culvert/crypto'
import {
  decodeGateway,
  decodeMessage,
  decodePayloads,
  encodeGateway,
  EXCHANGE,
  type IkeSpi,
  type Message,
  natDetectionHash,
  NOTIFY,
  openMessage,
  type Payload,
} from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { ikeMessageOf, loadDatagrams, loadExpected, loadIkeSas } from './capture-scenario.ts'

interface Seen {
  readonly message: Message
  readonly payloads: readonly Payload[]
  readonly source: string
  readonly destination: string
}

/** Every IKE message of a scenario, opened, with where it came from as `address:port`. */
function messagesOf(name: string): Seen[] {
  const sas = loadIkeSas(name, opensslProvider)
  const expected = loadExpected(name) as readonly { src?: string; dst?: string }[]
  return loadDatagrams(name).flatMap((datagram, index): Seen[] => {
    const octets = ikeMessageOf(datagram)
    const decoded = octets === null ? null : decodeMessage(octets)
    if (octets === null || decoded === null || !decoded.ok) return []
    const message = decoded.value
    const { src: source = '', dst: destination = '' } = expected[index] ?? {}
    return [{ message, payloads: payloadsOf(octets, message, sas), source, destination }]
  })
}

function payloadsOf(octets: Uint8Array, message: Message, sas: ReturnType<typeof loadIkeSas>): readonly Payload[] {
  const { sealed, header } = message
  if (sealed === null) return message.payloads
  for (const sa of sas.filter(({ spiI, spiR }) => spiI === header.spiI && spiR === header.spiR)) {
    const opened = openMessage(octets, message, header.fromOriginalInitiator ? sa.initiator : sa.responder)
    const inner = opened.ok ? decodePayloads(sealed.innerType, opened.value) : null
    if (inner?.ok === true) return inner.value
  }
  throw new Error(`message ${header.messageId} does not open`)
}

function notifyOf({ payloads }: Pick<Seen, 'payloads'>, type: number): Uint8Array | undefined {
  for (const payload of payloads) if (payload.kind === 'notify' && payload.type === type) return payload.data
  return undefined
}

function hashOf({ message }: Seen, endpoint: string, spiR: IkeSpi = message.header.spiR): Uint8Array {
  const colon = endpoint.lastIndexOf(':')
  const address = endpoint.slice(0, colon).replaceAll(/[[\]]/g, '')
  return natDetectionHash(opensslProvider, message.header.spiI, spiR, address, Number(endpoint.slice(colon + 1)))
}

describe('13-mobike', () => {
  const seen = messagesOf('13-mobike')
  const update = seen.find((message) => notifyOf(message, NOTIFY.UPDATE_SA_ADDRESSES) !== undefined)
  const answer = seen.find(({ message }) => {
    return (
      message.header.isResponse &&
      message.header.messageId === update?.message.header.messageId &&
      message.header.exchangeType === EXCHANGE.INFORMATIONAL &&
      message.header.fromOriginalInitiator === false
    )
  })

  test('both ends say MOBIKE_SUPPORTED in IKE_AUTH', () => {
    const auth = seen.filter(({ message }) => message.header.exchangeType === EXCHANGE.IKE_AUTH)
    expect(auth.map((message) => notifyOf(message, NOTIFY.MOBIKE_SUPPORTED)?.length)).toEqual([0, 0])
  })

  test('the update comes from the new address, with a destination hash that fits ours', () => {
    expect(update?.source).toBe('192.0.2.12:4500')
    expect(update && notifyOf(update, NOTIFY.NAT_DETECTION_DESTINATION_IP)).toEqual(
      update && hashOf(update, update.destination),
    )
  })

  test('COOKIE2 is echoed octet for octet, and the answer says where the peer is seen', () => {
    expect(answer && notifyOf(answer, NOTIFY.COOKIE2)).toEqual(update && notifyOf(update, NOTIFY.COOKIE2))
    expect(answer && notifyOf(answer, NOTIFY.NAT_DETECTION_DESTINATION_IP)).toEqual(
      answer && hashOf(answer, answer.destination),
    )
  })
})

describe('15-childless', () => {
  const seen = messagesOf('15-childless')

  test('the responder offers it, IKE_AUTH has no Child SA, CREATE_CHILD_SA makes one', () => {
    const [, offered] = seen
    expect(offered && notifyOf(offered, NOTIFY.CHILDLESS_IKEV2_SUPPORTED)).toBeDefined()
    const kindsOf = (exchange: number): string[] =>
      seen
        .filter(({ message }) => message.header.exchangeType === exchange)
        .flatMap(({ payloads }) => payloads.map(({ kind }) => kind))
    expect(kindsOf(EXCHANGE.IKE_AUTH).filter((kind) => ['sa', 'tsI', 'tsR'].includes(kind))).toEqual([])
    expect(kindsOf(EXCHANGE.IKE_AUTH)).toContain('auth')
    expect(kindsOf(EXCHANGE.CREATE_CHILD_SA)).toEqual(expect.arrayContaining(['sa', 'nonce', 'tsI', 'tsR']))
  })
})

describe('17-redirect', () => {
  const seen = messagesOf('17-redirect')
  const dataOf = (type: number): Uint8Array[] => seen.flatMap((message) => notifyOf(message, type) ?? [])

  test('REDIRECT and REDIRECTED_FROM name the gateways as we write them', () => {
    const to = { kind: 'ip4', address: '192.0.2.2' } as const
    const from = { kind: 'ip4', address: '192.0.2.1' } as const
    expect(dataOf(NOTIFY.REDIRECT)).toEqual([encodeGateway(to)])
    expect(dataOf(NOTIFY.REDIRECTED_FROM)).toEqual([encodeGateway(from)])
    expect(dataOf(NOTIFY.REDIRECT).map((data) => decodeGateway(data)?.gateway)).toEqual([to])
    expect(dataOf(NOTIFY.REDIRECT_SUPPORTED)).toHaveLength(1)
  })
})

describe('22-psk-ipv6-outer', () => {
  test('C17 hashes over IPv6 addresses fit what was seen', () => {
    const [request, response] = messagesOf('22-psk-ipv6-outer')
    if (request === undefined || response === undefined) throw new Error('no IKE_SA_INIT')
    expect(notifyOf(request, NOTIFY.NAT_DETECTION_DESTINATION_IP)).toEqual(hashOf(request, request.destination))
    expect(notifyOf(response, NOTIFY.NAT_DETECTION_DESTINATION_IP)).toEqual(hashOf(response, response.destination))
  })
})
