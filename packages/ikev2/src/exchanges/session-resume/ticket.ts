/**
 * What a resumption ticket holds, and what the initiator keeps beside it (RFC 5723 4.2, 5).
 *
 *   responder:  version(1) | { length(2) | field }: ticket id, IDi body, subject, credential, tier, transforms, SK_d, PPK(1)
 *   initiator:  version(1) | { length(2) | field }: transforms, SK_d
 *
 *   transforms: ENCR id(2) key bits(2) | PRF id(2) | INTEG id(2), 0 for none | KE id(2) | additional KE ids(2 each)
 *
 * The ticket is sealed by the vault, which also knows when it expires. Keys in here are zeroed by who used them.
 */
import type { TierName } from '../../endpoint/contract.ts'
import type { Transform } from '../../message/model.ts'
import { TRANSFORM_TYPE } from '../../message/numbers.ts'
import { concatBytes, readU16, writeU16 } from '../../message/octets.ts'
import type { IkeTransforms } from '../../sa/ike-transforms.ts'

const VERSION = 1
const TRANSFORM_BYTES = 10
const TIERS: ReadonlySet<string> = new Set<TierName>(['modern', 'standard', 'compat'])

/** What both ends need to go on. */
export interface ResumableKeys {
  readonly transforms: IkeTransforms
  readonly skD: Uint8Array
}

export interface TicketContent extends ResumableKeys {
  /** 16 octets that name the ticket. */
  readonly id: Uint8Array
  /** Body of the IDi payload: the same identity comes back (4.3.2). */
  readonly idBody: Uint8Array
  readonly subject: string
  readonly credential: string | null
  /** A PPK is in SK_d (RFC 8784). */
  readonly ppkMixed: boolean
}

/** @returns a fresh array that holds SK_d in the clear: to be sealed at once and zeroed. */
export function encodeTicket({
  id,
  idBody,
  subject,
  credential,
  transforms,
  skD,
  ppkMixed,
}: TicketContent): Uint8Array {
  const texts = [subject, credential === null ? '' : `+${credential}`, transforms.tier ?? '']
  const encoder = new TextEncoder()
  const ppk = Uint8Array.of(ppkMixed ? 1 : 0)
  return encodeFields([id, idBody, ...texts.map((text) => encoder.encode(text)), packTransforms(transforms), skD, ppk])
}

/** @returns null for what is not a ticket of this version. */
export function decodeTicket(content: Uint8Array): TicketContent | null {
  const fields = decodeFields(content)
  const [id, idBody, subject, credential, tier, packed, skD, ppk] = fields ?? []
  if (id === undefined || idBody === undefined || subject === undefined || credential === undefined) return null
  if (tier === undefined || packed === undefined || skD === undefined || ppk?.length !== 1 || idBody.length < 4)
    return null
  const transforms = unpackTransforms(packed, tierOf(textOf(tier)))
  const name = textOf(credential)
  const found = name === '' ? null : name.slice(1)
  if (transforms === null) return null
  return { id, idBody, subject: textOf(subject), credential: found, transforms, skD, ppkMixed: ppk[0] === 1 }
}

/** What the initiator keeps beside the ticket. */
export function encodeState({ transforms, skD }: ResumableKeys): Uint8Array {
  return encodeFields([packTransforms(transforms), skD])
}

export function decodeState(state: Uint8Array): ResumableKeys | null {
  const [packed, skD] = decodeFields(state) ?? []
  const transforms = packed === undefined ? null : unpackTransforms(packed, null)
  return transforms === null || skD === undefined ? null : { transforms, skD }
}

function encodeFields(fields: readonly Uint8Array[]): Uint8Array {
  const chunks = fields.flatMap((field) => {
    const length = new Uint8Array(2)
    writeU16(length, 0, field.length)
    return [length, field]
  })
  return concatBytes(Uint8Array.of(VERSION), ...chunks)
}

/** Copies, so that each can be zeroed alone. */
function decodeFields(bytes: Uint8Array): Uint8Array[] | null {
  if (bytes[0] !== VERSION) return null
  const fields: Uint8Array[] = []
  let offset = 1
  while (offset + 2 <= bytes.length) {
    const end = offset + 2 + readU16(bytes, offset)
    if (end > bytes.length) return null
    fields.push(bytes.slice(offset + 2, end))
    offset = end
  }
  return offset === bytes.length ? fields : null
}

function packTransforms({ encr, prf, integ, ke, additionalKe }: IkeTransforms): Uint8Array {
  const values = [encr.id, encr.keyBits ?? 0, prf.id, integ?.id ?? 0, ke.id, ...additionalKe.map(({ id }) => id)]
  const bytes = new Uint8Array(2 * values.length)
  values.forEach((value, index) => writeU16(bytes, 2 * index, value))
  return bytes
}

function unpackTransforms(bytes: Uint8Array, tier: TierName | null): IkeTransforms | null {
  if (bytes.length < TRANSFORM_BYTES || bytes.length % 2 !== 0) return null
  const transform = (type: number, offset: number, keyBits: number | null = null): Transform => {
    return { type, id: readU16(bytes, offset), keyBits }
  }
  const integ = transform(TRANSFORM_TYPE.INTEG, 6)
  const additionalKe: Transform[] = []
  for (let offset = TRANSFORM_BYTES; offset < bytes.length; offset += 2) {
    additionalKe.push(transform(TRANSFORM_TYPE.ADDKE1 + additionalKe.length, offset))
  }
  return {
    encr: transform(TRANSFORM_TYPE.ENCR, 0, readU16(bytes, 2) || null),
    prf: transform(TRANSFORM_TYPE.PRF, 4),
    integ: integ.id === 0 ? null : integ,
    ke: transform(TRANSFORM_TYPE.KE, 8),
    additionalKe,
    tier,
  }
}

function tierOf(name: string): TierName | null {
  return TIERS.has(name) ? (name as TierName) : null
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
