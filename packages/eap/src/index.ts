/** The door of the package; everything else is internal. */
export { createEapAuthenticator } from './authenticator.ts'
export type { EapAuthenticator, EapAuthenticatorOptions, EapStep } from './authenticator.ts'
export { createEapPeer } from './peer.ts'
export type { EapPeer, EapPeerAnswer, EapPeerOptions } from './peer.ts'
export type { EapFailureReason, EapMethod, EapMethodName, EapPeerMethod } from './method.ts'
export type { Decoded, EapDecodeError, EapDecodeErrorCode } from './decoded.ts'
export { decodeEap, EAP_TYPE, encodeEap } from './packet.ts'
export type { EapMessage, EapPacket, EapVerdict } from './packet.ts'
export { decodeAkaMessage, encodeAkaMessage } from './aka/message.ts'
export type { AkaAttribute, AkaMessage } from './aka/message.ts'
export { createMschapMethod } from './mschapv2/authenticator.ts'
export type { MschapOptions } from './mschapv2/authenticator.ts'
export { createMschapPeerMethod } from './mschapv2/peer.ts'
export type { MschapCredentials } from './mschapv2/peer.ts'
export {
  authenticatorResponse,
  authenticatorResponseText,
  mschapMsk,
  NT_HASH_BYTES,
  ntHash,
  ntResponse,
} from './mschapv2/derivation.ts'
export type { MschapChallenges } from './mschapv2/derivation.ts'
export {
  decodeMschapRequest,
  decodeMschapResponse,
  encodeMschapRequest,
  encodeMschapResponse,
} from './mschapv2/packet.ts'
export type { MschapAnswer, MschapRequest, MschapResponse } from './mschapv2/packet.ts'
export { createTlsMethod, createTlsMethods } from './tls/authenticator.ts'
export type { TlsMethodOptions } from './tls/authenticator.ts'
export { createTlsPeerMethod } from './tls/peer.ts'
export type { TlsPeerOptions } from './tls/peer.ts'
export type { TlsCertificate, TlsVersion } from './tls/context.ts'
export { decodeTlsFragment, encodeTlsFragment } from './tls/packet.ts'
export type { TlsFragment } from './tls/packet.ts'
