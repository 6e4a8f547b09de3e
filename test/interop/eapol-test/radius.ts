/**
 * As much RADIUS (RFC 2865, RFC 3579, RFC 2548) as carries one EAP conversation between `eapol_test` and our authenticator: a server
 * on the loopback. The MSK goes out as MS-MPPE keys, so that the peer can compare it with its own. Test data only: what comes in
 * is trusted.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { concatBytes } from '@culvert/bytes'
import type { EapAuthenticator, EapStep } from '@culvert/eap'

const CODE = { continue: 11, success: 2, failure: 3 } as const
const ATTRIBUTE = { VENDOR_SPECIFIC: 26, EAP_MESSAGE: 79, MESSAGE_AUTHENTICATOR: 80 } as const
const VENDOR_MICROSOFT = [0, 0, 1, 55]
const MPPE = { SEND: 16, RECV: 17 } as const
const HEADER_BYTES = 20
const MOST_VALUE_BYTES = 253

export interface RadiusServer {
  readonly port: number
  /** What the authenticator said, in order. */
  readonly steps: readonly EapStep[]
  close(): Promise<void>
}

/**
 * Answers one conversation. The client begins with a response to an EAP-Request/Identity that it made up itself.
 * @param start gives an authenticator whose first request asks for the identity and has this identifier
 */
export async function serveRadius(
  secret: string,
  start: (identifier: number) => EapAuthenticator,
): Promise<RadiusServer> {
  const key = new TextEncoder().encode(secret)
  const socket = createSocket('udp4')
  const steps: EapStep[] = []
  let authenticator: EapAuthenticator | null = null
  /** A repeated request gets the response it had. */
  let last: { readonly requestAuthenticator: string; readonly response: Promise<Uint8Array> } | null = null

  async function answer(request: Uint8Array): Promise<Uint8Array> {
    const packet = eapMessage(request)
    if (authenticator === null) {
      authenticator = start(packet[1] ?? 0)
      await authenticator.next(null)
    }
    const step = await authenticator.next(packet)
    steps.push(step)
    return respond(request, step, key)
  }

  function hear(request: Uint8Array, from: RemoteInfo): void {
    const requestAuthenticator = Buffer.from(request.subarray(4, HEADER_BYTES)).toString('hex')
    if (last?.requestAuthenticator !== requestAuthenticator) {
      last = { requestAuthenticator, response: answer(request) }
    }
    last.response.then(
      (response) => socket.send(response, from.port, from.address),
      () => socket.close(),
    )
  }

  socket.on('message', (request, from) => hear(new Uint8Array(request), from))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    port: socket.address().port,
    steps,
    async close() {
      authenticator?.close()
      await new Promise<void>((done) => socket.close(() => done()))
    },
  }
}

function eapMessage(request: Uint8Array): Uint8Array {
  const pieces: Uint8Array[] = []
  for (let at = HEADER_BYTES; at + 1 < request.length; at += Math.max(2, request[at + 1] ?? 0)) {
    if (request[at] === ATTRIBUTE.EAP_MESSAGE) pieces.push(request.subarray(at + 2, at + (request[at + 1] ?? 2)))
  }
  return concatBytes(...pieces)
}

function respond(request: Uint8Array, step: EapStep, key: Uint8Array): Uint8Array {
  const requestAuthenticator = request.subarray(4, HEADER_BYTES)
  const attributes: Uint8Array[] = []
  for (let at = 0; at < step.packet.length; at += MOST_VALUE_BYTES) {
    attributes.push(attribute(ATTRIBUTE.EAP_MESSAGE, step.packet.subarray(at, at + MOST_VALUE_BYTES)))
  }
  if (step.outcome === 'success') {
    attributes.push(mppeKey(MPPE.RECV, step.msk.subarray(0, 32), requestAuthenticator, key))
    attributes.push(mppeKey(MPPE.SEND, step.msk.subarray(32, 64), requestAuthenticator, key))
  }
  const blank = attribute(ATTRIBUTE.MESSAGE_AUTHENTICATOR, new Uint8Array(16))
  const length = HEADER_BYTES + concatBytes(...attributes).length + blank.length
  const start = Uint8Array.of(CODE[step.outcome], request[1] ?? 0, length >>> 8, length & 255)
  // RFC 3579 3.2: over the packet with the request's authenticator and the attribute blank
  const unsigned = concatBytes(start, requestAuthenticator, ...attributes, blank)
  const signature = new Uint8Array(createHmac('md5', key).update(unsigned).digest())
  const signed = concatBytes(...attributes, attribute(ATTRIBUTE.MESSAGE_AUTHENTICATOR, signature))
  const responseAuthenticator = md5(start, requestAuthenticator, signed, key)
  return concatBytes(start, responseAuthenticator, signed)
}

function attribute(type: number, value: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(type, value.length + 2), value)
}

/** RFC 2548 2.4.2, 2.4.3: length and key, padded, each block hidden by an MD5 of what went before. */
function mppeKey(
  vendorType: number,
  material: Uint8Array,
  requestAuthenticator: Uint8Array,
  key: Uint8Array,
): Uint8Array {
  const salt = new Uint8Array(randomBytes(2))
  salt[0] = (salt[0] ?? 0) | 0x80
  const plain = new Uint8Array(Math.ceil((material.length + 1) / 16) * 16)
  plain[0] = material.length
  plain.set(material, 1)
  const hidden = new Uint8Array(plain.length)
  let before = concatBytes(requestAuthenticator, salt)
  for (let at = 0; at < plain.length; at += 16) {
    const mask = md5(key, before)
    for (let index = 0; index < 16; index++) hidden[at + index] = (plain[at + index] ?? 0) ^ (mask[index] ?? 0)
    before = hidden.slice(at, at + 16)
  }
  const value = concatBytes(salt, hidden)
  const vendor = Uint8Array.of(...VENDOR_MICROSOFT, vendorType, value.length + 2)
  return attribute(ATTRIBUTE.VENDOR_SPECIFIC, concatBytes(vendor, value))
}

function md5(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(
    createHash('md5')
      .update(concatBytes(...parts))
      .digest(),
  )
}
