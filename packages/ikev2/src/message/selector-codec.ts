/**
 * Body of the Traffic Selector payloads (RFC 7296 3.13, 3.13.1).
 *
 *   count | reserved(3) | { type | protocol | length(2) | start port(2) | end port(2) | start address | end address }...
 *
 * Rule C39: length 16 or 40, start never above end, OPAQUE ports are start 65535 and end 0, and protocol 0 has no ports.
 * Selectors of types we do not know are skipped by their length; a list left empty is one nobody can accept.
 */
import { compareBytes, concatBytes } from '@culvert/bytes'
import type { Result, TrafficSelector } from './model.ts'
import { TS_TYPE } from './numbers.ts'
import { readU16, readU8, writeU16 } from './octets.ts'
import { failure, success } from './result.ts'

const LIST_FIXED_BYTES = 4
const SELECTOR_FIXED_BYTES = 8

export function decodeSelectors(
  payloadType: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): Result<readonly TrafficSelector[]> {
  if (end - start < LIST_FIXED_BYTES) return failure('payloadTooShort', payloadType, start)
  const count = readU8(bytes, start)
  const selectors: TrafficSelector[] = []
  let offset = start + LIST_FIXED_BYTES
  for (let index = 0; index < count; index++) {
    if (end - offset < SELECTOR_FIXED_BYTES) return failure('badSelector', payloadType, offset)
    const length = readU16(bytes, offset + 2)
    if (length < SELECTOR_FIXED_BYTES || length > end - offset) return failure('badSelector', payloadType, offset + 2)
    const type = readU8(bytes, offset)
    if (type === TS_TYPE.IPV4_ADDR_RANGE || type === TS_TYPE.IPV6_ADDR_RANGE) {
      const selector = decodeSelector(type, bytes, offset, length)
      if (selector === null) return failure('badSelector', payloadType, offset)
      selectors.push(selector)
    }
    offset += length
  }
  return offset === end ? success(selectors) : failure('badSelector', payloadType, offset)
}

function decodeSelector(type: 7 | 8, bytes: Uint8Array, start: number, length: number): TrafficSelector | null {
  const addressBytes = type === TS_TYPE.IPV4_ADDR_RANGE ? 4 : 16
  if (length !== SELECTOR_FIXED_BYTES + addressBytes * 2) return null
  const addresses = start + SELECTOR_FIXED_BYTES
  const selector: TrafficSelector = {
    type,
    protocol: readU8(bytes, start + 1),
    startPort: readU16(bytes, start + 4),
    endPort: readU16(bytes, start + 6),
    startAddress: bytes.subarray(addresses, addresses + addressBytes),
    endAddress: bytes.subarray(addresses + addressBytes, addresses + addressBytes * 2),
  }
  return isWellFormed(selector) ? selector : null
}

function isWellFormed(selector: TrafficSelector): boolean {
  const { startPort, endPort, startAddress, endAddress, protocol } = selector
  const isOpaque = startPort === 0xffff && endPort === 0
  const isAnyPort = startPort === 0 && endPort === 0xffff
  if (startPort > endPort && !isOpaque) return false
  if (protocol === 0 && !isAnyPort && !isOpaque) return false
  return compareBytes(startAddress, endAddress) <= 0
}

export function encodeSelectors(selectors: readonly TrafficSelector[]): Uint8Array {
  const head = new Uint8Array(LIST_FIXED_BYTES)
  head[0] = selectors.length
  return concatBytes(head, ...selectors.map(encodeSelector))
}

function encodeSelector(selector: TrafficSelector): Uint8Array {
  const bytes = concatBytes(new Uint8Array(SELECTOR_FIXED_BYTES), selector.startAddress, selector.endAddress)
  bytes[0] = selector.type
  bytes[1] = selector.protocol
  writeU16(bytes, 2, bytes.length)
  writeU16(bytes, 4, selector.startPort)
  writeU16(bytes, 6, selector.endPort)
  return bytes
}
