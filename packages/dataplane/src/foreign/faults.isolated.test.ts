/**
 * Faults put into foreign calls: the self-test finds each of them and says which, so that another rung is taken.
 */
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { OPENSSL_SHAPES, SYSTEM_SHAPES, TUN_SHAPES } from './library.ts'
import type { Koffi, Surroundings } from './surroundings.ts'
import { HERE, koffiIdle, koffiLying, koffiRunning, koffiWithout } from './testing/fake-koffi.ts'

afterEach(() => {
  vi.doUnmock('./surroundings.ts')
})

interface Foreign {
  readonly selfTest: typeof import('./self-test.ts')
  readonly tun: typeof import('./tun-syscalls.ts')
  readonly library: typeof import('./library.ts')
  readonly crypto: typeof import('../native/index.ts')
}

/** Everything anew, in other surroundings. */
async function inside(surroundings: Partial<Surroundings>): Promise<Foreign> {
  vi.resetModules()
  vi.doMock('./surroundings.ts', () => ({
    surroundings: { ...HERE, loadKoffi: () => koffiWithout(''), ...surroundings },
  }))
  return {
    selfTest: await import('./self-test.ts'),
    tun: await import('./tun-syscalls.ts'),
    library: await import('./library.ts'),
    crypto: await import('../native/index.ts'),
  }
}

/** @returns what stands in the way of each family; null for nothing */
function reasons({ selfTest, tun }: Foreign): Record<'calls' | 'openssl' | 'tun', string | null> {
  const reasonOf = (prove: () => unknown): string | null => {
    try {
      prove()
      return null
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'NativeUnavailableError') throw error
      return error.message
    }
  }
  return {
    calls: reasonOf(() => selfTest.proveForeignCalls(['system calls'])),
    openssl: reasonOf(() => selfTest.proveForeignCalls(['OpenSSL'])),
    tun: reasonOf(() => tun.tunSyscalls()),
  }
}

describe('foreign calls', () => {
  it('pass their self-test here, any number of times', async () => {
    const foreign = await inside({})
    for (let round = 0; round < 30; round++) {
      expect(reasons(foreign)).toEqual({ calls: null, openssl: null, tun: null })
    }
  })

  it('are all missing where koffi does not load, and nothing else fails', async () => {
    const foreign = await inside({
      loadKoffi: () => {
        throw new Error('there is no such module')
      },
    })
    const reason = 'koffi does not load here'
    expect(reasons(foreign)).toEqual({ calls: reason, openssl: reason, tun: reason })
    expect((await foreign.crypto.openCrypto()).sha256(new Uint8Array(3))).toHaveLength(32)
  })

  it.each([{ platform: 'darwin' }, { arch: 'ppc64' }, { endianness: 'BE' as const }])(
    'of the native rung are missing on %o, those for a TUN are not',
    async (surroundings) => {
      const found = reasons(await inside(surroundings))
      expect(found.calls).toContain('no native data plane on')
      expect(found).toEqual({ calls: found.calls, openssl: found.calls, tun: null })
    },
  )

  it('refuse an OpenSSL that is older than 3.0', async () => {
    const found = reasons(await inside({ loadKoffi: () => koffiLying('OpenSSL_version_num', () => 0x1010_1000) }))
    expect(found).toEqual({ calls: null, openssl: expect.stringContaining('older than 3.0'), tun: null })
  })

  it('are not made with an address that is no number', async () => {
    const koffi = koffiWithout('')
    for (const address of [0n, -1n, 1n << 60n]) {
      const foreign = await inside({ loadKoffi: () => ({ ...koffi, address: () => address }) })
      expect(reasons(foreign).calls).toContain('address')
    }
  })
})

const SYSTEM: Readonly<Record<keyof typeof SYSTEM_SHAPES, (answer: number) => number>> = {
  socket: () => -1,
  bind: () => -1,
  connect: () => -1,
  getsockopt: () => -1,
  getsockname: () => -1,
  setsockopt: () => -1,
  recvmmsg: (answer) => answer - 1,
  sendmsg: (answer) => answer - 1,
  sendmmsg: () => 1,
  sendto: (answer) => answer + 1,
  read: (answer) => Math.max(answer, 0),
  write: (answer) => answer - 1,
  poll: () => 1,
  epollCreate: () => -1,
  epollCtl: () => -1,
  epollWait: () => 0,
  eventfd: () => -1,
  ioctl: () => 0,
  close: (answer) => answer,
  syscall: (answer) => answer,
}
/** What is called with privileges alone, or whose answer nobody looks at. */
const UNASKED: readonly string[] = ['close', 'syscall', 'version']

