/**
 * Lists of calls into C that are one call from JavaScript.
 *
 * A call from JavaScript costs more than what most functions do that a packet needs. So a packet's calls are written down as steps,
 * and a few instructions of the processor go through them: each calls a function with up to five numbers and compares the `int` that
 * comes back with the one that is expected. The first that differs ends the list.
 *
 * ```
 *   step, 56 octets:  function 8 | arguments 5 * 8 | expected 4 | unused 4
 * ```
 *
 * Steps hold addresses: they lie in a `Structure`. What is passed was checked by the caller, who makes addresses by `addressIn`; here
 * it is a number. The instructions lie on a page of their own that is filled first and can be run later, never both at once (W^X).
 * Where that is not to be had, the calls are made one by one (`evp.ts`).
 */
import { type CodeFunctions, codeFunctions, OPENSSL_SHAPES, type RunList, runListAt } from './library.ts'
import { OutsideMemoryError } from './outside-memory-error.ts'
import type { PacketMemory } from './packet-memory.ts'
import { Structure } from './structure.ts'
import { surroundings } from './surroundings.ts'
import { NativeUnavailableError } from './unavailable.ts'

const STEP_BYTES = 56
const ARGUMENTS = 5
const EXPECTED_AT = 8 + 8 * ARGUMENTS

/** `int run(const step *steps, uint64_t count)`, System V ABI: how many steps came to what was expected. */
const X64 = [
  'f3 0f 1e fa', //         endbr64
  '53', //                  push rbx
  '41 54', //               push r12
  '41 55', //               push r13            now the stack is aligned for calls
  '48 89 fb', //            mov  rbx, rdi       the step
  '49 89 f4', //            mov  r12, rsi       how many
  '45 31 ed', //            xor  r13d, r13d     how many were done
  '4d 39 e5', //      next: cmp  r13, r12
  '73 24', //               jae  done
  '48 8b 7b 08', //         mov  rdi, [rbx+8]
  '48 8b 73 10', //         mov  rsi, [rbx+16]
  '48 8b 53 18', //         mov  rdx, [rbx+24]
  '48 8b 4b 20', //         mov  rcx, [rbx+32]
  '4c 8b 43 28', //         mov  r8, [rbx+40]
  'ff 13', //               call [rbx]
  '3b 43 30', //            cmp  eax, [rbx+48]
  '75 09', //               jne  done
  '49 ff c5', //            inc  r13
  '48 83 c3 38', //         add  rbx, 56
  'eb d7', //               jmp  next
  '44 89 e8', //      done: mov  eax, r13d
  '41 5d', //               pop  r13
  '41 5c', //               pop  r12
  '5b', //                  pop  rbx
  'c3', //                  ret
]

const PAGE_BYTES = 4096
const PROT_READ_WRITE = 3
const PROT_READ_EXEC = 5
const MAP_PRIVATE_ANONYMOUS = 0x22
/** RTLD_DEFAULT: names are looked for in all of the process, as koffi does it for the calls that are made one by one. */
const WHOLE_PROCESS = 0

/** Names of what a step may call. */
export type Listed = keyof typeof OPENSSL_SHAPES

export class CallList {
  readonly #steps: Structure
  readonly #count: number
  readonly #run: RunList

  /** @param memory what blocks lie in. Throws `NativeUnavailableError`. */
  constructor(memory: PacketMemory, count: number) {
    this.#run = runner()
    this.#steps = new Structure(memory, count * STEP_BYTES)
    this.#count = count
  }

  /** What a step calls; its arguments are 0 then. Throws `NativeUnavailableError` where there is no such function. */
  call(step: number, name: Listed): void {
    const at = this.#at(step)
    const [symbol, , parameters] = OPENSSL_SHAPES[name]
    if (parameters.length > ARGUMENTS) throw new OutsideMemoryError(`${symbol} has ${parameters.length} arguments`)
    this.#steps.bytes.fill(0, at, at + STEP_BYTES)
    this.#steps.writeNumber(at, addressOfSymbol(symbol))
  }

  /** A checked address or a handle, or another whole number from 0 to 2^53. */
  pass(step: number, argument: number, value: number): void {
    if (argument >>> 0 !== argument || argument >= ARGUMENTS) throw new OutsideMemoryError(`argument ${argument}`)
    this.#steps.writeNumber(this.#at(step) + 8 + 8 * argument, value)
  }

  expect(step: number, result: number): void {
    this.#steps.view.setInt32(this.#at(step) + EXPECTED_AT, result, true)
  }

  /** Runs `count` steps from the step `first` on. @returns whether each came to what was expected; none after one that did not */
  run(first: number, count: number): boolean {
    const isWhole = first >>> 0 === first && count >>> 0 === count
    if (!(isWhole && first + count <= this.#count)) {
      throw new OutsideMemoryError(`${count} steps from ${first} of ${this.#count}`)
    }
    return this.#run(this.#steps.address(first * STEP_BYTES, count * STEP_BYTES), count) === count
  }

  #at(step: number): number {
    if (step >>> 0 !== step || step >= this.#count) throw new OutsideMemoryError(`step ${step} of ${this.#count}`)
    return step * STEP_BYTES
  }
}

/** Of this thread: filled once, never unmapped. */
let loaded: RunList | null = null

function runner(): RunList {
  loaded ??= runListAt(executablePage(codeFunctions()))
  return loaded
}

function executablePage({ map, protect, copy, unmap }: CodeFunctions): number {
  if (surroundings.arch !== 'x64') throw new NativeUnavailableError(`no lists of calls on ${surroundings.arch}`)
  const code = Uint8Array.from(X64.join(' ').split(' '), (octet) => Number.parseInt(octet, 16))
  const page = map(0, PAGE_BYTES, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0)
  if (page <= 0) throw new NativeUnavailableError('no memory for lists of calls')
  copy(page, code, code.length)
  if (protect(page, PAGE_BYTES, PROT_READ_EXEC) === 0) return page
  unmap(page, PAGE_BYTES)
  throw new NativeUnavailableError('memory may not be made executable here')
}

function addressOfSymbol(symbol: string): number {
  const address = codeFunctions().symbol(WHOLE_PROCESS, symbol)
  if (!Number.isSafeInteger(address) || address <= 0) {
    throw new NativeUnavailableError(`this Node has no function ${symbol}`)
  }
  return address
}
