/**
 * Configuration payloads of IKE_AUTH (RFC 7296 2.19, 3.15; RFC 8598): addresses, DNS servers and subnets, asked for and given.
 *
 * A reply goes out only when a request came in, and holds only kinds that were asked for. What we do not know is ignored, values
 * the peer wishes for are not looked at: a device has the addresses it was given for good (C35).
 */
import type { AttachGrant, RequestedAddresses } from '../../endpoint/contract.ts'
import type { ConfigurationAttribute, Payload } from '../../message/model.ts'
import { CFG_ATTRIBUTE, CFG_TYPE } from '../../message/numbers.ts'
import { concatBytes, EMPTY, writeU16 } from '../../message/octets.ts'
import type { PayloadOf } from '../../sa/payload-shape.ts'
import { formatAddress, parseAddress } from '../../traffic-selector/address.ts'
import { prefixLength } from '../../traffic-selector/selector.ts'

const HOST_PREFIX_LENGTH = 128
/** Octets of a domain name in presentation format (RFC 1035 2.3.4). */
const MAX_DOMAIN_BYTES = 253
const MAX_DOMAINS = 32

/** What we may answer, for SUPPORTED_ATTRIBUTES. */
const SUPPORTED: readonly number[] = [
  CFG_ATTRIBUTE.INTERNAL_IP4_ADDRESS,
  CFG_ATTRIBUTE.INTERNAL_IP4_DNS,
  CFG_ATTRIBUTE.INTERNAL_IP6_ADDRESS,
  CFG_ATTRIBUTE.INTERNAL_IP6_DNS,
  CFG_ATTRIBUTE.INTERNAL_IP4_SUBNET,
  CFG_ATTRIBUTE.SUPPORTED_ATTRIBUTES,
  CFG_ATTRIBUTE.INTERNAL_IP6_SUBNET,
  CFG_ATTRIBUTE.INTERNAL_DNS_DOMAIN,
]

/** Which addresses a CFG_REQUEST asks for; anything else asks for none. */
export function requestedAddresses(configuration: PayloadOf<'cp'> | null): RequestedAddresses {
  if (configuration === null || configuration.cfgType !== CFG_TYPE.REQUEST) return { ip4: false, ip6: false }
  return {
    ip4: asksFor(configuration, CFG_ATTRIBUTE.INTERNAL_IP4_ADDRESS),
    ip6: asksFor(configuration, CFG_ATTRIBUTE.INTERNAL_IP6_ADDRESS),
  }
}

/** @returns null when addresses were asked for and none of them can be given (INTERNAL_ADDRESS_FAILURE). */
export function replyFor(configuration: PayloadOf<'cp'> | null, grant: AttachGrant): readonly Payload[] | null {
  if (configuration === null || configuration.cfgType !== CFG_TYPE.REQUEST) return []
  const addresses = [...address4(configuration, grant), ...address6(configuration, grant)]
  const { ip4, ip6 } = requestedAddresses(configuration)
  if ((ip4 || ip6) && addresses.length === 0) return null
  const attributes = [
    ...addresses,
    ...servers(configuration, grant),
    ...subnets(configuration, grant),
    ...supported(configuration),
  ]
  return [{ kind: 'cp', cfgType: CFG_TYPE.REPLY, attributes }]
}

/** The CFG_REQUEST of an initiator; nothing when no address is wanted. */
export function requestFor({ ip4, ip6 }: RequestedAddresses): readonly Payload[] {
  const types = [
    ...(ip4 ? [CFG_ATTRIBUTE.INTERNAL_IP4_ADDRESS, CFG_ATTRIBUTE.INTERNAL_IP4_DNS] : []),
    ...(ip6 ? [CFG_ATTRIBUTE.INTERNAL_IP6_ADDRESS, CFG_ATTRIBUTE.INTERNAL_IP6_DNS] : []),
  ]
  if (types.length === 0) return []
  return [{ kind: 'cp', cfgType: CFG_TYPE.REQUEST, attributes: types.map((type) => ({ type, value: EMPTY })) }]
}

/** The addresses in a CFG_REPLY; null for a family that is missing or not well-formed. */
export function assignedAddresses(configuration: PayloadOf<'cp'> | null): { ip4: string | null; ip6: string | null } {
  if (configuration === null || configuration.cfgType !== CFG_TYPE.REPLY) return { ip4: null, ip6: null }
  const ip4 = valueOf(configuration, CFG_ATTRIBUTE.INTERNAL_IP4_ADDRESS)
  const ip6 = valueOf(configuration, CFG_ATTRIBUTE.INTERNAL_IP6_ADDRESS)
  return {
    ip4: ip4?.length === 4 ? formatAddress(ip4) : null,
    ip6: ip6?.length === 17 || ip6?.length === 16 ? formatAddress(ip6.subarray(0, 16)) : null,
  }
}