describe('a system call', () => {
  it.each(Object.keys(SYSTEM).filter((name) => !UNASKED.includes(name)))('%s that lies is found out', async (name) => {
    const { SYSTEM_SHAPES: shapes } = await import('./library.ts')
    const key = name as keyof typeof SYSTEM_SHAPES
    const [symbol] = shapes[key]
    const found = reasons(await inside({ loadKoffi: () => koffiLying(symbol, SYSTEM[key]) }))
    expect(found.calls).toMatch(/wrong answer/)
    expect(found.openssl).toBeNull()
  })

  it('that is missing is named, and takes the other families nothing', async () => {
    const { SYSTEM_SHAPES: system, TUN_SHAPES: tun } = await import('./library.ts')
    const ofTun: readonly string[] = [...Object.values(tun).map(([symbol]) => symbol), 'poll']
    for (const [symbol] of Object.values(system)) {
      const found = reasons(await inside({ loadKoffi: () => koffiWithout(symbol) }))
      const reason = `this Node has no function ${symbol}`
      expect(found).toEqual({ calls: reason, openssl: null, tun: ofTun.includes(symbol) ? reason : null })
    }
  })
})

describe('a call for a TUN', () => {
  const LIES: Readonly<Partial<Record<keyof typeof TUN_SHAPES | 'poll', (answer: number) => number>>> = {
    ioctlBytes: () => 0,
    setns: () => 0,
    socket: () => -1,
    bind: () => 0,
    eventfd: () => -1,
    poll: () => 0,
    read: (answer) => Math.max(answer, 0),
    write: () => 0,
  }
  it.each(Object.keys(LIES))('%s that lies is found out', async (name) => {
    const { TUN_SHAPES: shapes } = await import('./library.ts')
    const key = name as keyof typeof LIES
    const symbol = key === 'poll' ? 'poll' : shapes[key][0]
    const found = reasons(await inside({ loadKoffi: () => koffiLying(symbol, LIES[key]!) }))
    expect(found.tun).toMatch(/wrong answer/)
  })
})

/** How each function of packet ciphers lies; the others are IKE's. */
const OPENSSL: Readonly<Partial<Record<keyof typeof OPENSSL_SHAPES, (answer: number) => number>>> = {
  setPadding: () => 0,
  control: () => 0,
  setParameters: () => 0,
  encryptInit: () => 0,
  encryptUpdate: () => 0,
  encryptFinal: () => 0,
  decryptInit: () => 0,
  decryptInit2: () => 0,
  getParameters: () => 0,
  cipherUpdate: (answer) => answer - 1,
  decryptUpdate: () => 0,
  decryptFinal: () => 1,
  macInit: () => 0,
  macUpdate: () => 0,
  macFinal: () => 0,
}

describe.runIf(process.arch === 'x64')('a list of calls', () => {
  const FAULTS: readonly (readonly [title: string, koffi: () => Koffi, reason: string])[] = [
    ['no memory', () => koffiLying('mmap', () => -1), 'no memory'],
    ['memory that may not be run', () => koffiLying('mprotect', () => -1), 'may not be made executable'],
    ['no mprotect', () => koffiWithout('mprotect'), 'no function mprotect'],
    ['no functions by name', () => koffiLying('dlsym', () => 0), 'no function EVP_'],
    ['a list that does nothing', () => koffiRunning(() => (_steps, count) => count), 'fails its known answer'],
    ['a list that never comes to its end', () => koffiRunning(() => () => 0), 'fails its known answer'],
  ]
  it.each(FAULTS)('is not used with %s, and packets go on call by call', async (_title, loadKoffi, reason) => {
    const foreign = await inside({ loadKoffi })
    expect(() => foreign.selfTest.proveForeignCalls([foreign.selfTest.CALL_LISTS])).toThrow(reason)
    expect(reasons(foreign)).toEqual({ calls: null, openssl: null, tun: null })
  })

  it('passes its self-test here', async () => {
    const { selfTest } = await inside({})
    expect(() => selfTest.proveForeignCalls([selfTest.CALL_LISTS])).not.toThrow()
  })

  it('is not known on another processor', async () => {
    const { selfTest } = await inside({ arch: 'arm64' })
    expect(() => selfTest.proveForeignCalls([selfTest.CALL_LISTS])).toThrow('no lists of calls on arm64')
  })
})

