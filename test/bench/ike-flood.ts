/**
 * Spoofed IKE_SA_INIT requests: `node ike-flood.ts <address> <perSecond> <seconds>`, from addresses all over 198.18.0.0/15.
 *
 * Every one is what an honest device would send, with an SPI of its own; nobody ever answers the response. The namespace needs
 * `ip route add local 198.18.0.0/15 dev lo`, so that any of these addresses can be bound.
 */
import { randomBytes } from 'node:crypto'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { opensslProvider } from '@culvert/crypto'
import { createSystemRng } from '@culvert/ike-driver'
import { firstMessage } from './ike-core.ts'

const [address = '', perSecond = '', seconds = ''] = process.argv.slice(2)
const SOURCES = 512
const TURN_MS = 10
const SPI_BYTES = 8

const template = firstMessage(opensslProvider, createSystemRng())
const sockets = await Promise.all(
  Array.from({ length: SOURCES }, async (_, index) => {
    const socket = dgram.createSocket('udp4').bind(0, `198.18.${index & 255}.${1 + (index >>> 8)}`)
    socket.on('error', () => {})
    await once(socket, 'listening')
    return socket
  }),
)

const endMs = performance.now() + Number(seconds) * 1000
const startMs = performance.now()
let sent = 0
let errors = 0
while (performance.now() < endMs) {
  const due = Math.floor(((performance.now() - startMs) * Number(perSecond)) / 1000)
  const turn = sent
  for (; sent < due && sent < turn + 2000; sent++) {
    const bytes = Uint8Array.from(template)
    bytes.set(randomBytes(SPI_BYTES), 0)
    sockets[sent % SOURCES]?.send(bytes, 500, address, (error) => (errors += error ? 1 : 0))
  }
  await sleep(TURN_MS)
}
process.stdout.write(`${JSON.stringify({ sent: sent - errors, ms: performance.now() - startMs })}\n`)
process.exit(0)
