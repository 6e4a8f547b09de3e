/**
 * Programs for the two sockets of an IKE port: while very many datagrams come, first requests without a cookie go to a socket of their
 * own, so that a flood of them is in nobody's way who has shown that it is where it says (RFC 7296 2.6).
 *
 * What is read starts behind the UDP header, at that of IKE; what is shorter than what is looked at comes to socket 0.
 */
import type { Instruction } from '../lanes/spi-steering.ts'

const LOAD_BYTE = 0x30
const LOAD_HALF = 0x28
const LOAD_WORD = 0x20
const JUMP_IF_EQUAL = 0x15
const RETURN = 0x06

/** Offsets in the IKE header (RFC 7296 3.1). */
const SPI_R = 8
const NEXT_PAYLOAD = 16
const EXCHANGE_TYPE = 18
/** Of a notify that comes first: behind the header and what every payload begins with, then protocol and SPI size. */
const FIRST_NOTIFY_TYPE = 28 + 4 + 2

const IKE_SA_INIT = 34
const PAYLOAD_NOTIFY = 41
const NOTIFY_COOKIE = 16_390

export const FRONT = 0
export const BACK = 1

export const ALL_TO_FRONT: readonly Instruction[] = [[RETURN, 0, 0, FRONT]]

export const NEWCOMERS_TO_BACK: readonly Instruction[] = [
  [LOAD_BYTE, 0, 0, EXCHANGE_TYPE],
  [JUMP_IF_EQUAL, 0, 9, IKE_SA_INIT],
  [LOAD_WORD, 0, 0, SPI_R],
  [JUMP_IF_EQUAL, 0, 7, 0],
  [LOAD_WORD, 0, 0, SPI_R + 4],
  [JUMP_IF_EQUAL, 0, 5, 0],
  [LOAD_BYTE, 0, 0, NEXT_PAYLOAD],
  [JUMP_IF_EQUAL, 0, 2, PAYLOAD_NOTIFY],
  [LOAD_HALF, 0, 0, FIRST_NOTIFY_TYPE],
  [JUMP_IF_EQUAL, 1, 0, NOTIFY_COOKIE],
  [RETURN, 0, 0, BACK],
  [RETURN, 0, 0, FRONT],
]
