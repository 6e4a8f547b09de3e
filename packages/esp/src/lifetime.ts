/**
 * How long a Child SA may be used, in octets and packets of each direction (RFC 4301 4.4.2.1, RFC 4303 3.3.3, CONFORMANCE C66).
 *
 * At a soft limit the owner is told once and rekeys; at a hard limit nothing is sent or accepted any more. Seconds are the
 * business of IKE, which removes the SA. The bounds are those of the ciphers; settings only ever lower them:
 *
 * ```
 *   AES in any mode     2^40 octets: 2^36 blocks, q^2 / 2^129 = 2^-57 for telling the stream from a random one (RFC 3602 and
 *                       4106 count blocks of 128 bits; GCM and CBC share the birthday bound)
 *   ChaCha20-Poly1305   2^52 octets: a stream cipher without that bound (RFC 7634 2); what a number holds exactly, with room
 *   NULL                the same: only integrity is at stake
 *   sequence numbers    2^32 - 1 packets, with ESN the 2^40 - 1 IVs of a transform
 * ```
 */
import type { ChildKeys } from '@culvert/ikev2'

/** Of one direction. */
export interface SaLifetime {
  readonly softBytes: number
  readonly hardBytes: number
  readonly softPackets: number
  readonly hardPackets: number
}

export type LifetimeSettings = Partial<SaLifetime>

const AES_BYTES = 2 ** 40
const OTHER_BYTES = 2 ** 52
const NUMBERS = 2 ** 32 - 1
const EXTENDED_NUMBERS = 2 ** 40 - 1
/** What of a hard limit is the soft one: the rest is time to rekey in. */
const SOFT_BYTES_SHARE = 1 / 4
const SOFT_PACKETS_SHARE = 3 / 4

/** ENCR transforms that are no AES: NULL and ChaCha20-Poly1305. */
const NOT_AES: ReadonlySet<number> = new Set([11, 28])

/**
 * @param settings lower bounds than the cipher's; a soft limit above the hard one is lowered to it
 * @throws RangeError for a setting that is no positive number
 */
export function lifetimeOf(keys: Pick<ChildKeys, 'encr' | 'esn'>, settings: LifetimeSettings = {}): SaLifetime {
  for (const value of Object.values(settings)) {
    if (!(value > 0)) throw new RangeError('limits of an SA are positive')
  }
  const mostBytes = NOT_AES.has(keys.encr.id) ? OTHER_BYTES : AES_BYTES
  const mostPackets = keys.esn ? EXTENDED_NUMBERS : NUMBERS
  const hardBytes = Math.min(settings.hardBytes ?? mostBytes, mostBytes)
  const hardPackets = Math.min(settings.hardPackets ?? mostPackets, mostPackets)
  return {
    hardBytes,
    hardPackets,
    softBytes: Math.min(settings.softBytes ?? hardBytes * SOFT_BYTES_SHARE, hardBytes),
    softPackets: Math.min(settings.softPackets ?? Math.ceil(hardPackets * SOFT_PACKETS_SHARE), hardPackets),
  }
}
