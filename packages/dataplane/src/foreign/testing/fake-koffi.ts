/**
 * Stands in for koffi in tests: notes every foreign call instead of making it, and can make faults.
 */
import { createRequire } from 'node:module'
import type { RunList } from '../library.ts'
import type { Koffi, Surroundings } from '../surroundings.ts'

export interface ForeignCall {
  readonly symbol: string
  readonly values: readonly unknown[]
}

/** Where the fake puts the first buffer; the next ones far behind each other. */
export const FIRST_ADDRESS = 0x10_0000_0000
const STEP = 0x1000_0000

/** Calls succeed as OpenSSL's do (1), handles are one number, nothing is touched. */
export class NotingKoffi implements Koffi {
  readonly calls: ForeignCall[] = []
  /** Address and length of every buffer whose address was asked for. */
  readonly buffers: { readonly address: number; readonly length: number }[] = []

  load(): ReturnType<Koffi['load']> {
    return {
      func:
        (symbol) =>
        (...values: unknown[]) => {
          if (symbol === 'OpenSSL_version_num') return 0x3000_0000
          this.calls.push({ symbol, values })
          if (symbol === 'mprotect') return 0
          return symbol === 'EVP_Cipher' ? values[3] : 1
        },
    }
  }

  address(buffer: ArrayBufferLike): bigint {
    const address = FIRST_ADDRESS + STEP * this.buffers.length
    this.buffers.push({ address, length: buffer.byteLength })
    return BigInt(address)
  }

  proto(): unknown {
    return null
  }

  /** A list is done to its end. */
  decode(): unknown {
    return (steps: number, count: number) => {
      this.calls.push({ symbol: 'list', values: [steps, count] })
      return count
    }
  }

  errno(): number {
    return 0
  }
}

export const HERE: Pick<Surroundings, 'platform' | 'arch' | 'endianness'> = {
  platform: 'linux',
  arch: process.arch,
  endianness: 'LE',
}

const real = (): Koffi => createRequire(import.meta.url)('koffi') as Koffi

/** The real one, without one function. */
export function koffiWithout(missing: string): Koffi {
  return changed((symbol, func) => {
    if (symbol === missing) throw new Error(`Cannot find function '${symbol}' in shared library`)
    return func
  })
}

/** The real one with another answer of one function: what it gave is made into something else after the call. */
export function koffiLying(liar: string, lie: (answer: number) => number): Koffi {
  return changed((symbol, func) => (symbol === liar ? (...values: never[]) => lie(Number(func(...values))) : func))
}

/** The real one with other functions behind addresses, which may call the real ones. */
export function koffiRunning(instead: (run: RunList) => RunList): Koffi {
  const koffi = changed((_symbol, func) => func)
  return { ...koffi, decode: (address, type) => instead(koffi.decode(address, type) as RunList) }
}

/** The real one, where one function does nothing on some values and says that all is well. */
export function koffiIdle(idler: string, isIdle: (values: readonly unknown[]) => boolean): Koffi {
  return changed((symbol, func) =>
    symbol === idler ? (...values: never[]) => (isIdle(values) ? 1 : func(...values)) : func,
  )
}

function changed(
  change: (symbol: string, func: (...values: never[]) => unknown) => (...values: never[]) => unknown,
): Koffi {
  const koffi = real()
  return {
    load: () => {
      const own = koffi.load(null)
      return { func: (symbol, result, parameters) => change(symbol, own.func(symbol, result, parameters)) }
    },
    address: (buffer) => koffi.address(buffer),
    proto: (result, parameters) => koffi.proto(result, parameters),
    decode: (address, type) => koffi.decode(address, type),
    errno: () => koffi.errno(),
  }
}
