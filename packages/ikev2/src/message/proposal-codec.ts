/**
 * Body of the Security Association payload: proposals and their transforms (RFC 7296 3.3 to 3.3.5).
 *
 *   proposal:  0=last 2=more | reserved | length(2) | number | protocol | SPI size | transforms | SPI | transforms...
 *   transform: 0=last 3=more | reserved | length(2) | type | reserved | id(2) | attributes...
 *   attribute: AF(1) type(15) | value(2) when AF is set, else length(2) | value...
 *
 * Lengths, counts and the "more" octets must agree with each other (C22); a length below its fixed part ends the walk, so no
 * input makes it stand still. Semantics (what is acceptable) are in `proposal/select.ts`.
 */
import { concatBytes } from '@culvert/bytes'
import { MAX_PROPOSALS, MAX_TRANSFORM_ATTRIBUTES, MAX_TRANSFORMS } from './limits.ts'
import type { Proposal, Result, Transform } from './model.ts'
import { KEY_LENGTH_ATTRIBUTE, PAYLOAD, PROTOCOL } from './numbers.ts'
import { readU16, readU8, writeU16 } from './octets.ts'
import { failure, success } from './result.ts'

const PROPOSAL_FIXED_BYTES = 8
const TRANSFORM_FIXED_BYTES = 8
const ATTRIBUTE_FIXED_BYTES = 4
const MORE_PROPOSALS = 2
const MORE_TRANSFORMS = 3
const ATTRIBUTE_FORMAT_TV = 0x8000
/** Stands in for an attribute we did not understand when a proposal is written again; private use, so no peer knows it either. */
const PRIVATE_USE_ATTRIBUTE = 0x7fff

export function decodeProposals(bytes: Uint8Array, start: number, end: number): Result<readonly Proposal[]> {
  const proposals: Proposal[] = []
  let transforms = 0
  let offset = start
  let more = true
  while (more) {
    if (proposals.length === MAX_PROPOSALS) return failure('tooMany', PAYLOAD.SA, offset)
    const next = decodeProposal(bytes, offset, end)
    if (!next.ok) return next
    const { proposal, length } = next.value
    const previous = proposals.at(-1)
    const numbered = previous === undefined ? proposal.number >= 1 : proposal.number === previous.number + 1
    if (!numbered) return failure('badProposal', PAYLOAD.SA, offset + 4)
    transforms += proposal.transforms.length
    if (transforms > MAX_TRANSFORMS) return failure('tooMany', PAYLOAD.SA, offset)
    proposals.push(proposal)
    more = next.value.more
    offset += length
  }
  return offset === end ? success(proposals) : failure('badProposal', PAYLOAD.SA, offset)
}

function decodeProposal(
  bytes: Uint8Array,
  start: number,
  limit: number,
): Result<{ proposal: Proposal; length: number; more: boolean }> {
  if (limit - start < PROPOSAL_FIXED_BYTES) return failure('badProposal', PAYLOAD.SA, start)
  const marker = readU8(bytes, start)
  if (marker !== 0 && marker !== MORE_PROPOSALS) return failure('badProposal', PAYLOAD.SA, start)
  const length = readU16(bytes, start + 2)
  const protocolId = readU8(bytes, start + 5)
  const spiBytes = readU8(bytes, start + 6)
  const count = readU8(bytes, start + 7)
  const transformsStart = start + PROPOSAL_FIXED_BYTES + spiBytes
  const end = start + length
  if (end > limit || transformsStart > end) return failure('badProposal', PAYLOAD.SA, start + 2)
  if (!isSpiLength(protocolId, spiBytes)) return failure('badProposal', PAYLOAD.SA, start + 6)
  const transforms = decodeTransforms(bytes, transformsStart, end, count)
  if (!transforms.ok) return transforms
  const spi = bytes.subarray(start + PROPOSAL_FIXED_BYTES, transformsStart)
  const proposal = { number: readU8(bytes, start + 4), protocolId, spi, transforms: transforms.value }
  return success({ proposal, length, more: marker === MORE_PROPOSALS })
}

/** RFC 7296 3.3.1: 8 octets for IKE at a rekey and none before, 4 for AH and ESP. */
function isSpiLength(protocolId: number, length: number): boolean {
  if (protocolId === PROTOCOL.IKE) return length === 0 || length === 8
  if (protocolId === PROTOCOL.AH || protocolId === PROTOCOL.ESP) return length === 4
  return length === 0 || length === 4 || length === 8
}

