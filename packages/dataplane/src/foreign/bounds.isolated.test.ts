/**
 * Every block that a foreign function is told of: at its bound, one short of it, one past it, and what is no block at all. Calls are
 * noted, not made: what is refused must have been refused before.
 */
import fc from 'fast-check'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { opensslPrimitives } from '@culvert/crypto'
import { AeadContext, CbcContext, HmacContext, Openssl } from './evp.ts'
import { CallList } from './call-list.ts'
import { createEvpPrimitives, PRIMITIVES_BYTES } from './evp-primitives.ts'
import { EPOLL_EVENT_BYTES, IFREQ_BYTES, SO_ATTACH_FILTER } from './linux.ts'
import { MessageHeaders } from './message-headers.ts'
import { OutsideMemoryError } from './outside-memory-error.ts'
import { PacketMemory } from './packet-memory.ts'
import { Structure } from './structure.ts'
import { surroundings } from './surroundings.ts'
import { Syscalls } from './syscalls.ts'
import { tunSyscalls } from './tun-syscalls.ts'
import type { NotingKoffi } from './testing/fake-koffi.ts'

vi.mock('./surroundings.ts', async () => {
  const { HERE, NotingKoffi: Noting } = await import('./testing/fake-koffi.ts')
  const noting = new Noting()
  return { surroundings: { ...HERE, loadKoffi: () => noting } }
})
vi.mock('./tun-self-test.ts', () => ({ proveTunSyscalls: () => {} }))

const koffi = surroundings.loadKoffi() as NotingKoffi
const memory = new PacketMemory(65_536)
const { address: base } = koffi.buffers[0]!
const syscalls = new Syscalls(memory)
const openssl = new Openssl(memory)
const headers = new MessageHeaders(memory, 4)
const aead = { algorithm: 'AES-128-GCM', key: new Uint8Array(16), salt: 1, icvBytes: 16 }
const sealer = new AeadContext(openssl, 'seal', aead)
const opener = new AeadContext(openssl, 'open', aead)
const listing = process.arch === 'x64' ? new Openssl(memory, { callLists: true }) : openssl
const listedSealer = new AeadContext(listing, 'seal', aead)
const listedOpener = new AeadContext(listing, 'open', aead)
const cbc = new CbcContext(openssl, 'seal', 'AES-128-CBC', new Uint8Array(16))
const hmac = new HmacContext(openssl, 'SHA256', new Uint8Array(32))
const FD = 3
const OK = 4096

interface Case {
  readonly name: string
  /** Octets that the function touches for a length of `length`. */
  readonly bytes: (length: number) => number
  readonly run: (offset: number, length: number) => unknown
  /** Its length is known: no argument says it. */
  readonly isFixed?: true
}

const whole = (length: number): number => length
const fixed = (bytes: number): Pick<Case, 'bytes' | 'isFixed'> => ({ bytes: () => bytes, isFixed: true })
const each = (bytes: number): Pick<Case, 'bytes'> => ({ bytes: (count) => count * bytes })

