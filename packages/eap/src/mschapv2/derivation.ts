/**
 * What MS-CHAPv2 computes: NT password hash, responses of both sides (RFC 2759 8) and the MSK (RFC 3079 3, laid out as
 * draft-kamath-pppext-eap-mschapv2 and every peer do).
 *
 * The NT hash is as good as the password: whoever has it can log in. Results are fresh arrays that the caller owns.
 */
import { createHash } from 'node:crypto'
import { concatBytes, InvariantError, toHex, zeroize } from '@culvert/bytes'
import { desEncrypt } from './des.ts'
import { md4 } from './md4.ts'

export const NT_HASH_BYTES = 16
export const CHALLENGE_BYTES = 16
export const NT_RESPONSE_BYTES = 24
export const MSK_BYTES = 64

const DES_KEY_BYTES = 7
const CHALLENGE_HASH_BYTES = 8
const MASTER_KEY_BYTES = 16
const SESSION_KEY_BYTES = 16
/** RFC 2759 8.3: 0 to 256 Unicode characters. */
const MOST_PASSWORD_UNITS = 256

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)
// RFC 2759 8.7
const MAGIC_1 = ascii('Magic server to client signing constant')
const MAGIC_2 = ascii('Pad to make it do more than one iteration')
// RFC 3079 3.4
const MAGIC_MASTER_KEY = ascii('This is the MPPE Master Key')
const MAGIC_PEER_SENDS = ascii('On the client side, this is the send key; on the server side, it is the receive key.')
const MAGIC_SERVER_SENDS = ascii('On the client side, this is the receive key; on the server side, it is the send key.')
const PAD_1 = new Uint8Array(40)
const PAD_2 = new Uint8Array(40).fill(0xf2)

/** Both challenges and the name, as both sides hash them. */
export interface MschapChallenges {
  /** 16 octets. */
  readonly authenticator: Uint8Array
  /** 16 octets. */
  readonly peer: Uint8Array
  /** As the peer sent it; a Windows domain in front of it does not count (RFC 2759 4, 8.2). */
  readonly userName: Uint8Array
}

/**
 * The form in which passwords are kept (RFC 2759 8.3): MD4 of the password in UTF-16LE.
 * @throws InvariantError above 256 UTF-16 units
 */
export function ntHash(password: string): Uint8Array {
  if (password.length > MOST_PASSWORD_UNITS) throw new InvariantError('a password has at most 256 characters')
  const units = new Uint8Array(password.length * 2)
  const view = new DataView(units.buffer)
  for (let index = 0; index < password.length; index++) view.setUint16(index * 2, password.charCodeAt(index), true)
  const hash = md4(units)
  units.fill(0)
  return hash
}

/** RFC 2759 8.2: 8 octets. */
export function challengeHash(challenges: MschapChallenges): Uint8Array {
  return sha1(challenges.peer, challenges.authenticator, withoutDomain(challenges.userName)).slice(
    0,
    CHALLENGE_HASH_BYTES,
  )
}

/** RFC 2759 8.1, 8.5: the 24 octets with which the peer proves the password. */
export function ntResponse(hash: Uint8Array, challenges: MschapChallenges): Uint8Array {
  checkHash(hash)
  const challenge = challengeHash(challenges)
  const keys = new Uint8Array(3 * DES_KEY_BYTES)
  keys.set(hash)
  const thirds = [0, 1, 2].map((third) =>
    desEncrypt(keys.subarray(third * DES_KEY_BYTES, (third + 1) * DES_KEY_BYTES), challenge),
  )
  keys.fill(0)
  return concatBytes(...thirds)
}

/** RFC 2759 8.7: the 20 octets with which the authenticator proves that it knows the hash; sent as `S=` and hexadecimal. */
export function authenticatorResponse(
  hash: Uint8Array,
  response: Uint8Array,
  challenges: MschapChallenges,
): Uint8Array {
  checkHash(hash)
  const hashHash = md4(hash)
  const digest = sha1(hashHash, response, MAGIC_1)
  hashHash.fill(0)
  return sha1(digest, challengeHash(challenges), MAGIC_2)
}

/** The text of it: `S=` and 40 hexadecimal digits, upper case (RFC 2759 5). */
export function authenticatorResponseText(response: Uint8Array): string {
  return `S=${toHex(response).toUpperCase()}`
}

/** RFC 3079 3.4: what the peer encrypts with, what the server encrypts with, and zeros up to 64 octets. */
export function mschapMsk(hash: Uint8Array, response: Uint8Array): Uint8Array {
  checkHash(hash)
  const hashHash = md4(hash)
  const master = sha1(hashHash, response, MAGIC_MASTER_KEY).subarray(0, MASTER_KEY_BYTES)
  const peerSends = startKey(master, MAGIC_PEER_SENDS)
  const serverSends = startKey(master, MAGIC_SERVER_SENDS)
  const msk = new Uint8Array(MSK_BYTES)
  msk.set(peerSends)
  msk.set(serverSends, SESSION_KEY_BYTES)
  zeroize(hashHash, master, peerSends, serverSends)
  return msk
}

/** GetAsymmetricStartKey of RFC 3079 3.4, for 128-bit keys. */
function startKey(master: Uint8Array, magic: Uint8Array): Uint8Array {
  return sha1(master, PAD_1, magic, PAD_2).subarray(0, SESSION_KEY_BYTES)
}

function withoutDomain(userName: Uint8Array): Uint8Array {
  return userName.subarray(userName.indexOf(0x5c) + 1)
}

function sha1(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha1')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

function checkHash(hash: Uint8Array): void {
  if (hash.length !== NT_HASH_BYTES) throw new InvariantError('an NT hash has 16 octets')
}
