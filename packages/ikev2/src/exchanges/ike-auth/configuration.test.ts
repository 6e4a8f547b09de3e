import { describe, expect, test } from 'vitest'
import type { AttachGrant } from '../../endpoint/contract.ts'
import type { ConfigurationAttribute, Payload } from '../../message/model.ts'
import { CFG_ATTRIBUTE, CFG_TYPE } from '../../message/numbers.ts'
import { fromCidr } from '../../traffic-selector/selector.ts'
import { assignedAddresses, replyFor, requestedAddresses, requestFor } from './configuration.ts'

const {
  INTERNAL_IP4_ADDRESS,
  INTERNAL_IP4_DNS,
  INTERNAL_IP4_NETMASK,
  INTERNAL_IP4_SUBNET,
  INTERNAL_IP6_ADDRESS,
  INTERNAL_IP6_DNS,
  INTERNAL_IP6_SUBNET,
  INTERNAL_DNS_DOMAIN,
  SUPPORTED_ATTRIBUTES,
} = CFG_ATTRIBUTE

type Cp = Extract<Payload, { kind: 'cp' }>

function request(...types: readonly number[]): Cp {
  return {
    kind: 'cp',
    cfgType: CFG_TYPE.REQUEST,
    attributes: types.map((type) => ({ type, value: new Uint8Array(0) })),
  }
}

function grant(change: Partial<AttachGrant> = {}, ...reachable: readonly string[]): AttachGrant {
  const cidrs = reachable.length === 0 ? ['10.127.0.0/20', 'fd00:7::/64'] : reachable
  const tsLocal = cidrs.map((cidr) => fromCidr(cidr)!)
  const given = { ip4: '10.128.0.5', ip6: 'fd00::5', dns4: ['10.127.0.53'], dns6: ['fd00:7::53'] }
  return { ...given, dnsDomains: ['corp.example'], tsLocal, tsRemote: [], replaces: [], ...change }
}

function answered(asked: Cp, given: AttachGrant): readonly ConfigurationAttribute[] {
  const [reply] = replyFor(asked, given) ?? []
  if (reply?.kind !== 'cp') throw new Error('no reply')
  expect(reply.cfgType).toBe(CFG_TYPE.REPLY)
  return reply.attributes
}

const typesOf = (attributes: readonly ConfigurationAttribute[]): number[] => attributes.map(({ type }) => type)
const textOf = (value: Uint8Array | undefined): string => Buffer.from(value ?? []).toString('hex')

describe('C35 a reply', () => {
  test('comes only to a request, and holds only kinds that were asked for', () => {
    expect(replyFor(null, grant())).toEqual([])
    expect(replyFor({ ...request(INTERNAL_IP4_ADDRESS), cfgType: CFG_TYPE.SET }, grant())).toEqual([])
    expect(typesOf(answered(request(INTERNAL_IP4_ADDRESS), grant()))).toEqual([INTERNAL_IP4_ADDRESS])
    expect(typesOf(answered(request(INTERNAL_IP6_DNS, INTERNAL_IP4_DNS), grant()))).toEqual([
      INTERNAL_IP4_DNS,
      INTERNAL_IP6_DNS,
    ])
  })

  test('has one address of each family, IPv6 with its prefix length, and no netmask', () => {
    const attributes = answered(request(INTERNAL_IP4_NETMASK, INTERNAL_IP4_ADDRESS, INTERNAL_IP6_ADDRESS), grant())
    expect(attributes.map(({ type, value }) => [type, textOf(value)])).toEqual([
      [INTERNAL_IP4_ADDRESS, '0a800005'],
      [INTERNAL_IP6_ADDRESS, `fd00${'00'.repeat(13)}0580`],
    ])
  })

  test('names what can be given of two families, and fails when nothing can', () => {
    const both = request(INTERNAL_IP4_ADDRESS, INTERNAL_IP6_ADDRESS)
    expect(typesOf(answered(both, grant({ ip6: null })))).toEqual([INTERNAL_IP4_ADDRESS])
    expect(replyFor(both, grant({ ip4: null, ip6: null }))).toBeNull()
    expect(replyFor(request(INTERNAL_IP6_ADDRESS), grant({ ip6: null }))).toBeNull()
  })

  test('passes over attributes that are unknown, doubled or have values they should not have (N24)', () => {
    const odd = { type: 0x7abc, value: new Uint8Array(500) }
    const wished = { type: INTERNAL_IP4_ADDRESS, value: Uint8Array.of(10, 0, 0, 1) }
    const asked = { ...request(), attributes: [odd, wished, wished, { ...wished, value: new Uint8Array(3) }] }
    expect(answered(asked, grant())).toEqual([{ type: INTERNAL_IP4_ADDRESS, value: Uint8Array.of(10, 128, 0, 5) }])
  })

  test('names the subnets behind us, with netmask or prefix length', () => {
    const attributes = answered(request(INTERNAL_IP4_SUBNET, INTERNAL_IP6_SUBNET), grant())
    expect(attributes.map(({ type, value }) => [type, textOf(value)])).toEqual([
      [INTERNAL_IP4_SUBNET, '0a7f0000fffff000'],
      [INTERNAL_IP6_SUBNET, `fd000007${'00'.repeat(12)}40`],
    ])
  })

  test('tells which attributes are supported', () => {
    const [attribute] = answered(request(SUPPORTED_ATTRIBUTES), grant())
    expect(textOf(attribute?.value)).toBe('000100030008000a000d000e000f0019')
  })
})

describe('RFC 8598 split DNS', () => {
  const asked = request(INTERNAL_IP4_DNS, INTERNAL_DNS_DOMAIN)

  test('a domain is named beside a DNS server', () => {
    const attributes = answered(asked, grant())
    expect(typesOf(attributes)).toEqual([INTERNAL_IP4_DNS, INTERNAL_DNS_DOMAIN])
    expect(Buffer.from(attributes[1]?.value ?? []).toString()).toBe('corp.example')
  })

  test.each([
    ['nobody asked for domains', request(INTERNAL_IP4_DNS), grant()],
    ['no server was asked for', request(INTERNAL_DNS_DOMAIN), grant()],
    ['there is no server', asked, grant({ dns4: [] })],
    ['everything goes through here', asked, grant({}, '0.0.0.0/0')],
    ['it is no domain name', asked, grant({ dnsDomains: ['a..b', 'x y', '', `${'a'.repeat(300)}`] })],
  ])('none when %s', (_name, configuration, given) => {
    expect(typesOf(answered(configuration, given))).not.toContain(INTERNAL_DNS_DOMAIN)
  })
})

test('the request of an initiator asks for what it wants, and reads back what is well-formed', () => {
  const [asked] = requestFor({ ip4: true, ip6: true })
  if (asked?.kind !== 'cp') throw new Error('no request')
  expect(requestedAddresses(asked)).toEqual({ ip4: true, ip6: true })
  const [reply] = replyFor(asked, grant()) ?? []
  expect(assignedAddresses(reply?.kind === 'cp' ? reply : null)).toEqual({ ip4: '10.128.0.5', ip6: 'fd00::5' })
  const lies = [{ type: INTERNAL_IP4_ADDRESS, value: new Uint8Array(5) }]
  expect(assignedAddresses({ kind: 'cp', cfgType: CFG_TYPE.REPLY, attributes: lies })).toEqual({ ip4: null, ip6: null })
  expect(requestFor({ ip4: false, ip6: false })).toEqual([])
})