const CASES: readonly Case[] = [
  { name: 'bind', bytes: whole, run: (at, length) => syscalls.bind(FD, at, length) },
  { name: 'connect', bytes: whole, run: (at, length) => syscalls.connect(FD, at, length) },
  { name: 'getsockname', ...fixed(28), run: (at) => syscalls.getsockname(FD, at) },
  { name: 'setsockopt', bytes: whole, run: (at, length) => syscalls.setOption(FD, 41, 1, at, length) },
  {
    name: 'setsockopt (filter)',
    ...each(8),
    run: (at, count) => syscalls.attachFilter(FD, SO_ATTACH_FILTER, at, count),
  },
  { name: 'sendto', bytes: whole, run: (at, length) => syscalls.sendto(FD, at, length, OK, 16) },
  { name: 'sendto (name)', bytes: whole, run: (at, length) => syscalls.sendto(FD, OK, 16, at, length) },
  { name: 'read', bytes: whole, run: (at, length) => syscalls.read(FD, at, length) },
  { name: 'write', bytes: whole, run: (at, length) => syscalls.write(FD, at, length) },
  { name: 'poll', ...each(8), run: (at, count) => syscalls.poll(at, count, 0) },
  { name: 'epoll_ctl', ...fixed(EPOLL_EVENT_BYTES), run: (at) => syscalls.epollAdd(FD, FD, at) },
  { name: 'epoll_wait', ...each(EPOLL_EVENT_BYTES), run: (at, count) => syscalls.epollWait(FD, at, count, 0) },
  { name: 'bpf', ...each(8), run: (at, count) => syscalls.loadProgram(at, count) },
  { name: 'a message: data', bytes: whole, run: (at, length) => headers.setData(0, at, length) },
  { name: 'a message: name', bytes: whole, run: (at, length) => headers.setName(0, at, length) },
  ...aeadCases('sealing', sealer, 'opening', opener),
  ...aeadCases('sealing by a list', listedSealer, 'opening by a list', listedOpener),
  { name: 'CBC: from', bytes: whole, run: (at, length) => cbc.run(OK, at, OK, length) },
  { name: 'CBC: to', bytes: whole, run: (at, length) => cbc.run(OK, OK, at, length) },
  { name: 'CBC: IV', ...fixed(16), run: (at) => cbc.run(at, OK, OK, 16) },
  { name: 'HMAC', bytes: whole, run: (at, length) => hmac.compute(at, length, 0, 0) },
  {
    name: 'HMAC: tail',
    bytes: (length) => Math.max(length, 1),
    run: (at, length) => hmac.compute(OK, 16, at, length === 0 ? 1 : length),
  },
]

function aeadCases(sealing: string, seals: AeadContext, opening: string, opens: AeadContext): readonly Case[] {
  return [
    { name: `${sealing}: text`, bytes: whole, run: (at, length) => seals.seal(OK, OK, 12, at, OK, length) },
    {
      name: `${sealing}: result and ICV`,
      bytes: (length) => length + 16,
      run: (at, length) => seals.seal(OK, OK, 12, OK, at, length),
    },
    { name: `${sealing}: AAD`, bytes: whole, run: (at, length) => seals.seal(OK, at, length, OK, OK, 16) },
    { name: `${sealing}: IV`, ...fixed(8), run: (at) => seals.seal(at, OK, 12, OK, OK, 16) },
    {
      name: `${opening}: text and ICV`,
      bytes: (length) => length + 16,
      run: (at, length) => opens.open(OK, OK, 12, at, OK, length),
    },
    { name: `${opening}: result`, bytes: whole, run: (at, length) => opens.open(OK, OK, 12, OK, at, length) },
    { name: `${opening}: AAD`, bytes: whole, run: (at, length) => opens.open(OK, at, length, OK, OK, 16) },
    { name: `${opening}: IV`, ...fixed(8), run: (at) => opens.open(at, OK, 12, OK, OK, 16) },
  ]
}

const isMessage = ({ name }: Case): boolean => name.startsWith('a message')
const NO_OFFSET = [
  0,
  -1,
  -65_536,
  0.5,
  4096.5,
  Number.NaN,
  Infinity,
  -Infinity,
  2 ** 32,
  2 ** 32 + 4096,
  2 ** 53,
  null,
  undefined,
  '4096',
]
const NO_LENGTH = [
  -1,
  0.5,
  8.5,
  Number.NaN,
  Infinity,
  -Infinity,
  65_536,
  2 ** 32,
  2 ** 32 + 8,
  2 ** 53,
  null,
  undefined,
  '8',
]

beforeEach(() => {
  koffi.calls.length = 0
})

