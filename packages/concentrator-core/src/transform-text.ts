/**
 * Transforms as people and the API read them, e.g. `AES-GCM-16-256`.
 */
import { transformName } from '@culvert/crypto'
import type { Transform } from '@culvert/ikev2'

export function transformText(transform: Transform): string {
  return transformName(transform.type, transform.id, transform.keyBits)
}
