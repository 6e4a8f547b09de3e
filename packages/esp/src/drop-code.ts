/**
 * Why a packet was not forwarded. Numbers index counter arrays; `none` is success.
 *
 * Order is the order of the checks on the way in, then on the way out, then the limits of the machine. Names are what operators
 * see in metrics: never rename one, only append.
 */
export const DropCode = {
  none: 0,
  /** Datagram too short to be ESP, IKE or a keepalive. */
  runt: 1,
  /** No SA with exactly this SPI (CONFORMANCE C67). */
  unknownSpi: 2,
  /** Shorter than header, IV, trailer and ICV of its SA. */
  truncated: 3,
  /** Ciphertext is not a multiple of the block (RFC 4303 2.4). */
  misaligned: 4,
  /** Sequence number 0, which no sender uses (RFC 4303 3.3.3). */
  zeroSequence: 5,
  /** Seen before, or left of the replay window (RFC 4303 3.4.3). */
  replayed: 6,
  /** The integrity check failed (RFC 4303 3.4.4). */
  badIcv: 7,
  /** Authentic, but the pad length points outside the payload. */
  badPadding: 8,
  /** Next header 59: traffic flow confidentiality, dropped without error (RFC 4303 2.6). */
  dummy: 9,
  /** Next header is neither IPv4 nor IPv6. */
  badNextHeader: 10,
  /** Inner IP header lies about version or lengths, or has source routing. */
  innerMalformed: 11,
  /** Inner fragment where none is allowed (CONFORMANCE C64). */
  innerFragment: 12,
  /** Inner addresses, protocol or ports are outside the SA's selectors (CONFORMANCE C63). */
  selectorMismatch: 13,
  /** From a device, but not an answer to a flow that was opened from a dial address. */
  noFlow: 14,
  /** From a device to something that is not a dial address. */
  notToDialAddress: 15,
  /** Towards a device, but not from a dial address. */
  notFromDialAddress: 16,
  /** No Child SA leads to this inner destination. */
  noOutboundSa: 17,
  /** A Child SA leads there, but not for this source, protocol or port. */
  outboundSelectorMismatch: 18,
  /** The sequence number or the IV counter is used up: the SA must be rekeyed (CONFORMANCE C66). */
  sequenceExhausted: 19,
  /** Larger than the buffer or the MTU. */
  tooBig: 20,
  /** A bounded queue was full. */
  queueFull: 21,
  /** The kernel refused the datagram. */
  sendFailed: 22,
  /** The kernel refused the inner packet. */
  tunWriteFailed: 23,
  /** The provider could not process the packet. */
  cryptoFailed: 24,
  /** The outer header says congestion was met, but the inner flow does not speak ECN (RFC 6040 4.2). */
  badCongestionMark: 25,
  /** From a host on a device's LAN that no tunnel asked for. */
  noHostMapping: 26,
  /** From a device, within its selectors, but not from an address it was leased (CONFORMANCE C63). */
  sourceNotLeased: 27,
  /** A hard limit of octets or packets was reached: the SA neither sends nor accepts (CONFORMANCE C66). */
  lifetimeOver: 28,
  /** Options, extension headers or a fragment where the SA is in transport mode (RFC 4301 7). */
  notForTransportMode: 29,
  /** The device's rate in this direction is used up. */
  rateLimited: 30,
  /** The device's quota of octets is used up. */
  quotaExceeded: 31,
  /** More than three times what came from an address the peer was not heard to answer from (RFC 7296 2.23). */
  pathUnconfirmed: 32,
  /** From one device to another, but at the end of its hops. */
  hopLimitExceeded: 33,
  /** AH that lies about its length, in a fragment or behind options that make no sense (CONFORMANCE N18). */
  badAuthHeader: 34,
  /** Met a bug on its way. It is told, and what repeats ends the data plane. */
  internalFault: 35,
} as const

export type DropCode = (typeof DropCode)[keyof typeof DropCode]

/** Names by number. */
export const DROP_CODE_NAMES: readonly string[] = Object.keys(DropCode)
export const DROP_CODE_COUNT: number = DROP_CODE_NAMES.length
