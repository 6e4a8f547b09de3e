/**
 * Configuration payloads of IKE_AUTH (RFC 7296 2.19, 3.15): addresses and DNS servers, asked for and given.
 *
 * A reply goes out only when a request came in, and holds only kinds that were asked for. What we do not know is ignored (C35).
 */
import type { AttachGrant, RequestedAddresses } from '../../endpoint/contract.ts'
import type { ConfigurationAttribute, Payload } from '../../message/model.ts'
import { CFG_ATTRIBUTE, CFG_TYPE } from '../../message/numbers.ts'
import { concatBytes, EMPTY } from '../../message/octets.ts'
import type { PayloadOf } from '../../sa/payload-shape.ts'
import { formatAddress, parseAddress } from '../../traffic-selector/address.ts'

const HOST_PREFIX_LENGTH = 128

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
  const { ip4, ip6 } = requestedAddresses(configuration)
  const attributes: ConfigurationAttribute[] = []
  if (ip4) attributes.push(...addressAttribute(CFG_ATTRIBUTE.INTERNAL_IP4_ADDRESS, grant.ip4, EMPTY))
  if (ip6) {
    const prefix = Uint8Array.of(HOST_PREFIX_LENGTH)
    attributes.push(...addressAttribute(CFG_ATTRIBUTE.INTERNAL_IP6_ADDRESS, grant.ip6, prefix))
  }
  if ((ip4 || ip6) && attributes.length === 0) return null
  if (asksFor(configuration, CFG_ATTRIBUTE.INTERNAL_IP4_DNS)) {
    for (const server of grant.dns4) attributes.push(...addressAttribute(CFG_ATTRIBUTE.INTERNAL_IP4_DNS, server, EMPTY))
  }
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

function addressAttribute(type: number, text: string | null, suffix: Uint8Array): ConfigurationAttribute[] {
  const address = text === null ? null : parseAddress(text)
  return address === null ? [] : [{ type, value: concatBytes(address, suffix) }]
}

function asksFor(configuration: PayloadOf<'cp'>, type: number): boolean {
  return configuration.attributes.some((attribute) => attribute.type === type)
}

function valueOf(configuration: PayloadOf<'cp'>, type: number): Uint8Array | undefined {
  return configuration.attributes.find((attribute) => attribute.type === type)?.value
}
