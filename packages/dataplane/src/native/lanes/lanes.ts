/**
 * Lanes: into how many queues each worker's packets are parted, and how the kernel parts those of the TUN.
 *
 * A tunnel keeps to one lane each way, so a flood into one fills the queue of that lane and no other: those of the other lanes
 * are read in turn, so much of each at a time. Inbound a lane is chosen by SPI (`spi-steering.ts`); towards devices by the end of
 * the inner destination: leased and synthetic addresses count up, so neighbours are in different lanes.
 *
 * An eBPF program on the TUN says so to the kernel. Where it may not be loaded, the kernel follows what was written: a flow comes
 * back by the queue that wrote its last packet, and what it never heard of is spread by a hash of the flow.
 *
 *   struct bpf_insn (8): code:1 registers:1 (destination, source << 4) offset:2 immediate:4
 */
import { closeFile, type PacketMemory, type Syscalls } from '../../foreign/index.ts'

/** Of one worker, for each outer address, and of its share of the TUN. A device has one peer, and one of each. */
export const CONCENTRATOR_LANES = 8

const COPY = 0xbf
const LOAD_BYTE = 0x30
const LOAD_WORD = 0x20
const SHIFT_RIGHT = 0x77
const JUMP_IF_EQUAL = 0x15
const EXIT = 0x95
const DESTINATION4 = 16
const DESTINATION6_END = 36

/** The program as (code, registers, offset, immediate): the last four octets of the destination, which the kernel takes modulo queues. */
export const STEERING: readonly (readonly [number, number, number, number])[] = [
  [COPY, 0x16, 0, 0],
  [LOAD_BYTE, 0, 0, 0],
  [SHIFT_RIGHT, 0, 0, 4],
  [JUMP_IF_EQUAL, 0, 2, 6],
  [LOAD_WORD, 0, 0, DESTINATION4],
  [EXIT, 0, 0, 0],
  [LOAD_WORD, 0, 0, DESTINATION6_END],
  [EXIT, 0, 0, 0],
]

/** @param fd any queue of the interface @returns whether the kernel took the program */
export function steerByDestination(memory: PacketMemory, syscalls: Syscalls, fd: number): boolean {
  const { view } = memory
  const instructions = memory.allocate(8 * STEERING.length)
  for (const [index, [code, registers, offset, immediate]] of STEERING.entries()) {
    const at = instructions + 8 * index
    memory.bytes[at] = code
    memory.bytes[at + 1] = registers
    view.setInt16(at + 2, offset, true)
    view.setInt32(at + 4, immediate, true)
  }
  const program = syscalls.loadProgram(instructions, STEERING.length)
  if (program < 0) return false
  const result = syscalls.steerTun(fd, program)
  closeFile(program) // the interface keeps it
  return result === 0
}

/** @param packet inner IP packet from a device @returns the word by whose remainder its lane is chosen: the end of its source */
export function laneWordOf({ bytes, view }: PacketMemory, packet: number): number {
  return view.getUint32(packet + (bytes[packet]! >>> 4 === 6 ? 20 : 12))
}
