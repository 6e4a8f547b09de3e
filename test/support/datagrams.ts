/**
 * Sends UDP datagrams of random octets as fast as the socket takes them: `node datagrams.ts <from> <address> <port> <bytes> <ms>`.
 * Prints "<count> sent".
 */
import { randomBytes } from 'node:crypto'
import dgram from 'node:dgram'
import { once } from 'node:events'

const [from = '', address = '', port = '', bytes = '', ms = ''] = process.argv.slice(2)
const AT_ONCE = 32
const payload = randomBytes(Number(bytes))
const socket = dgram.createSocket('udp4').bind(0, from)
await once(socket, 'listening')
const end = performance.now() + Number(ms)
let sent = 0
while (performance.now() < end) {
  const batch = Array.from({ length: AT_ONCE }, () => {
    return new Promise<void>((done) => socket.send(payload, Number(port), address, () => done()))
  })
  await Promise.all(batch)
  sent += AT_ONCE
}
socket.close()
process.stdout.write(`${sent} sent\n`)
