/**
 * Random octets for ids and secrets. In the course of a request with an Idempotency-Key they follow from a seed that is kept
 * with the key: a request that is done again after a crash makes the same ids and the same secrets at the same places, and
 * so finds what it made, and can show once more what the crash kept from being shown.
 */
import { randomBytes } from 'node:crypto'
import { requestScope } from './request-scope.ts'

/** @returns `length` octets, of which nobody else has any */
export function drawOctets(length: number): Buffer {
  const scope = requestScope()
  return scope?.kind === 'kept' ? scope.drawing.draw(length) : randomBytes(length)
}
