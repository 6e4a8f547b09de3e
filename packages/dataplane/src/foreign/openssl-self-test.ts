/**
 * Known answers of the packet ciphers: this Node's OpenSSL through foreign calls must seal and open what the specifications say (GCM
 * test case 4 of McGrew and Viega, RFC 8439 2.8.2, RFC 3602 case 1, RFC 4231 case 2), and refuse a changed tag.
 */
import { AeadContext, type AeadKey, CbcContext, HmacContext, Openssl } from './evp.ts'
import type { PacketMemory } from './packet-memory.ts'
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

const CBC = {
  key: '06a9214036b8a15b512e03d534120006',
  iv: '3dafba429d9eb430b422da802c9fac41',
  plaintext: '53696e676c6520626c6f636b206d7367',
  sealed: 'e353779c1079aeb82708942dbe77181a',
} as const
const HMAC = {
  key: '4a656665',
  text: '7768617420646f2079612077616e7420666f72206e6f7468696e673f',
  mac: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
} as const

/** @param memory of 64 KiB or more, for this alone. Throws `NativeUnavailableError` with what failed. */
export function proveOpenssl(memory: PacketMemory): void {
  const openssl = new Openssl(memory)
  for (const answer of KNOWN_ANSWERS) require(answer.algorithm, passes(openssl, answer))
  require('AES-128-CBC', blocksPass(openssl))
  require('HMAC with SHA256', macPasses(openssl))
}

/** The same through lists of calls. Throws `NativeUnavailableError` with what failed, or why there are none. */
export function proveCallLists(memory: PacketMemory): void {
  const openssl = new Openssl(memory, { callLists: true })
  for (const answer of KNOWN_ANSWERS) require(`${answer.algorithm} in lists of calls`, passes(openssl, answer))
}

function require(algorithm: string, isRight: boolean): void {
  if (!isRight) throw new NativeUnavailableError(`${algorithm} fails its known answer`)
}

function place(memory: PacketMemory, hex: string): [offset: number, length: number] {
  const bytes = Buffer.from(hex, 'hex')
  const offset = memory.allocate(bytes.length)
  memory.bytes.set(bytes, offset)
  return [offset, bytes.length]
}

function holds(memory: PacketMemory, offset: number, hex: string): boolean {
  const expected = Buffer.from(hex, 'hex')
  return expected.equals(memory.copyOut(offset, expected.length))
}

function blocksPass(openssl: Openssl): boolean {
  const { memory } = openssl
  const [iv] = place(memory, CBC.iv)
  const [plaintext, length] = place(memory, CBC.plaintext)
  const key = Buffer.from(CBC.key, 'hex')
  const [sealed, opened] = [memory.allocate(length), memory.allocate(length)]
  const sealer = new CbcContext(openssl, 'seal', 'AES-128-CBC', key)
  const opener = new CbcContext(openssl, 'open', 'AES-128-CBC', key)
  try {
    const isSealed = sealer.run(iv, plaintext, sealed, length) && holds(memory, sealed, CBC.sealed)
    return isSealed && opener.run(iv, sealed, opened, length) && holds(memory, opened, CBC.plaintext)
  } finally {
    sealer.free()
    opener.free()
  }
}

/** In one piece, and in two. */
function macPasses(openssl: Openssl): boolean {
  const { memory } = openssl
  const [text, length] = place(memory, HMAC.text)
  const context = new HmacContext(openssl, 'SHA256', Buffer.from(HMAC.key, 'hex'))
  const isRight = (at: number): boolean => at !== 0 && holds(memory, at, HMAC.mac)
  try {
    return (
      isRight(context.compute(text, length, 0, 0)) && isRight(context.compute(text, length - 4, text + length - 4, 4))
    )
  } finally {
    context.free()
  }
}

function passes(openssl: Openssl, answer: KnownAnswer): boolean {
  const { memory } = openssl
  const [nonce] = place(memory, answer.nonce)
  const [aad, aadBytes] = place(memory, answer.aad)
  const [plaintext, textBytes] = place(memory, answer.plaintext)
  const [expected, sealedBytes] = place(memory, answer.sealed)
  const sealed = memory.allocate(sealedBytes)
  const [before] = place(memory, nonceBefore(answer.nonce))
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
    const isKnownWith = (iv: number): boolean =>
      sealer.seal(iv, aad, aadBytes, plaintext, sealed, textBytes) && holds(memory, sealed, answer.sealed)
    // Told the nonce, then counted up to it.
    const isSealed = isKnownWith(nonce + 4) && !isKnownWith(before + 4) && isKnownWith(nonce + 4)
    const isOpened = opener.open(nonce + 4, aad, aadBytes, expected, opened, textBytes)
    memory.bytes[expected + textBytes]! ^= 1
    const isForgedOpened = opener.open(nonce + 4, aad, aadBytes, expected, opened, textBytes)
    memory.bytes[expected + textBytes]! ^= 1
    return isSealed && isOpened && !isForgedOpened
  } finally {
    sealer.free()
    opener.free()
  }
}

/** With the IV one lower. */
function nonceBefore(nonce: string): string {
  return (BigInt(`0x${nonce}`) - 1n).toString(16).padStart(nonce.length, '0')
}
