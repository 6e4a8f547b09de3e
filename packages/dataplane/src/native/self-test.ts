/**
 * Known answers, run before the native rung is chosen: the ciphers of this Node's OpenSSL through foreign calls must seal and
 * open what the specifications say (GCM test case 4 of McGrew and Viega, RFC 8439 2.8.2), and refuse a changed tag.
 */
import { AeadContext, type AeadKey, Openssl } from './evp.ts'
import { PacketMemory } from './packet-memory.ts'
import { addressOf } from './syscalls.ts'
import { NativeUnavailableError } from './unavailable.ts'

interface KnownAnswer {
  readonly algorithm: string
  readonly key: string
  /** 4 bytes, then the IV of 8. */
  readonly nonce: string
  readonly aad: string
  readonly plaintext: string
  readonly sealed: string
}

const TAG_BYTES = 16

const KNOWN_ANSWERS: readonly KnownAnswer[] = [
  {
    algorithm: 'AES-128-GCM',
    key: 'feffe9928665731c6d6a8f9467308308',
    nonce: 'cafebabefacedbaddecaf888',
    aad: 'feedfacedeadbeeffeedfacedeadbeefabaddad2',
    plaintext:
      'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72' +
      '1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
    sealed:
      '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e' +
      '21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47',
  },
  {
    algorithm: 'ChaCha20-Poly1305',
    key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f',
    nonce: '070000004041424344454647',
    aad: '50515253c0c1c2c3c4c5c6c7',
    plaintext:
      '4c616469657320616e642047656e746c656d656e206f662074686520636c6173' +
      '73206f66202739393a204966204920636f756c64206f6666657220796f75206f' +
      '6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73637265656e20776f756c642062652069742e',
    sealed:
      'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6' +
      '3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36' +
      '92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc' +
      '3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691',
  },
]

/** Throws `NativeUnavailableError`. */
export function runSelfTest(): void {
  const memory = new PacketMemory(65_536, addressOf)
  const openssl = new Openssl(memory)
  for (const answer of KNOWN_ANSWERS) {
    if (!passes(openssl, answer)) throw new NativeUnavailableError(`${answer.algorithm} fails its known answer`)
  }
}

function passes(openssl: Openssl, answer: KnownAnswer): boolean {
  const { memory } = openssl
  const place = (hex: string): [offset: number, length: number] => {
    const bytes = Buffer.from(hex, 'hex')
    const offset = memory.allocate(bytes.length)
    memory.bytes.set(bytes, offset)
    return [offset, bytes.length]
  }
  const [nonce] = place(answer.nonce)
  const [aad, aadBytes] = place(answer.aad)
  const [plaintext, textBytes] = place(answer.plaintext)
  const [expected, sealedBytes] = place(answer.sealed)
  const sealed = memory.allocate(sealedBytes)
  const opened = memory.allocate(textBytes)
  const key: AeadKey = {
    algorithm: answer.algorithm,
    key: Buffer.from(answer.key, 'hex'),
    salt: memory.view.getUint32(nonce),
    icvBytes: TAG_BYTES,
  }
  const sealer = new AeadContext(openssl, 'seal', key)
  const opener = new AeadContext(openssl, 'open', key)
  try {
    const isSealed = sealer.seal(nonce + 4, aad, aadBytes, plaintext, sealed, textBytes)
    const isOpened = opener.open(nonce + 4, aad, aadBytes, expected, opened, textBytes)
    memory.bytes[expected + textBytes]! ^= 1
    const isForgedOpened = opener.open(nonce + 4, aad, aadBytes, expected, opened, textBytes)
    memory.bytes[expected + textBytes]! ^= 1
    return (
      isSealed &&
      isOpened &&
      !isForgedOpened &&
      Buffer.from(memory.copyOut(sealed, sealedBytes)).equals(memory.copyOut(expected, sealedBytes))
    )
  } finally {
    sealer.free()
    opener.free()
  }
}
