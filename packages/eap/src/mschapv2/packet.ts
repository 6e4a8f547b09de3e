/**
 * Type-Data of EAP type 26 (draft-kamath-pppext-eap-mschapv2-02 2): the packets of RFC 2759 with one octet of opcode before them.
 *
 * ```
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |    OpCode     | MS-CHAPv2-ID  |           MS-Length           |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * Challenge:  Value-Size = 16, challenge, name of the authenticator
 * Response:   Value-Size = 49, peer challenge (16), reserved (8), NT response (24), flags (1), user name
 * Success, Failure as requests: text
 * Success, Failure as responses: the opcode alone
 * ```
 *
 * MS-Length counts from the opcode on and must agree. Reserved octets and flags are sent as zero and ignored.
 */
import { ByteReader, ByteWriter } from '@culvert/bytes'
import { type Decoded, decoded, refused } from '../decoded.ts'
import { CHALLENGE_BYTES, NT_RESPONSE_BYTES } from './derivation.ts'

const OPCODE = { CHALLENGE: 1, RESPONSE: 2, SUCCESS: 3, FAILURE: 4 } as const

const HEADER_BYTES = 4
const RESERVED_BYTES = 8
const RESPONSE_VALUE_BYTES = CHALLENGE_BYTES + RESERVED_BYTES + NT_RESPONSE_BYTES + 1

export type MschapRequest =
  | { readonly kind: 'challenge'; readonly id: number; readonly challenge: Uint8Array; readonly name: Uint8Array }
  | { readonly kind: 'success' | 'failure'; readonly id: number; readonly text: Uint8Array }

export type MschapResponse = MschapAnswer | { readonly kind: 'success' | 'failure' }

export interface MschapAnswer {
  readonly kind: 'response'
  readonly id: number
  /** 16 octets. */
  readonly peerChallenge: Uint8Array
  /** 24 octets. */
  readonly ntResponse: Uint8Array
  readonly name: Uint8Array
}

/** @param data Type-Data of a request; the result aliases it. Errors: `truncated`, `badLength`, `badCode`. */
export function decodeMschapRequest(data: Uint8Array): Decoded<MschapRequest> {
  const header = decodeHeader(data)
  if (!header.ok) return header
  const { opcode, id, body } = header.value
  switch (opcode) {
    case OPCODE.CHALLENGE: {
      const size = body.u8()
      if (size !== undefined && size !== CHALLENGE_BYTES) return refused('badLength', HEADER_BYTES)
      const challenge = body.take(CHALLENGE_BYTES)
      if (challenge === undefined) return refused('truncated', data.length)
      return decoded({ kind: 'challenge', id, challenge, name: body.rest() })
    }
    case OPCODE.SUCCESS:
    case OPCODE.FAILURE:
      return decoded({ kind: opcode === OPCODE.SUCCESS ? 'success' : 'failure', id, text: body.rest() })
    default:
      return refused('badCode', 0)
  }
}

/** @param data Type-Data of a response; the result aliases it. Errors: `truncated`, `badLength`, `badCode`. */
export function decodeMschapResponse(data: Uint8Array): Decoded<MschapResponse> {
  const [opcode] = data
  if (opcode === OPCODE.SUCCESS || opcode === OPCODE.FAILURE) return decodeAcknowledgement(data, opcode)
  const header = decodeHeader(data)
  if (!header.ok) return header
  if (header.value.opcode !== OPCODE.RESPONSE) return refused('badCode', 0)
  const { id, body } = header.value
  const size = body.u8()
  if (size !== undefined && size !== RESPONSE_VALUE_BYTES) return refused('badLength', HEADER_BYTES)
  const peerChallenge = body.take(CHALLENGE_BYTES)
  const isReservedThere = body.skip(RESERVED_BYTES)
  const ntResponse = body.take(NT_RESPONSE_BYTES)
  const areFlagsThere = body.skip(1)
  if (peerChallenge === undefined || ntResponse === undefined || !isReservedThere || !areFlagsThere) {
    return refused('truncated', data.length)
  }
  return decoded({ kind: 'response', id, peerChallenge, ntResponse, name: body.rest() })
}

/** The opcode alone, as the draft has it; some peers send the rest of a header behind it, which is ignored. */
function decodeAcknowledgement(data: Uint8Array, opcode: number): Decoded<MschapResponse> {
  if (data.length > HEADER_BYTES) return refused('badLength', 1)
  return decoded({ kind: opcode === OPCODE.SUCCESS ? 'success' : 'failure' })
}

export function encodeMschapRequest(request: MschapRequest): Uint8Array {
  const writer = new ByteWriter()
  if (request.kind === 'challenge') {
    writeHeader(writer, OPCODE.CHALLENGE, request.id)
    writer.u8(request.challenge.length).bytes(request.challenge).bytes(request.name)
  } else {
    writeHeader(writer, request.kind === 'success' ? OPCODE.SUCCESS : OPCODE.FAILURE, request.id)
    writer.bytes(request.text)
  }
  return writer.patchU16(2, writer.length).finish()
}

export function encodeMschapResponse(response: MschapResponse): Uint8Array {
  const writer = new ByteWriter()
  if (response.kind !== 'response') {
    return writer.u8(response.kind === 'success' ? OPCODE.SUCCESS : OPCODE.FAILURE).finish()
  }
  writeHeader(writer, OPCODE.RESPONSE, response.id)
  writer.u8(RESPONSE_VALUE_BYTES).bytes(response.peerChallenge).zeros(RESERVED_BYTES)
  writer.bytes(response.ntResponse).u8(0).bytes(response.name)
  return writer.patchU16(2, writer.length).finish()
}

interface Header {
  readonly opcode: number
  readonly id: number
  readonly body: ByteReader
}

function decodeHeader(data: Uint8Array): Decoded<Header> {
  const body = new ByteReader(data)
  const opcode = body.u8()
  const id = body.u8()
  const length = body.u16()
  if (opcode === undefined || id === undefined || length === undefined) return refused('truncated', data.length)
  if (length !== data.length) return refused('badLength', 2)
  return decoded({ opcode, id, body })
}

/** With a length of zero, to be patched. */
function writeHeader(writer: ByteWriter, opcode: number, id: number): void {
  writer.u8(opcode).u8(id).u16(0)
}