describe.each(CASES)('$name', (tested) => {
  const { bytes, run, isFixed } = tested

  it('takes every block inside, up to the last octet, and tells C the address of no other', () => {
    fc.assert(
      fc.property(fc.nat({ max: 600 }), fc.nat({ max: 40 }), (length, short) => {
        koffi.calls.length = 0
        const offset = memory.size - bytes(length) - short
        run(offset, length)
        if (isMessage(tested)) return
        expect(koffi.calls.length).toBeGreaterThan(0)
        for (const { values } of koffi.calls) expectInside(values)
      }),
    )
  })

  it('refuses a block that ends one past the bound or further, before the call', () => {
    fc.assert(
      fc.property(fc.nat({ max: 600 }), fc.nat({ max: 2000 }), (length, beyond) => {
        const offset = memory.size - bytes(length) + 1 + beyond
        expect(() => run(offset, length)).toThrow(OutsideMemoryError)
        expect(koffi.calls).toEqual([])
      }),
    )
  })

  it.each(NO_OFFSET)('refuses %s as an offset, before the call', (offset) => {
    expect(() => run(offset as number, 8)).toThrow(OutsideMemoryError)
    expect(koffi.calls).toEqual([])
  })

  it.each(isFixed === undefined ? NO_LENGTH : [])('refuses %s as a length, before the call', (length) => {
    expect(() => run(OK, length as number)).toThrow(OutsideMemoryError)
    expect(koffi.calls).toEqual([])
  })
})

/** Whatever could be an address is one inside a buffer whose address was asked for. */
function expectInside(values: readonly unknown[]): void {
  for (const value of values) {
    expect(typeof value === 'number' || typeof value === 'string').toBe(true)
    if (typeof value !== 'number' || value < 0x1_0000_0000) continue
    const isInside = koffi.buffers.some(({ address, length }) => value >= address && value <= address + length)
    expect(isInside).toBe(true)
  }
}

describe('messages', () => {
  it('hold the addresses of their blocks, where nobody else can change them', () => {
    headers.setData(1, 8192, 100)
    headers.setName(1, 8320, 28)
    headers.setControl(1, 8384, 24)
    expect(headers.read(1)).toEqual({
      data: { offset: 8192, length: 100 },
      name: { offset: 8320, length: 28 },
      control: { offset: 8384, length: 24 },
    })
    headers.setControl(1, 8384, 0)
    expect(headers.read(1).control).toEqual({ offset: 0, length: 0 })
    const address = Buffer.from(new BigUint64Array([BigInt(base + 8192)]).buffer)
    expect(Buffer.from(memory.bytes).includes(address)).toBe(false)
  })

  it.each(NO_OFFSET)('refuse %s as the offset of control messages', (offset) => {
    expect(() => headers.setControl(0, offset as number, 8)).toThrow(OutsideMemoryError)
  })

  it.each(NO_LENGTH)('refuse %s as a length of control messages', (length) => {
    expect(() => headers.setControl(0, OK, length as number)).toThrow(OutsideMemoryError)
  })

  it.each([-1, 4, 5, 0.5, Number.NaN, 2 ** 32, null, undefined])('are no more than there are: not %s', (index) => {
    const at = index as number
    const steps = [
      () => headers.setData(at, OK, 8),
      () => headers.setName(at, OK, 8),
      () => headers.setControl(at, OK, 0),
      () => headers.lengthOf(at),
      () => headers.controlLengthOf(at),
      () => syscalls.sendmsg(FD, headers, at),
      () => syscalls.sendmmsg(FD, headers, at, 1),
      () => syscalls.sendmmsg(FD, headers, 1, at === 4 ? at : Number.NaN),
      () => syscalls.recvmmsg(FD, headers, at === 4 ? 5 : at),
    ]
    for (const step of steps) expect(step).toThrow(OutsideMemoryError)
    expect(koffi.calls).toEqual([])
  })

  it('are given to the kernel from the first to the last', () => {
    syscalls.recvmmsg(FD, headers, 4)
    syscalls.sendmmsg(FD, headers, 3, 1)
    syscalls.sendmsg(FD, headers, 3)
    expect(koffi.calls).toHaveLength(3)
    for (const { values } of koffi.calls) expectInside(values)
  })
})

