/**
 * Every function of C that this product calls, declared once: the only place that holds koffi.
 *
 * Functions are bound by family when a family is first asked for, so that one whose functions are missing takes no other with it. What
 * cannot be had is told by `NativeUnavailableError`. Pointers are declared as `int64_t` and passed as Numbers (user addresses are
 * below 2^53), the fastest way there is; they are made by `packet-memory.ts` and `structure.ts` alone, after their checks. Only the
 * TUN family takes typed arrays, whose address and length koffi itself reads. Synchronous calls only, no callbacks.
 */
import { type Koffi, surroundings } from './surroundings.ts'
import { NativeUnavailableError } from './unavailable.ts'

export type Call = (...values: number[]) => number
export type Fetch = (library: number, name: string, properties: number) => number
export type BlockCall = (fd: number, ...values: (number | Uint8Array)[]) => number

/** Symbol, result, parameters. */
type Shape = readonly [symbol: string, result: string, parameters: readonly string[]]
type Shapes = Readonly<Record<string, Shape>>

const POINTER = 'int64_t'
const SIZE = 'int64_t'
const BYTES = 'void *'
const FETCH = [POINTER, 'str', POINTER] as const

const pointers = (count: number): string[] => Array<string>(count).fill(POINTER)

/** For sockets, queues of the TUN and waiting, on blocks of packet memory. */
export const SYSTEM_SHAPES = {
  socket: ['socket', 'int', ['int', 'int', 'int']],
  bind: ['bind', 'int', ['int', POINTER, 'uint32_t']],
  connect: ['connect', 'int', ['int', POINTER, 'uint32_t']],
  getsockopt: ['getsockopt', 'int', ['int', 'int', 'int', POINTER, POINTER]],
  getsockname: ['getsockname', 'int', ['int', POINTER, POINTER]],
  setsockopt: ['setsockopt', 'int', ['int', 'int', 'int', POINTER, 'uint32_t']],
  recvmmsg: ['recvmmsg', 'int', ['int', POINTER, 'uint32_t', 'int', POINTER]],
  sendmsg: ['sendmsg', SIZE, ['int', POINTER, 'int']],
  sendmmsg: ['sendmmsg', 'int', ['int', POINTER, 'uint32_t', 'int']],
  sendto: ['sendto', SIZE, ['int', POINTER, SIZE, 'int', POINTER, 'uint32_t']],
  read: ['read', SIZE, ['int', POINTER, SIZE]],
  write: ['write', SIZE, ['int', POINTER, SIZE]],
  poll: ['poll', 'int', [POINTER, 'unsigned long', 'int']],
  epollCreate: ['epoll_create1', 'int', ['int']],
  epollCtl: ['epoll_ctl', 'int', ['int', 'int', 'int', POINTER]],
  epollWait: ['epoll_wait', 'int', ['int', POINTER, 'int', 'int']],
  eventfd: ['eventfd', 'int', ['uint32_t', 'int']],
  close: ['close', 'int', ['int']],
  ioctl: ['ioctl', 'int', ['int', 'unsigned long', POINTER]],
  syscall: ['syscall', SIZE, [SIZE, SIZE, POINTER, SIZE]],
} as const satisfies Shapes

/** For opening and watching a TUN, on arrays of the caller. */
export const TUN_SHAPES = {
  ioctlBytes: ['ioctl', 'int', ['int', 'unsigned long', BYTES]],
  ioctlNumber: ['ioctl', 'int', ['int', 'unsigned long', 'unsigned long']],
  setns: ['setns', 'int', ['int', 'int']],
  socket: ['socket', 'int', ['int', 'int', 'int']],
  bind: ['bind', 'int', ['int', BYTES, 'uint32_t']],
  close: ['close', 'int', ['int']],
  eventfd: ['eventfd', 'int', ['uint32_t', 'int']],
  read: ['read', SIZE, ['int', BYTES, SIZE]],
  write: ['write', SIZE, ['int', BYTES, SIZE]],
} as const satisfies Shapes

export const POLL_SHAPES = {
  poll: ['poll', 'int', [BYTES, 'unsigned long', 'int']],
} as const satisfies Shapes

