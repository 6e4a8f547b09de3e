/**
 * Teaches the kernel which worker's socket a datagram belongs to: a classic BPF program on a group of sockets that share an address
 * (SO_REUSEPORT). What it reads starts behind the UDP header.
 *
 *   first word 0 (IKE, and what is shorter than a word)  ->  worker 0
 *   SPI                                                  ->  worker (index of the SPI) modulo workers, as `workerOf` says
 *
 *   struct sock_filter (8): code:2 jt:1 jf:1 k:4          struct sock_fprog (16): len:2 pad:6 filter:8
 */
import { spiIndex } from '@culvert/esp'
import type { PacketMemory } from './packet-memory.ts'
import type { Syscalls } from './syscalls.ts'

const SOL_SOCKET = 1
const SO_ATTACH_REUSEPORT_CBPF = 51

const LOAD_WORD = 0x20
const JUMP_IF_EQUAL = 0x15
const SHIFT_RIGHT = 0x74
const AND = 0x54
const MODULO = 0x94
const RETURN_VALUE = 0x16

/** Which worker keeps the replay window of the SA with this SPI. */
export function workerOf(spi: number, workers: number): number {
  return spiIndex(spi) % workers
}

/** The program as (code, jump if true, jump if false, operand). */
export function steeringProgram(workers: number): readonly (readonly [number, number, number, number])[] {
  return [
    [LOAD_WORD, 0, 0, 0],
    [JUMP_IF_EQUAL, 3, 0, 0],
    [SHIFT_RIGHT, 0, 0, 7],
    [AND, 0, 0, 0x1ffff],
    [MODULO, 0, 0, workers],
    [RETURN_VALUE, 0, 0, 0],
  ]
}

/** @param fd any socket of the group, whose members are in the order of their workers @returns whether the kernel took it */
export function steerBySpi(memory: PacketMemory, syscalls: Syscalls, fd: number, workers: number): boolean {
  const program = steeringProgram(workers)
  const filters = memory.allocate(8 * program.length)
  for (const [index, [code, jumpTrue, jumpFalse, operand]] of program.entries()) {
    const at = filters + 8 * index
    memory.view.setUint16(at, code, true)
    memory.bytes[at + 2] = jumpTrue
    memory.bytes[at + 3] = jumpFalse
    memory.view.setUint32(at + 4, operand, true)
  }
  const head = memory.allocate(16)
  memory.view.setUint16(head, program.length, true)
  memory.writePointer(head + 8, filters, 8 * program.length)
  return syscalls.setOption(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, head, 16) === 0
}