describe('structures', () => {
  it.each([-1, 33, 1.5, Number.NaN, null])('tell no address of what is not theirs: %s', (at) => {
    const structure = new Structure(memory, 32)
    expect(() => structure.address(at as number, 0)).toThrow(OutsideMemoryError)
    expect(() => structure.address(0, at as number)).toThrow(OutsideMemoryError)
    expect(() => structure.pointIn(0, at as number, 1)).toThrow(OutsideMemoryError)
    expect(() => structure.pointOut(0, OK, at === 33 ? 65_536 : (at as number))).toThrow(OutsideMemoryError)
  })
})

describe.runIf(process.arch === 'x64')('lists of calls', () => {
  it.each([-1, 3, 1.5, Number.NaN, null])('have no step %s', (step) => {
    const list = new CallList(memory, 3)
    const at = step as number
    expect(() => list.call(at, 'cipherUpdate')).toThrow(OutsideMemoryError)
    expect(() => list.pass(at, 0, 1)).toThrow(OutsideMemoryError)
    expect(() => list.expect(at, 1)).toThrow(OutsideMemoryError)
    expect(() => list.run(at, 1)).toThrow(OutsideMemoryError)
  })

  it.each([-1, 4, 1.5, Number.NaN, null])('are not run for %s steps of three', (count) => {
    expect(() => new CallList(memory, 3).run(0, count as number)).toThrow(OutsideMemoryError)
    expect(koffi.calls.filter(({ symbol }) => symbol === 'list')).toEqual([])
  })

  it.each([-1, 5, 0.5, Number.NaN, null])('pass no argument %s', (argument) => {
    expect(() => new CallList(memory, 3).pass(0, argument as number, 1)).toThrow(OutsideMemoryError)
  })

  it('call nothing with more arguments than a step has', () => {
    expect(() => new CallList(memory, 3).call(0, 'digest')).toThrow(OutsideMemoryError)
  })
})

describe('options and programs', () => {
  it('that hold addresses are built here: no block of packet memory is taken for one', () => {
    expect(() => syscalls.setOption(FD, 1, SO_ATTACH_FILTER, OK, 16)).toThrow(RangeError)
    expect(() => syscalls.setOption(FD, 1, 51, OK, 16)).toThrow(RangeError)
    expect(() => syscalls.attachFilter(FD, 7, OK, 1)).toThrow(RangeError)
    expect(koffi.calls).toEqual([])
  })
})

describe('keys and contexts', () => {
  it.each([129, 1000])('refuses a key of %d octets for packets', (length) => {
    const key = new Uint8Array(length)
    expect(() => new AeadContext(openssl, 'seal', { ...aead, key })).toThrow(OutsideMemoryError)
    expect(() => new CbcContext(openssl, 'open', 'AES-128-CBC', key)).toThrow(OutsideMemoryError)
    expect(() => new HmacContext(openssl, 'SHA256', key)).toThrow(OutsideMemoryError)
  })

  it.each([0, -1, 17, 1.5, Number.NaN])('refuses an ICV of %s octets', (icvBytes) => {
    expect(() => new AeadContext(openssl, 'seal', { ...aead, icvBytes })).toThrow(OutsideMemoryError)
  })

  it('refuses the name of a digest that is longer than there is room for', () => {
    expect(() => new HmacContext(openssl, 'S'.repeat(32), new Uint8Array(4))).toThrow(OutsideMemoryError)
  })

  it('makes no call with a context that is gone', () => {
    const gone = [
      new AeadContext(openssl, 'seal', aead),
      new AeadContext(listing, 'seal', aead),
      new CbcContext(openssl, 'seal', 'AES-128-CBC', new Uint8Array(16)),
      new HmacContext(openssl, 'SHA256', new Uint8Array(4)),
    ] as const
    for (const context of gone) context.free()
    koffi.calls.length = 0
    for (const context of gone) context.free()
    expect(() => gone[0].seal(OK, OK, 12, OK, OK, 16)).toThrow('gone')
    expect(() => gone[0].open(OK, OK, 12, OK, OK, 16)).toThrow('gone')
    expect(() => gone[1].seal(OK, OK, 12, OK, OK, 16)).toThrow('gone')
    expect(() => gone[1].open(OK, OK, 12, OK, OK, 16)).toThrow('gone')
    expect(() => gone[2].run(OK, OK, OK, 16)).toThrow('gone')
    expect(() => gone[3].compute(OK, 16, 0, 0)).toThrow('gone')
    expect(koffi.calls).toEqual([])
  })
})

