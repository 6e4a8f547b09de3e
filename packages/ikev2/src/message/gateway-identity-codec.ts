/**
 * Data of REDIRECT and REDIRECTED_FROM (RFC 5685 9.2, 9.3).
 *
 *   identity type(1) | identity length(1) | identity | nonce data (only of REDIRECT in IKE_SA_INIT)
 */
import { formatIp, parseIp } from '@culvert/bytes'
import type { GatewayIdentity } from '../endpoint/contract.ts'
import { concatBytes, readU8 } from './octets.ts'

const TYPE = { ip4: 1, ip6: 2, fqdn: 3 } as const
const FIXED_BYTES = 2
const NAME = /^[\w-]{1,63}(?:\.[\w-]{1,63})*\.?$/
const MAX_NAME_BYTES = 255

/** @param nonce what the initiator sent, in IKE_SA_INIT. @returns null for an identity that is none: no address, no name. */
export function encodeGateway(gateway: GatewayIdentity, nonce?: Uint8Array): Uint8Array | null {
  const identity = gateway.kind === 'fqdn' ? nameBytes(gateway.name) : parseIp(gateway.address)
  const isSound = gateway.kind === 'fqdn' || identity?.length === (gateway.kind === 'ip4' ? 4 : 16)
  if (identity === undefined || !isSound) return null
  const head = Uint8Array.of(TYPE[gateway.kind], identity.length)
  return nonce === undefined ? concatBytes(head, identity) : concatBytes(head, identity, nonce)
}

/** @returns null for what is not well-formed; the name of a gateway is printable ASCII of bounded length. */
export function decodeGateway(
  data: Uint8Array,
): { readonly gateway: GatewayIdentity; readonly nonce: Uint8Array } | null {
  const end = FIXED_BYTES + readU8(data, 1)
  if (data.length < FIXED_BYTES || data.length < end) return null
  const gateway = gatewayOf(readU8(data, 0), data.subarray(FIXED_BYTES, end))
  return gateway === null ? null : { gateway, nonce: data.subarray(end) }
}

function gatewayOf(type: number, identity: Uint8Array): GatewayIdentity | null {
  if (type === TYPE.fqdn) {
    const name = String.fromCharCode(...identity)
    return NAME.test(name) ? { kind: 'fqdn', name } : null
  }
  const kind = type === TYPE.ip4 ? 'ip4' : 'ip6'
  const address = type === TYPE[kind] && identity.length === (kind === 'ip4' ? 4 : 16) ? formatIp(identity) : undefined
  return address === undefined ? null : { kind, address }
}

function nameBytes(name: string): Uint8Array | undefined {
  return NAME.test(name) && name.length <= MAX_NAME_BYTES ? new TextEncoder().encode(name) : undefined
}
