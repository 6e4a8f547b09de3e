/**
 * The functions of the OpenSSL inside Node that are called from here, bound through koffi.
 *
 * Pointers are declared as `int64_t` and passed as Numbers (user addresses are below 2^53). Whoever calls one has checked every
 * block and owns every handle; that is done in `evp.ts` (packets) and `evp-primitives.ts` (IKE messages) and nowhere else.
 */
import koffi from 'koffi'
import { NativeUnavailableError } from './unavailable.ts'

const POINTER = 'int64_t'
const OLDEST_OPENSSL = 0x3000_0000

export type Call = (...args: number[]) => number
export type Fetch = (library: number, name: string, properties: number) => bigint | number | null

export interface Functions {
  readonly fetchCipher: Fetch
  readonly fetchMac: Fetch
  readonly newContext: () => bigint
  readonly freeContext: Call
  readonly control: Call
  readonly setPadding: Call
  readonly encryptInit: Call
  readonly encryptUpdate: Call
  readonly encryptFinal: Call
  readonly decryptInit: Call
  /** With parameters. */
  readonly decryptInit2: Call
  readonly getParameters: Call
  /** One update without the layers of `encryptUpdate`. @returns octets, or less than 0 */
  readonly cipherUpdate: Call
  readonly decryptUpdate: Call
  readonly decryptFinal: Call
  readonly newMac: (mac: number) => bigint
  readonly freeMac: Call
  readonly macInit: Call
  readonly macUpdate: Call
  readonly macFinal: Call
  readonly fetchDigest: Fetch
  /** Digest of one block at once. */
  readonly digest: Call
  readonly newPrivateKey: Call
  readonly newPublicKey: Call
  readonly rawPublicKey: Call
  readonly freeKey: Call
  readonly newKeyContext: Call
  readonly freeKeyContext: Call
  readonly deriveInit: Call
  readonly deriveSetPeer: Call
  readonly derive: Call
  /** Empties this thread's queue of errors, which node:crypto and TLS share. */
  readonly clearErrors: Call
}

/** Throws `NativeUnavailableError` when this Node has no OpenSSL that can be used. */
export function bindFunctions(): Functions {
  try {
    const own = koffi.load(null)
    const version = own.func('OpenSSL_version_num', 'unsigned long', [])() as number
    if (version < OLDEST_OPENSSL) throw new Error(`version ${version.toString(16)} is older than 3.0`)
    const pointers = (count: number): string[] => Array<string>(count).fill(POINTER)
    const call = (name: string, parameters: string[], result = 'int') => own.func(name, result, parameters)
    return {
      fetchCipher: call('EVP_CIPHER_fetch', [POINTER, 'str', POINTER], 'void *') as unknown as Fetch,
      fetchMac: call('EVP_MAC_fetch', [POINTER, 'str', POINTER], 'void *') as unknown as Fetch,
      newContext: call('EVP_CIPHER_CTX_new', [], 'void *'),
      freeContext: call('EVP_CIPHER_CTX_free', pointers(1), 'void'),
      control: call('EVP_CIPHER_CTX_ctrl', [POINTER, 'int', 'int', POINTER]),
      setPadding: call('EVP_CIPHER_CTX_set_padding', [POINTER, 'int']),
      encryptInit: call('EVP_EncryptInit_ex', pointers(5)),
      encryptUpdate: call('EVP_EncryptUpdate', [...pointers(4), 'int']),
      encryptFinal: call('EVP_EncryptFinal_ex', pointers(3)),
      decryptInit: call('EVP_DecryptInit_ex', pointers(5)),
      decryptInit2: call('EVP_DecryptInit_ex2', pointers(5)),
      cipherUpdate: call('EVP_Cipher', [...pointers(3), 'uint32_t']),
      getParameters: call('EVP_CIPHER_CTX_get_params', pointers(2)),
      decryptUpdate: call('EVP_DecryptUpdate', [...pointers(4), 'int']),
      decryptFinal: call('EVP_DecryptFinal_ex', pointers(3)),
      newMac: call('EVP_MAC_CTX_new', pointers(1), 'void *'),
      freeMac: call('EVP_MAC_CTX_free', pointers(1), 'void'),
      macInit: call('EVP_MAC_init', pointers(4)),
      macUpdate: call('EVP_MAC_update', pointers(3)),
      macFinal: call('EVP_MAC_final', pointers(4)),
      fetchDigest: call('EVP_MD_fetch', [POINTER, 'str', POINTER], 'void *') as unknown as Fetch,
      digest: call('EVP_Digest', pointers(6)),
      newPrivateKey: call('EVP_PKEY_new_raw_private_key', ['int', ...pointers(3)], POINTER),
      newPublicKey: call('EVP_PKEY_new_raw_public_key', ['int', ...pointers(3)], POINTER),
      rawPublicKey: call('EVP_PKEY_get_raw_public_key', pointers(3)),
      freeKey: call('EVP_PKEY_free', pointers(1), 'void'),
      newKeyContext: call('EVP_PKEY_CTX_new', pointers(2), POINTER),
      freeKeyContext: call('EVP_PKEY_CTX_free', pointers(1), 'void'),
      deriveInit: call('EVP_PKEY_derive_init', pointers(1)),
      deriveSetPeer: call('EVP_PKEY_derive_set_peer_ex', [...pointers(2), 'int']),
      derive: call('EVP_PKEY_derive', pointers(3)),
      clearErrors: call('ERR_clear_error', [], 'void'),
    }
  } catch (cause) {
    throw new NativeUnavailableError('the OpenSSL inside this Node cannot be reached', { cause })
  }
}
