/**
 * Bounds the decoder puts on counts (implementation, not specification): above what any peer needs, low enough that the work and
 * memory one datagram can cause stay small. Beyond a bound the answer is `tooMany`.
 */

export const MAX_PAYLOADS = 96
export const MAX_PROPOSALS = 64
/** Transforms of one SA payload, all proposals together. */
export const MAX_TRANSFORMS = 1024
/** Attributes of one transform; one is defined. */
export const MAX_TRANSFORM_ATTRIBUTES = 8
export const MAX_DELETE_SPIS = 1024
export const MAX_CONFIGURATION_ATTRIBUTES = 128
/** Octets of one identity; the longest in use are distinguished names of a few hundred. */
export const MAX_IDENTITY_BYTES = 1024
/** RFC 7296 3.9 and 2.10. */
export const MIN_NONCE_BYTES = 16
export const MAX_NONCE_BYTES = 256
/** RFC 7383 fragments of one message. */
export const MAX_FRAGMENTS = 128
/** Octets of an IKE_SA_INIT request, which is kept until AUTH was checked; RFC 7296 2 asks for 3000. */
export const MAX_INIT_BYTES = 4_096
/** Octets of a message of a peer that has not proven who it is. */
export const MAX_UNPROVEN_MESSAGE_BYTES = 16_384
/** Octets of one reassembled message. */
export const MAX_REASSEMBLED_BYTES = 65_535
