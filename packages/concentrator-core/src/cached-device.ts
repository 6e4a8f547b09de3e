/**
 * What is remembered of a device that may attach: who it is, what it gets, and what its proof is compared with.
 *
 * Secrets belong to the holder of a value: whoever gets a copy zeroes it (`wipeDevice`) or hands it on.
 */
import type { TierName } from '@culvert/ikev2'
import type { DeviceLimits } from '@culvert/lifecycle'

export type CachedCredential =
  | { readonly kind: 'psk'; readonly id: string; readonly secret: Uint8Array }
  /** The secret is the NT hash of the password, 16 octets. */
  | { readonly kind: 'eap'; readonly id: string; readonly userName: string; readonly secret: Uint8Array }
  /** RFC 8784; `identity` is the PPK_ID without its type octet. */
  | {
      readonly kind: 'ppk'
      readonly id: string
      readonly identity: string
      readonly isRequired: boolean
      readonly secret: Uint8Array
    }
  /**
   * SHA-256 of its DER, lower case hexadecimal. `authority`: the one of its organization, PEM, that alone may vouch for it; null: one
   * of this installation.
   */
  | {
      readonly kind: 'certificate'
      readonly id: string
      readonly fingerprint: string
      readonly authority: string | null
    }

export interface CachedDevice {
  readonly deviceId: string
  readonly organizationId: string
  /** IKE identity in lower case. */
  readonly identity: string
  readonly address4: string
  readonly address6: string | null
  /** LANs it may speak for, canonical IPv4 prefixes. */
  readonly lanPrefixes: readonly string[]
  readonly policyVersion: number
  readonly tiers: readonly TierName[]
  /** Of both families, canonical text. */
  readonly dnsServers: readonly string[]
  readonly dnsDomains: readonly string[]
  /** Null for never. */
  readonly reauthenticateAfterSec: number | null
  /** Address pools of its network, prefixes of both families. */
  readonly pools: readonly string[]
  readonly limits: DeviceLimits
  /** Valid ones, newest first. */
  readonly credentials: readonly CachedCredential[]
}

export function copyOfDevice(device: CachedDevice): CachedDevice {
  return { ...device, credentials: device.credentials.map(copyOfCredential) }
}

/** A copy by `slice` of a Buffer would be the same memory. */
function copyOfCredential(credential: CachedCredential): CachedCredential {
  return credential.kind === 'certificate' ? credential : { ...credential, secret: new Uint8Array(credential.secret) }
}

/** Zeroes its secrets, those of one kind excepted. */
export function wipeDevice({ credentials }: CachedDevice, kept: readonly CachedCredential['kind'][] = []): void {
  for (const credential of credentials) {
    if (credential.kind !== 'certificate' && !kept.includes(credential.kind)) credential.secret.fill(0)
  }
}
