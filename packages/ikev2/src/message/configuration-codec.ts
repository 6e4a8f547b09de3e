/**
 * Body of the Configuration payload (RFC 7296 3.15, 3.15.1).
 *
 *   CFG type | reserved(3) | { R(1) type(15) | length(2) | value }...
 *
 * The number of attributes is bounded; what a value means, and whether its length fits, is for the exchange that uses it.
 */
import { concatBytes } from '@culvert/bytes'
import { MAX_CONFIGURATION_ATTRIBUTES } from './limits.ts'
import type { ConfigurationAttribute, Payload, Result } from './model.ts'
import { PAYLOAD } from './numbers.ts'
import { readU16, readU8, writeU16 } from './octets.ts'
import { failure, success } from './result.ts'

const FIXED_BYTES = 4
const ATTRIBUTE_FIXED_BYTES = 4

type Configuration = Extract<Payload, { kind: 'cp' }>

export function decodeConfiguration(bytes: Uint8Array, start: number, end: number): Result<Configuration> {
  if (end - start < FIXED_BYTES) return failure('payloadTooShort', PAYLOAD.CP, start)
  const attributes: ConfigurationAttribute[] = []
  let offset = start + FIXED_BYTES
  while (offset < end) {
    if (end - offset < ATTRIBUTE_FIXED_BYTES) return failure('badConfiguration', PAYLOAD.CP, offset)
    if (attributes.length === MAX_CONFIGURATION_ATTRIBUTES) return failure('tooMany', PAYLOAD.CP, offset)
    const valueStart = offset + ATTRIBUTE_FIXED_BYTES
    const length = readU16(bytes, offset + 2)
    if (length > end - valueStart) return failure('badConfiguration', PAYLOAD.CP, offset + 2)
    const type = readU16(bytes, offset) & 0x7fff
    attributes.push({ type, value: bytes.subarray(valueStart, valueStart + length) })
    offset = valueStart + length
  }
  return success({ kind: 'cp', cfgType: readU8(bytes, start), attributes })
}

export function encodeConfiguration(payload: Configuration): Uint8Array {
  const head = new Uint8Array(FIXED_BYTES)
  head[0] = payload.cfgType
  return concatBytes(head, ...payload.attributes.map(encodeAttribute))
}

function encodeAttribute(attribute: ConfigurationAttribute): Uint8Array {
  const bytes = concatBytes(new Uint8Array(ATTRIBUTE_FIXED_BYTES), attribute.value)
  writeU16(bytes, 0, attribute.type & 0x7fff)
  writeU16(bytes, 2, attribute.value.length)
  return bytes
}
