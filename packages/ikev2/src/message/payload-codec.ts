/**
 * Bodies of all payloads, without the generic header: one arm per payload type (RFC 7296 3.3 to 3.16).
 *
 * `start` and `end` are the body's bounds in `bytes`, already checked by the walk in `decode.ts`. A body shorter than its fixed
 * part is `payloadTooShort`. Byte arrays in the result alias `bytes`.
 */
import { concatBytes } from '@culvert/bytes'
import { decodeConfiguration, encodeConfiguration } from './configuration-codec.ts'
import { decodeIdentity, identityBody } from './identity-codec.ts'
import { MAX_DELETE_SPIS, MAX_NONCE_BYTES, MIN_NONCE_BYTES } from './limits.ts'
import type { Payload, Result } from './model.ts'
import { PAYLOAD, PROTOCOL } from './numbers.ts'
import { readU16, readU8, writeU16 } from './octets.ts'
import { decodeProposals, encodeProposals } from './proposal-codec.ts'
import { failure, success } from './result.ts'
import { decodeSelectors, encodeSelectors } from './selector-codec.ts'

/** @returns null for a type this table does not know. */
export function decodePayloadBody(type: number, bytes: Uint8Array, start: number, end: number): Result<Payload> | null {
  switch (type) {
    case PAYLOAD.SA: {
      const proposals = decodeProposals(bytes, start, end)
      return proposals.ok ? success({ kind: 'sa', proposals: proposals.value }) : proposals
    }
    case PAYLOAD.KE:
      if (end - start < 4) return failure('payloadTooShort', type, start)
      return success({ kind: 'ke', group: readU16(bytes, start), data: bytes.subarray(start + 4, end) })
    case PAYLOAD.ID_I:
    case PAYLOAD.ID_R:
      return decodeIdentity(type, bytes, start, end)
    case PAYLOAD.CERT:
    case PAYLOAD.CERTREQ: {
      if (end - start < 1) return failure('payloadTooShort', type, start)
      const kind = type === PAYLOAD.CERT ? 'cert' : 'certReq'
      return success({ kind, encoding: readU8(bytes, start), data: bytes.subarray(start + 1, end) })
    }
    case PAYLOAD.AUTH:
      if (end - start < 4) return failure('payloadTooShort', type, start)
      return success({ kind: 'auth', method: readU8(bytes, start), data: bytes.subarray(start + 4, end) })
    case PAYLOAD.NONCE:
      if (end - start < MIN_NONCE_BYTES) return failure('payloadTooShort', type, start)
      if (end - start > MAX_NONCE_BYTES) return failure('lengthMismatch', type, start)
      return success({ kind: 'nonce', data: bytes.subarray(start, end) })
    case PAYLOAD.NOTIFY:
      return decodeNotify(bytes, start, end)
    case PAYLOAD.DELETE:
      return decodeDelete(bytes, start, end)
    case PAYLOAD.VENDOR:
      return success({ kind: 'vendor', data: bytes.subarray(start, end) })
    case PAYLOAD.TS_I:
    case PAYLOAD.TS_R: {
      const selectors = decodeSelectors(type, bytes, start, end)
      if (!selectors.ok) return selectors
      return success({ kind: type === PAYLOAD.TS_I ? 'tsI' : 'tsR', selectors: selectors.value })
    }
    case PAYLOAD.CP:
      return decodeConfiguration(bytes, start, end)
    case PAYLOAD.EAP:
      if (end - start < 4) return failure('payloadTooShort', type, start)
      return success({ kind: 'eap', data: bytes.subarray(start, end) })
    default:
      return null
  }
}

/** RFC 7296 3.10: protocol | SPI size | notify type(2) | SPI | data. */
function decodeNotify(bytes: Uint8Array, start: number, end: number): Result<Payload> {
  if (end - start < 4) return failure('payloadTooShort', PAYLOAD.NOTIFY, start)
  const dataStart = start + 4 + readU8(bytes, start + 1)
  if (dataStart > end) return failure('badNotify', PAYLOAD.NOTIFY, start + 1)
  return success({
    kind: 'notify',
    protocolId: readU8(bytes, start),
    spi: bytes.subarray(start + 4, dataStart),
    type: readU16(bytes, start + 2),
    data: bytes.subarray(dataStart, end),
  })
}