/** Without a netmask: the device is one host, and its subnet is not here (3.15.1). */
function address4(configuration: PayloadOf<'cp'>, { ip4 }: AttachGrant): ConfigurationAttribute[] {
  const type = CFG_ATTRIBUTE.INTERNAL_IP4_ADDRESS
  return asksFor(configuration, type) ? addressAttribute(type, ip4, 4, EMPTY) : []
}

function address6(configuration: PayloadOf<'cp'>, { ip6 }: AttachGrant): ConfigurationAttribute[] {
  const type = CFG_ATTRIBUTE.INTERNAL_IP6_ADDRESS
  return asksFor(configuration, type) ? addressAttribute(type, ip6, 16, Uint8Array.of(HOST_PREFIX_LENGTH)) : []
}

/** DNS servers; domains that are theirs alone only beside a server, and only when not everything goes through here (RFC 8598 3). */
function servers(configuration: PayloadOf<'cp'>, grant: AttachGrant): ConfigurationAttribute[] {
  const { INTERNAL_IP4_DNS, INTERNAL_IP6_DNS, INTERNAL_DNS_DOMAIN } = CFG_ATTRIBUTE
  const dns = [
    ...(asksFor(configuration, INTERNAL_IP4_DNS) ? grant.dns4 : []).flatMap((server) => {
      return addressAttribute(INTERNAL_IP4_DNS, server, 4, EMPTY)
    }),
    ...(asksFor(configuration, INTERNAL_IP6_DNS) ? (grant.dns6 ?? []) : []).flatMap((server) => {
      return addressAttribute(INTERNAL_IP6_DNS, server, 16, EMPTY)
    }),
  ]
  const isSplit = !grant.tsLocal.some((selector) => prefixLength(selector) === 0)
  if (dns.length === 0 || !isSplit || !asksFor(configuration, INTERNAL_DNS_DOMAIN)) return dns
  const domains = (grant.dnsDomains ?? []).slice(0, MAX_DOMAINS).flatMap(domainAttribute)
  return [...dns, ...domains]
}

/** What is behind us, for a peer that asks for the subnets of a family. */
function subnets(configuration: PayloadOf<'cp'>, { tsLocal }: AttachGrant): ConfigurationAttribute[] {
  return tsLocal.flatMap((selector): ConfigurationAttribute[] => {
    const isIp4 = selector.startAddress.length === 4
    const type = isIp4 ? CFG_ATTRIBUTE.INTERNAL_IP4_SUBNET : CFG_ATTRIBUTE.INTERNAL_IP6_SUBNET
    const bits = prefixLength(selector)
    if (bits === null || !asksFor(configuration, type)) return []
    const suffix = isIp4 ? netmask(bits) : Uint8Array.of(bits)
    return [{ type, value: concatBytes(selector.startAddress, suffix) }]
  })
}

function netmask(bits: number): Uint8Array {
  return Uint8Array.from({ length: 4 }, (_, index) => 0xff00 >>> Math.min(8, Math.max(0, bits - 8 * index)))
}

function supported(configuration: PayloadOf<'cp'>): ConfigurationAttribute[] {
  if (!asksFor(configuration, CFG_ATTRIBUTE.SUPPORTED_ATTRIBUTES)) return []
  const value = new Uint8Array(2 * SUPPORTED.length)
  SUPPORTED.forEach((type, index) => writeU16(value, 2 * index, type))
  return [{ type: CFG_ATTRIBUTE.SUPPORTED_ATTRIBUTES, value }]
}

/** In presentation format, as A-labels (RFC 8598 3.1). */
function domainAttribute(domain: string): ConfigurationAttribute[] {
  const value = new TextEncoder().encode(domain)
  const isName = value.length <= MAX_DOMAIN_BYTES && /^[\w-]+(?:\.[\w-]+)*$/.test(domain)
  return isName ? [{ type: CFG_ATTRIBUTE.INTERNAL_DNS_DOMAIN, value }] : []
}

function addressAttribute(
  type: number,
  text: string | null,
  bytes: 4 | 16,
  suffix: Uint8Array,
): ConfigurationAttribute[] {
  const address = text === null ? null : parseAddress(text)
  return address?.length === bytes ? [{ type, value: concatBytes(address, suffix) }] : []
}

function asksFor(configuration: PayloadOf<'cp'>, type: number): boolean {
  return configuration.attributes.some((attribute) => attribute.type === type)
}

function valueOf(configuration: PayloadOf<'cp'>, type: number): Uint8Array | undefined {
  return configuration.attributes.find((attribute) => attribute.type === type)?.value
}