describe.runIf(process.arch === 'x64')('a list of calls that ends in the middle', () => {
  const STOPS = [0, 1, 2, 3].flatMap((steps) =>
    [['AES-128-GCM', 16] as const, ['ChaCha20-Poly1305', 32] as const].map((cipher) => [steps, ...cipher] as const),
  )
  it.each(STOPS)(
    'after %s steps is a packet less, and those behind it are as ever: %s',
    async (steps, algorithm, keyBytes) => {
      let isStopping = false
      const loadKoffi = (): Koffi => koffiRunning((run) => (at, count) => run(at, isStopping ? steps : count))
      await inside({ loadKoffi })
      const { PacketMemory } = await import('./packet-memory.ts')
      const { AeadContext, Openssl } = await import('./evp.ts')
      const memory = new PacketMemory(65_536)
      const [iv, aad, text, sealed, opened] = [8, 8, 64, 96, 64].map((bytes) => memory.allocate(bytes)) as [
        number,
        number,
        number,
        number,
        number,
      ]
      const spec = { algorithm, key: new Uint8Array(keyBytes).fill(7), salt: 1, icvBytes: 16 }
      const openssl = new Openssl(memory, { callLists: true })
      const other = new Openssl(memory)
      const [sealer, opener] = [new AeadContext(openssl, 'seal', spec), new AeadContext(openssl, 'open', spec)]
      const [plainSealer, plainOpener] = [new AeadContext(other, 'seal', spec), new AeadContext(other, 'open', spec)]
      const text64 = (fill: number): void => void memory.bytes.fill(fill, text, text + 64)
      for (let packet = 1; packet <= 8; packet++) {
        memory.view.setBigUint64(iv, BigInt(packet))
        text64(packet)
        isStopping = packet === 2 || packet === 5 || packet === 6
        expect(sealer.seal(iv, aad, 8, text, sealed, 64), `packet ${packet} sealed`).toBe(!isStopping)
        if (!isStopping)
          expect(plainOpener.open(iv, aad, 8, sealed, opened, 64), `packet ${packet} is right`).toBe(true)
        expect(plainSealer.seal(iv, aad, 8, text, sealed, 64)).toBe(true)
        expect(opener.open(iv, aad, 8, sealed, opened, 64), `packet ${packet} opened`).toBe(!isStopping)
        if (!isStopping) expect(memory.copyOut(opened, 64)).toEqual(memory.copyOut(text, 64))
      }
    },
  )
})

describe('OpenSSL', () => {
  it.each(Object.keys(OPENSSL))('is not used when %s lies', async (name) => {
    const { OPENSSL_SHAPES: shapes } = await import('./library.ts')
    const key = name as keyof typeof OPENSSL
    const foreign = await inside({ loadKoffi: () => koffiLying(shapes[key][0], OPENSSL[key]!) })
    expect(reasons(foreign)).toEqual({ calls: null, openssl: expect.any(String), tun: null })
  })

  it('is not used when a MAC that is begun again without a key is not begun', async () => {
    const koffi = koffiIdle('EVP_MAC_init', ([, key, , params]) => key === 0 && params === 0)
    const foreign = await inside({ loadKoffi: () => koffi })
    expect(reasons(foreign)).toEqual({ calls: null, openssl: expect.any(String), tun: null })
    expect((await foreign.crypto.openCrypto()).name).toBe('openssl')
  })

  it('is not used when a function is missing: its name is told', async () => {
    const { OPENSSL_SHAPES: shapes, OPENSSL_FETCH_SHAPES: fetches } = await import('./library.ts')
    for (const [symbol] of [...Object.values(shapes), ...Object.values(fetches)]) {
      const foreign = await inside({ loadKoffi: () => koffiWithout(symbol) })
      expect(reasons(foreign)).toEqual({ calls: null, openssl: `this Node has no function ${symbol}`, tun: null })
    }
    const foreign = await inside({ loadKoffi: () => koffiWithout('EVP_PKEY_derive') })
    expect((await foreign.crypto.openCrypto()).keyExchange(31)).not.toBeNull()
  })
})