/** RFC 7296 3.11: protocol | SPI size | count(2) | SPIs. No SPI for IKE, 4 octets each for AH and ESP. */
function decodeDelete(bytes: Uint8Array, start: number, end: number): Result<Payload> {
  if (end - start < 4) return failure('payloadTooShort', PAYLOAD.DELETE, start)
  const protocolId = readU8(bytes, start)
  const spiBytes = readU8(bytes, start + 1)
  const count = readU16(bytes, start + 2)
  const isChild = protocolId === PROTOCOL.AH || protocolId === PROTOCOL.ESP
  if (!isChild && protocolId !== PROTOCOL.IKE) return failure('badDelete', PAYLOAD.DELETE, start)
  if (spiBytes !== (isChild ? 4 : 0)) return failure('badDelete', PAYLOAD.DELETE, start + 1)
  if (count * spiBytes !== end - start - 4 || (!isChild && count !== 0)) {
    return failure('badDelete', PAYLOAD.DELETE, start + 2)
  }
  if (count > MAX_DELETE_SPIS) return failure('tooMany', PAYLOAD.DELETE, start + 2)
  const spis: Uint8Array[] = []
  for (let offset = start + 4; offset < end; offset += spiBytes) spis.push(bytes.subarray(offset, offset + spiBytes))
  return success({ kind: 'delete', protocolId, spis })
}

/** @returns the body octets, possibly the very array the payload holds. */
export function encodePayloadBody(payload: Payload): Uint8Array {
  switch (payload.kind) {
    case 'sa':
      return encodeProposals(payload.proposals)
    case 'ke':
      return concatBytes(Uint8Array.of(payload.group >>> 8, payload.group, 0, 0), payload.data)
    case 'idI':
    case 'idR':
      return identityBody(payload.id, payload.reserved)
    case 'cert':
    case 'certReq':
      return concatBytes(Uint8Array.of(payload.encoding), payload.data)
    case 'auth':
      return concatBytes(Uint8Array.of(payload.method, 0, 0, 0), payload.data)
    case 'notify': {
      const { protocolId, spi, type, data } = payload
      const body = new Uint8Array(4 + spi.length + data.length)
      body[0] = protocolId
      body[1] = spi.length
      writeU16(body, 2, type)
      body.set(spi, 4)
      body.set(data, 4 + spi.length)
      return body
    }
    case 'delete': {
      const head = Uint8Array.of(payload.protocolId, payload.spis[0]?.length ?? emptySpiBytes(payload.protocolId), 0, 0)
      writeU16(head, 2, payload.spis.length)
      return concatBytes(head, ...payload.spis)
    }
    case 'tsI':
    case 'tsR':
      return encodeSelectors(payload.selectors)
    case 'cp':
      return encodeConfiguration(payload)
    case 'nonce':
    case 'vendor':
    case 'eap':
    case 'unknown':
      return payload.data
  }
}

function emptySpiBytes(protocolId: number): number {
  return protocolId === PROTOCOL.IKE ? 0 : 4
}

/** The payload type number of a payload of the model. */
export function payloadTypeOf(payload: Payload): number {
  return payload.kind === 'unknown' ? payload.type : TYPE_OF_KIND[payload.kind]
}

const TYPE_OF_KIND: Readonly<Record<Exclude<Payload['kind'], 'unknown'>, number>> = {
  sa: PAYLOAD.SA,
  ke: PAYLOAD.KE,
  idI: PAYLOAD.ID_I,
  idR: PAYLOAD.ID_R,
  cert: PAYLOAD.CERT,
  certReq: PAYLOAD.CERTREQ,
  auth: PAYLOAD.AUTH,
  nonce: PAYLOAD.NONCE,
  notify: PAYLOAD.NOTIFY,
  delete: PAYLOAD.DELETE,
  vendor: PAYLOAD.VENDOR,
  tsI: PAYLOAD.TS_I,
  tsR: PAYLOAD.TS_R,
  cp: PAYLOAD.CP,
  eap: PAYLOAD.EAP,
}