/** Of the OpenSSL inside Node. */
export const OPENSSL_SHAPES = {
  version: ['OpenSSL_version_num', 'unsigned long', []],
  newContext: ['EVP_CIPHER_CTX_new', POINTER, []],
  freeContext: ['EVP_CIPHER_CTX_free', 'void', pointers(1)],
  control: ['EVP_CIPHER_CTX_ctrl', 'int', [POINTER, 'int', 'int', POINTER]],
  setPadding: ['EVP_CIPHER_CTX_set_padding', 'int', [POINTER, 'int']],
  encryptInit: ['EVP_EncryptInit_ex', 'int', pointers(5)],
  encryptUpdate: ['EVP_EncryptUpdate', 'int', [...pointers(4), 'int']],
  encryptFinal: ['EVP_EncryptFinal_ex', 'int', pointers(3)],
  decryptInit: ['EVP_DecryptInit_ex', 'int', pointers(5)],
  /** With parameters. */
  decryptInit2: ['EVP_DecryptInit_ex2', 'int', pointers(5)],
  getParameters: ['EVP_CIPHER_CTX_get_params', 'int', pointers(2)],
  setParameters: ['EVP_CIPHER_CTX_set_params', 'int', pointers(2)],
  /** One update without the layers of `encryptUpdate`. Returns octets, or less than 0. */
  cipherUpdate: ['EVP_Cipher', 'int', [...pointers(3), 'uint32_t']],
  decryptUpdate: ['EVP_DecryptUpdate', 'int', [...pointers(4), 'int']],
  decryptFinal: ['EVP_DecryptFinal_ex', 'int', pointers(3)],
  newMac: ['EVP_MAC_CTX_new', POINTER, pointers(1)],
  freeMac: ['EVP_MAC_CTX_free', 'void', pointers(1)],
  macInit: ['EVP_MAC_init', 'int', pointers(4)],
  macUpdate: ['EVP_MAC_update', 'int', pointers(3)],
  macFinal: ['EVP_MAC_final', 'int', pointers(4)],
  /** Digest of one block at once. */
  digest: ['EVP_Digest', 'int', pointers(6)],
  newPrivateKey: ['EVP_PKEY_new_raw_private_key', POINTER, ['int', ...pointers(3)]],
  newPublicKey: ['EVP_PKEY_new_raw_public_key', POINTER, ['int', ...pointers(3)]],
  rawPublicKey: ['EVP_PKEY_get_raw_public_key', 'int', pointers(3)],
  freeKey: ['EVP_PKEY_free', 'void', pointers(1)],
  newKeyContext: ['EVP_PKEY_CTX_new', POINTER, pointers(2)],
  freeKeyContext: ['EVP_PKEY_CTX_free', 'void', pointers(1)],
  deriveInit: ['EVP_PKEY_derive_init', 'int', pointers(1)],
  deriveSetPeer: ['EVP_PKEY_derive_set_peer_ex', 'int', [...pointers(2), 'int']],
  derive: ['EVP_PKEY_derive', 'int', pointers(3)],
  /** Empties this thread's queue of errors, which node:crypto and TLS share. */
  clearErrors: ['ERR_clear_error', 'void', []],
} as const satisfies Shapes

export const OPENSSL_FETCH_SHAPES = {
  fetchCipher: ['EVP_CIPHER_fetch', POINTER, FETCH],
  fetchMac: ['EVP_MAC_fetch', POINTER, FETCH],
  fetchDigest: ['EVP_MD_fetch', POINTER, FETCH],
} as const satisfies Shapes

/** For the page of instructions that go through lists, and below it for the addresses of what lists call (`call-list.ts`). */
export const CODE_SHAPES = {
  map: ['mmap', POINTER, [POINTER, SIZE, 'int', 'int', 'int', SIZE]],
  unmap: ['munmap', 'int', [POINTER, SIZE]],
  protect: ['mprotect', 'int', [POINTER, SIZE, 'int']],
} as const satisfies Shapes

export const CODE_COPY_SHAPES = {
  copy: ['memcpy', POINTER, [POINTER, BYTES, SIZE]],
} as const satisfies Shapes

export const CODE_SYMBOL_SHAPES = {
  symbol: ['dlsym', POINTER, [POINTER, 'str']],
} as const satisfies Shapes

export type SystemFunctions = Readonly<Record<keyof typeof SYSTEM_SHAPES, Call>>
export type TunFunctions = Readonly<Record<keyof typeof TUN_SHAPES, BlockCall>> & {
  readonly poll: (entries: Uint8Array, count: number, timeoutMs: number) => number
}
export type OpensslFunctions = Readonly<Record<keyof typeof OPENSSL_SHAPES, Call>> &
  Readonly<Record<keyof typeof OPENSSL_FETCH_SHAPES, Fetch>>

export type CodeFunctions = Readonly<Record<keyof typeof CODE_SHAPES, Call>> & {
  readonly copy: (to: number, from: Uint8Array, bytes: number) => number
  readonly symbol: (library: number, name: string) => number
}
/** @returns how many steps were done as expected */
export type RunList = (steps: number, count: number) => number

const OLDEST_OPENSSL = 0x3000_0000

class Library {
  readonly #koffi: Koffi
  readonly #process: ReturnType<Koffi['load']>
  #system: SystemFunctions | null = null
  #tun: TunFunctions | null = null
  #openssl: OpensslFunctions | null = null
  #code: CodeFunctions | null = null

