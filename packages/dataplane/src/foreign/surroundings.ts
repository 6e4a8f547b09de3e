/** What the foreign calls find where they run, and where koffi comes from. */
import { createRequire } from 'node:module'
import { endianness } from 'node:os'

/** What of koffi is used. */
export interface Koffi {
  load(path: null): {
    func(name: string, result: string, parameters: string[]): (...values: never[]) => unknown
  }
  address(buffer: ArrayBufferLike): bigint
  /** The type of a function that has no name. */
  proto(result: string, parameters: string[]): unknown
  /** The function of a type at an address. */
  decode(address: bigint, type: unknown): unknown
  errno(): number
}

export interface Surroundings {
  readonly platform: string
  readonly arch: string
  readonly endianness: 'BE' | 'LE'
  /** Throws where koffi is not installed or has nothing for this platform. */
  loadKoffi(): Koffi
}

export const surroundings: Surroundings = {
  platform: process.platform,
  arch: process.arch,
  endianness: endianness(),
  // When it is asked for, not with the module: who never makes a foreign call does not need it.
  loadKoffi: () => createRequire(import.meta.url)('koffi') as Koffi,
}
