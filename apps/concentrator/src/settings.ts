import type { LifetimeSettings } from '@culvert/esp'

/**
 * What a concentrator is told by its environment; every field is explained in the README.
 */
export interface ConcentratorSettings {
  readonly nodeName: string
  /** Upper byte of every SPI of this node, 1 to 255. */
  readonly slot: number
  readonly databaseUrl: string
  readonly redisUrl: string | null
  /** Outer IPv4 address that devices reach. */
  readonly address: string
  /** Outer IPv6 address beside it, or null. */
  readonly address6: string | null
  readonly ikePort: number
  readonly espPort: number
  readonly ikeIdentity: string
  readonly tunNamespace: string
  readonly tunName: string
  readonly tunMtuBytes: number
  /** Address gateways dial from; the service prefix around it is what devices may reach. */
  readonly dialAddress: string
  readonly servicePrefix: string
  readonly poolPrefix: string
  /** The same three for IPv6; null: devices have IPv4 alone inside. */
  readonly inner6: { readonly dialAddress: string; readonly servicePrefix: string; readonly poolPrefix: string } | null
  readonly sealingPrivateKeyFile: string
  readonly rung: 'native' | 'portable' | null
  /** Threads of the native rung that forward. */
  readonly dataThreads: number
  readonly pathMtu: 'discover' | 'fragment'
  readonly dscp: 'none' | 'copy'
  /** ESP goes without UDP (IP protocol 50) where no NAT is in the way and the device does not ask for UDP. */
  readonly nativeEsp: boolean
  /** Devices of the tier `compat` may have AH there, which does not encrypt. */
  readonly ah: boolean
  /** Where the keys of every SA are written for a dissector; null, as in production, writes none. */
  readonly keyLogFolder: string | null
  readonly maxDevices: number
  /** After these this node starts a rekey; devices usually do so earlier. 0 leaves it to them. */
  readonly ikeRekeySec: number
  readonly childRekeySec: number
  /** Octets and packets of a Child SA; empty leaves them to the bounds of its cipher. */
  readonly childLifetime: LifetimeSettings
  /** Silence of a device after which it is asked whether it lives. */
  readonly livenessSec: number
  /** Life of a resumption ticket; 0 gives none. */
  readonly ticketLifetimeSec: number
}

/** Every address at which devices reach this node, the preferred one first. */
export function outerAddressesOf({ address, address6 }: ConcentratorSettings): readonly string[] {
  return address6 === null ? [address] : [address, address6]
}