  constructor() {
    try {
      this.#koffi = surroundings.loadKoffi()
      this.#process = this.#koffi.load(null)
    } catch (cause) {
      throw new NativeUnavailableError('koffi does not load here', { cause })
    }
  }

  errno(): number {
    return this.#koffi.errno()
  }

  addressOf(buffer: ArrayBufferLike): number {
    const address = Number(this.#koffi.address(buffer))
    if (!Number.isSafeInteger(address + buffer.byteLength) || address <= 0) {
      throw new NativeUnavailableError('the address of a buffer is no number here')
    }
    return address
  }

  get system(): SystemFunctions {
    this.#system ??= this.#bind<Call, keyof typeof SYSTEM_SHAPES>(SYSTEM_SHAPES)
    return this.#system
  }

  get tun(): TunFunctions {
    this.#tun ??= {
      ...this.#bind<BlockCall, keyof typeof TUN_SHAPES>(TUN_SHAPES),
      ...this.#bind<TunFunctions['poll'], keyof typeof POLL_SHAPES>(POLL_SHAPES),
    }
    return this.#tun
  }

  get openssl(): OpensslFunctions {
    this.#openssl ??= this.#bindOpenssl()
    return this.#openssl
  }

  get code(): CodeFunctions {
    this.#code ??= {
      ...this.#bind<Call, keyof typeof CODE_SHAPES>(CODE_SHAPES),
      ...this.#bind<CodeFunctions['copy'], keyof typeof CODE_COPY_SHAPES>(CODE_COPY_SHAPES),
      ...this.#bind<CodeFunctions['symbol'], keyof typeof CODE_SYMBOL_SHAPES>(CODE_SYMBOL_SHAPES),
    }
    return this.#code
  }

  runListAt(code: number): RunList {
    const koffi = this.#koffi
    return koffi.decode(BigInt(code), koffi.proto('int', [POINTER, SIZE])) as RunList
  }

  #bindOpenssl(): OpensslFunctions {
    const functions = this.#bind<Call, keyof typeof OPENSSL_SHAPES>(OPENSSL_SHAPES)
    const version = functions.version()
    if (!(version >= OLDEST_OPENSSL)) {
      throw new NativeUnavailableError(`the OpenSSL inside this Node, ${version.toString(16)}, is older than 3.0`)
    }
    return { ...functions, ...this.#bind<Fetch, keyof typeof OPENSSL_FETCH_SHAPES>(OPENSSL_FETCH_SHAPES) }
  }

  #bind<Type, Name extends string>(shapes: Readonly<Record<Name, Shape>>): Readonly<Record<Name, Type>> {
    const entries = Object.entries<Shape>(shapes).map(([name, [symbol, result, parameters]]) => {
      try {
        return [name, this.#process.func(symbol, result, [...parameters])]
      } catch (cause) {
        throw new NativeUnavailableError(`this Node has no function ${symbol}`, { cause })
      }
    })
    return Object.fromEntries(entries) as Readonly<Record<Name, Type>>
  }
}

let loaded: Library | null = null

function library(): Library {
  loaded ??= new Library()
  return loaded
}

/** Throws `NativeUnavailableError` where blocks and structures are not laid out as they are written here. */
export function requirePlatform(): void {
  const { platform, arch, endianness } = surroundings
  if (platform === 'linux' && endianness === 'LE' && (arch === 'x64' || arch === 'arm64')) return
  throw new NativeUnavailableError(`no native data plane on ${platform} ${arch}`)
}

/** @returns address of the first byte of a buffer, which the caller keeps alive and unmoved. Throws `NativeUnavailableError`. */
export function addressOf(buffer: ArrayBufferLike): number {
  requirePlatform()
  return library().addressOf(buffer)
}

/** Throws `NativeUnavailableError`. */
export function systemFunctions(): SystemFunctions {
  requirePlatform()
  return library().system
}

/** Of any Linux. Throws `NativeUnavailableError`. */
export function tunFunctions(): TunFunctions {
  return library().tun
}

/** Throws `NativeUnavailableError` when this Node has no OpenSSL that can be used. */
export function opensslFunctions(): OpensslFunctions {
  requirePlatform()
  return library().openssl
}

/** Throws `NativeUnavailableError`. */
export function codeFunctions(): CodeFunctions {
  requirePlatform()
  return library().code
}

/** @param code address of instructions that go through a list (`call-list.ts`) */
export function runListAt(code: number): RunList {
  return library().runListAt(code)
}

/** For a call that fails and does not say why. */
const EIO = 5

/** @returns what a call of the C library came to: not negative, or the negative error number as the kernel gives it */
export function checked(result: number): number {
  return result < 0 ? -(library().errno() || EIO) : result
}
