/**
 * Messages with the true keys of a node but with contents of the test's choosing: a peer that is authenticated and hostile.
 */
import { concatBytes } from '@culvert/bytes'
import {
  encodeMessage,
  type IkeHeader,
  type MessageId,
  PAYLOAD,
  type Payload,
  peekHeader,
  sealMessage,
} from '@culvert/ikev2'
import type { Packet } from './network.ts'
import type { Node } from './node.ts'

export interface Forgery {
  readonly exchangeType: number
  readonly messageId: number
  readonly isResponse?: boolean
  readonly payloads: readonly Payload[]
  /** Split into fragments of this size; whole when left out. */
  readonly fragmentBytes?: number
}

let ivCounter = 0

/** Datagrams as `node` would seal them on the IKE SA of its last message. */
export function forge(node: Node, forgery: Forgery): Uint8Array[] {
  const { spiI, spiR, fromOriginalInitiator } = lastHeader(node)
  const forged: IkeHeader = {
    spiI,
    spiR,
    fromOriginalInitiator,
    exchangeType: forgery.exchangeType,
    messageId: forgery.messageId as MessageId,
    isResponse: forgery.isResponse ?? false,
  }
  const limits = { fragmentBytes: forgery.fragmentBytes ?? 0, fragmentation: forgery.fragmentBytes !== undefined }
  return sealMessage(forged, forgery.payloads, node.tap.lastKeys(), nextIv, limits)
}

/** Forges and sends along the path of the node's last message. */
export function sendForged(node: Node, forgery: Forgery): void {
  const last = node.sent.at(-1)
  if (last === undefined) throw new Error(`${node.name} sent nothing yet`)
  for (const bytes of forge(node, forgery)) node.inject(last.from, last.to, bytes)
}

/** Where a message of the test's own making stands. */
export type RawPlace = Pick<Forgery, 'exchangeType' | 'messageId' | 'isResponse'>

/**
 * A message of which the test decides every octet inside SK.
 *
 * @param plaintext without padding; `innerType` is the type of its first payload.
 */
export function forgeRaw(node: Node, place: RawPlace, innerType: number, plaintext: Uint8Array): Uint8Array {
  const { cipher, encrKey } = node.tap.lastKeys()
  if (cipher.kind !== 'aead') throw new Error('the nodes of a simulation use an AEAD')
  const iv = nextIv()
  const body = new Uint8Array(iv.length + plaintext.length + 1 + cipher.icvBytes)
  const sealed: Payload = { kind: 'unknown', type: PAYLOAD.SK, data: body }
  const { spiI, spiR, fromOriginalInitiator } = lastHeader(node)
  const header = { spiI, spiR, fromOriginalInitiator, isResponse: place.isResponse ?? false }
  const bytes = encodeMessage(
    { ...header, exchangeType: place.exchangeType, messageId: place.messageId as MessageId },
    [sealed],
  )
  bytes[28] = innerType
  const nonce = concatBytes(encrKey.subarray(cipher.keyBytes), iv)
  const padded = concatBytes(plaintext, Uint8Array.of(0))
  bytes.set(iv, 32)
  bytes.set(cipher.seal(encrKey.subarray(0, cipher.keyBytes), nonce, bytes.subarray(0, 32), padded), 32 + iv.length)
  return bytes
}

function lastHeader(node: Node): IkeHeader {
  const last = node.sent.at(-1)
  const header = last === undefined ? null : peekHeader(last.bytes)
  if (header === null || !header.ok) throw new Error(`${node.name} sent nothing yet`)
  return header.value
}

/** The same octets from the same place once more. */
export function repeatLast(node: Node): void {
  const last: Packet | undefined = node.sent.at(-1)
  if (last === undefined) throw new Error(`${node.name} sent nothing yet`)
  node.inject(last.from, last.to, last.bytes)
}

/** Unlike any IV an endpoint makes: another incarnation. */
function nextIv(): Uint8Array {
  ivCounter += 1
  return Uint8Array.of(0xff, 0xff, 0xff, 0, ivCounter >>> 24, ivCounter >>> 16, ivCounter >>> 8, ivCounter)
}

/** A notify payload about the IKE SA. */
export function notify(type: number, data: Uint8Array = new Uint8Array(0)): Payload {
  return { kind: 'notify', protocolId: 0, spi: new Uint8Array(0), type, data }
}

/** An SPI as it stands in payloads. */
export function spiBytes(spi: number): Uint8Array {
  return Uint8Array.of(spi >>> 24, spi >>> 16, spi >>> 8, spi)
}
