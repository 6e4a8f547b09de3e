/**
 * Teaches the kernel which worker's socket a datagram belongs to: a classic BPF program on a group of sockets that share an address
 * (SO_REUSEPORT). What it reads starts behind the UDP header.
 *
 *   SPI           ->  socket (index of the SPI) modulo sockets; socket modulo workers is its worker, as `workerOf` says
 *   first word 0  ->  the socket for IKE: with lanes, one of its own behind all others, so that no flood of ESP is in its way
 *
 * What is shorter than a word comes to socket 0. On a raw socket a filter does the same: each worker hears its own SPIs only.
 *
 *   struct sock_filter (8): code:2 jt:1 jf:1 k:4
 */
import { spiIndex } from '@culvert/esp'
import { type PacketMemory, SO_ATTACH_FILTER, SO_ATTACH_REUSEPORT_CBPF, type Syscalls } from '../../foreign/index.ts'

const LOAD_WORD = 0x20
const JUMP_IF_EQUAL = 0x15
const SHIFT_RIGHT = 0x74
const AND = 0x54
const MODULO = 0x94
const RETURN_VALUE = 0x16
const RETURN = 0x06
/** Into the index register: four times the low half of an octet; a number. */
const LOAD_HEADER_LENGTH = 0xb1
const LOAD_INDEX = 0x01
const LOAD_WORD_AT_INDEX = 0x40
const WHOLE_PACKET = 0xffff_ffff

/** Which worker keeps the replay window of the SA with this SPI. */
export function workerOf(spi: number, workers: number): number {
  return spiIndex(spi) % workers
}

/** (code, jump if true, jump if false, operand) */
export type Instruction = readonly [number, number, number, number]

/** @param sockets for ESP: a multiple of the workers @param ikeSocket index of the one for IKE */
export function steeringProgram(sockets: number, ikeSocket: number): readonly Instruction[] {
  return [
    [LOAD_WORD, 0, 0, 0],
    [JUMP_IF_EQUAL, 4, 0, 0],
    [SHIFT_RIGHT, 0, 0, 7],
    [AND, 0, 0, 0x1ffff],
    [MODULO, 0, 0, sockets],
    [RETURN_VALUE, 0, 0, 0],
    [RETURN, 0, 0, ikeSocket],
  ]
}

/**
 * Of what goes directly in IP: IPv4 packets are seen with their header, IPv6 ones without.
 * @param spiAt octets from the header of ESP or AH to its SPI
 */
export function ownSpisProgram(
  worker: number,
  workers: number,
  { isIp4, spiAt }: { readonly isIp4: boolean; readonly spiAt: number },
): readonly Instruction[] {
  return [
    isIp4 ? [LOAD_HEADER_LENGTH, 0, 0, 0] : [LOAD_INDEX, 0, 0, 0],
    [LOAD_WORD_AT_INDEX, 0, 0, spiAt],
    [SHIFT_RIGHT, 0, 0, 7],
    [AND, 0, 0, 0x1ffff],
    [MODULO, 0, 0, workers],
    [JUMP_IF_EQUAL, 0, 1, worker],
    [RETURN, 0, 0, WHOLE_PACKET],
    [RETURN, 0, 0, 0],
  ]
}

/** @param fd any socket of the group, whose members are in the order of the program @returns whether the kernel took it */
export function steerBySpi(
  memory: PacketMemory,
  syscalls: Syscalls,
  fd: number,
  program: readonly Instruction[],
): boolean {
  return attach(memory, syscalls, { fd, option: SO_ATTACH_REUSEPORT_CBPF, program })
}

/** @param fd a raw socket for ESP @returns whether the kernel took it */
export function hearOwnSpis(
  memory: PacketMemory,
  syscalls: Syscalls,
  fd: number,
  program: readonly Instruction[],
): boolean {
  return attach(memory, syscalls, { fd, option: SO_ATTACH_FILTER, program })
}

interface Attachment {
  readonly fd: number
  readonly option: number
  readonly program: readonly Instruction[]
}

function attach(memory: PacketMemory, syscalls: Syscalls, { fd, option, program }: Attachment): boolean {
  const { instructions, count } = placeProgram(memory, program)
  return syscalls.attachFilter(fd, option, instructions, count) === 0
}

export interface PlacedProgram {
  /** Offset of the first. */
  readonly instructions: number
  readonly count: number
}

/** Puts a program where it can be given to the kernel as often as wanted. */
export function placeProgram(memory: PacketMemory, program: readonly Instruction[]): PlacedProgram {
  const filters = memory.allocate(8 * program.length)
  for (const [index, [code, jumpTrue, jumpFalse, operand]] of program.entries()) {
    const at = filters + 8 * index
    memory.view.setUint16(at, code, true)
    memory.bytes[at + 2] = jumpTrue
    memory.bytes[at + 3] = jumpFalse
    memory.view.setUint32(at + 4, operand, true)
  }
  return { instructions: filters, count: program.length }
}

/** In place of the program the group of `fd` had. @returns whether the kernel took it */
export function steerBy(syscalls: Syscalls, fd: number, { instructions, count }: PlacedProgram): boolean {
  return syscalls.attachFilter(fd, SO_ATTACH_REUSEPORT_CBPF, instructions, count) === 0
}
