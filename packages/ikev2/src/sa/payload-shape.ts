/**
 * Whether the payloads of a message fit a row of the transition table, and typed ways to take them out.
 *
 * Order never matters (C07). What a row names may come once at most; unknown payloads, vendor ids, certificates, notifies and
 * deletes may come in any number.
 */
import type { Payload } from '../message/model.ts'
import { FIRST_STATUS_NOTIFY } from '../message/numbers.ts'
import type { MessageRow } from './transition-table.ts'

/** The member of the union that has this kind, also where two kinds share a member. */
export type PayloadOf<K extends Payload['kind'], P = Payload> = P extends { readonly kind: infer Kinds }
  ? K extends Kinds
    ? P
    : never
  : never
export type Notify = PayloadOf<'notify'>

/** True when everything required is there and nothing that may come once comes twice. */
export function fitsRow(row: MessageRow, payloads: readonly Payload[]): boolean {
  for (const kind of row.required) {
    const count = countOf(payloads, kind)
    if (count > 1) return false
    if (count === 0 && !(row.role === 'response' && firstError(payloads) !== null)) return false
  }
  return row.optional.every((kind) => countOf(payloads, kind) <= 1)
}

/** The first payload of this kind, null when there is none. */
export function findPayload<K extends Payload['kind']>(payloads: readonly Payload[], kind: K): PayloadOf<K> | null {
  for (const payload of payloads) if (isKind(payload, kind)) return payload
  return null
}

export function findNotify(payloads: readonly Payload[], type: number): Notify | null {
  for (const payload of payloads) if (payload.kind === 'notify' && payload.type === type) return payload
  return null
}

/** The first error notify, known or not: an unknown one means failure too (RFC 7296 3.10.1). */
export function firstError(payloads: readonly Payload[]): Notify | null {
  for (const payload of payloads) if (payload.kind === 'notify' && payload.type < FIRST_STATUS_NOTIFY) return payload
  return null
}

function isKind<K extends Payload['kind']>(payload: Payload, kind: K): payload is PayloadOf<K> {
  return payload.kind === kind
}

function countOf(payloads: readonly Payload[], kind: Payload['kind']): number {
  let count = 0
  for (const payload of payloads) if (payload.kind === kind) count += 1
  return count
}