describe('primitives of IKE', () => {
  const first = koffi.buffers.length
  const primitives = createEvpPrimitives(new PacketMemory(PRIMITIVES_BYTES), opensslPrimitives)
  const any = fc
    .nat({ max: 140_000 })
    .chain((max) => fc.constantFrom(0, 1, 1024, 1025, 65_520, 65_521, 65_535, 65_536, 65_537, max))

  it('see scratch memory alone, whatever the lengths are', () => {
    expect(koffi.buffers.length).toBeGreaterThan(first)
    fc.assert(
      fc.property(any, any, any, fc.constantFrom(-1, 0, 8, 16, 17, Number.NaN), (a, b, c, icvBytes) => {
        koffi.calls.length = 0
        const [key, text, aad] = [a, b, c].map((length) => new Uint8Array(length)) as [
          Uint8Array,
          Uint8Array,
          Uint8Array,
        ]
        const call = { name: 'chacha20-poly1305', icvBytes, key, nonce: new Uint8Array(12), aad } as const
        const steps = [
          () => primitives.hash('sha256', [text, aad]),
          () => primitives.hmac('sha256', key, [text, aad]),
          () => primitives.hmacPlus?.('sha256', key, [text, aad], 3),
          () => primitives.seal(call, text),
          () => primitives.open(call, text),
          () => primitives.x25519(key),
          () => primitives.respondX25519?.(key, text),
        ]
        for (const step of steps) {
          try {
            step()
          } catch (error) {
            expect(error).toBeInstanceOf(Error)
          }
        }
        for (const { values } of koffi.calls) expectInside(values)
      }),
      { numRuns: 40 },
    )
  })
})

describe('the calls for a TUN', () => {
  const calls = tunSyscalls()

  it.each([0, 1, IFREQ_BYTES - 1])('do not let the kernel read an interface request of %d octets', (length) => {
    expect(() => calls.attachInterface(FD, new Uint8Array(length))).toThrow(OutsideMemoryError)
    expect(koffi.calls).toEqual([])
  })

  it.each([-1, 3, 1.5, Number.NaN, 2 ** 32, null])('do not let it fill %s entries where there are two', (count) => {
    expect(() => calls.poll(new Uint8Array(16), count as number, 0)).toThrow(OutsideMemoryError)
    expect(koffi.calls).toEqual([])
  })

  it.each([null, undefined, 4096, 'text', [1, 2], new DataView(new ArrayBuffer(64)), new Float64Array(8)])(
    'take octets and nothing else: not %s',
    (buffer) => {
      const bytes = buffer as unknown as Uint8Array
      for (const step of [
        () => calls.read(FD, bytes),
        () => calls.write(FD, bytes),
        () => calls.attachInterface(FD, bytes),
        () => calls.poll(bytes, 1, 0),
      ]) {
        expect(step).toThrow(OutsideMemoryError)
      }
      expect(koffi.calls).toEqual([])
    },
  )

  it('say the length of the array itself', () => {
    const part = new Uint8Array(100).subarray(10, 30)
    calls.read(FD, part)
    calls.write(FD, part)
    expect(koffi.calls.map(({ values }) => [values[1] === part, values[2]])).toEqual([
      [true, 20],
      [true, 20],
    ])
    expect(calls.attachInterface(FD, new Uint8Array(IFREQ_BYTES))).toBe(1)
    expect(calls.poll(new Uint8Array(16), 2, 0)).toBe(1)
    expect(() => calls.bindAbstract('n'.repeat(108))).toThrow(OutsideMemoryError)
  })
})