function decodeTransforms(bytes: Uint8Array, start: number, end: number, count: number): Result<readonly Transform[]> {
  const transforms: Transform[] = []
  let offset = start
  while (transforms.length < count) {
    if (end - offset < TRANSFORM_FIXED_BYTES) return failure('badTransform', PAYLOAD.SA, offset)
    const isLast = transforms.length === count - 1
    if (readU8(bytes, offset) !== (isLast ? 0 : MORE_TRANSFORMS)) return failure('badTransform', PAYLOAD.SA, offset)
    const length = readU16(bytes, offset + 2)
    if (length < TRANSFORM_FIXED_BYTES || length > end - offset) return failure('badTransform', PAYLOAD.SA, offset + 2)
    const transform = decodeTransform(bytes, offset, offset + length)
    if (!transform.ok) return transform
    transforms.push(transform.value)
    offset += length
  }
  return offset === end ? success(transforms) : failure('badProposal', PAYLOAD.SA, offset)
}

function decodeTransform(bytes: Uint8Array, start: number, end: number): Result<Transform> {
  let keyBits: number | null = null
  let unknownAttribute = false
  let offset = start + TRANSFORM_FIXED_BYTES
  const seen: number[] = []
  while (offset < end) {
    if (end - offset < ATTRIBUTE_FIXED_BYTES) return failure('badAttribute', PAYLOAD.SA, offset)
    if (seen.length === MAX_TRANSFORM_ATTRIBUTES) return failure('tooMany', PAYLOAD.SA, offset)
    const head = readU16(bytes, offset)
    const type = head & 0x7fff
    const isShort = (head & ATTRIBUTE_FORMAT_TV) !== 0
    const value = readU16(bytes, offset + 2)
    const length = isShort ? ATTRIBUTE_FIXED_BYTES : ATTRIBUTE_FIXED_BYTES + value
    if (length > end - offset) return failure('badAttribute', PAYLOAD.SA, offset + 2)
    if (seen.includes(type)) return failure('badAttribute', PAYLOAD.SA, offset)
    if (type === KEY_LENGTH_ATTRIBUTE) {
      if (!isShort) return failure('badAttribute', PAYLOAD.SA, offset)
      keyBits = value
    } else {
      unknownAttribute = true
    }
    seen.push(type)
    offset += length
  }
  const transform = { type: readU8(bytes, start + 4), id: readU16(bytes, start + 6), keyBits }
  return success(unknownAttribute ? { ...transform, unknownAttribute } : transform)
}

export function encodeProposals(proposals: readonly Proposal[]): Uint8Array {
  return concatBytes(...proposals.map((proposal, index) => encodeProposal(proposal, index === proposals.length - 1)))
}

function encodeProposal(proposal: Proposal, isLast: boolean): Uint8Array {
  const { transforms, spi } = proposal
  const head = new Uint8Array(PROPOSAL_FIXED_BYTES)
  const encoded = transforms.map((transform, index) => encodeTransform(transform, index === transforms.length - 1))
  const bytes = concatBytes(head, spi, ...encoded)
  bytes[0] = isLast ? 0 : MORE_PROPOSALS
  writeU16(bytes, 2, bytes.length)
  bytes[4] = proposal.number
  bytes[5] = proposal.protocolId
  bytes[6] = spi.length
  bytes[7] = transforms.length
  return bytes
}

function encodeTransform(transform: Transform, isLast: boolean): Uint8Array {
  const attributes: number[] = []
  if (transform.keyBits !== null) attributes.push(KEY_LENGTH_ATTRIBUTE, transform.keyBits)
  if (transform.unknownAttribute === true) attributes.push(PRIVATE_USE_ATTRIBUTE, 0)
  const bytes = new Uint8Array(TRANSFORM_FIXED_BYTES + attributes.length * 2)
  bytes[0] = isLast ? 0 : MORE_TRANSFORMS
  writeU16(bytes, 2, bytes.length)
  bytes[4] = transform.type
  writeU16(bytes, 6, transform.id)
  for (let index = 0; index < attributes.length; index += 2) {
    const offset = TRANSFORM_FIXED_BYTES + index * 2
    writeU16(bytes, offset, ATTRIBUTE_FORMAT_TV | (attributes[index] ?? 0))
    writeU16(bytes, offset + 2, attributes[index + 1] ?? 0)
  }
  return bytes
}
