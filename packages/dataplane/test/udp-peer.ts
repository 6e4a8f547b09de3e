/**
 * A UDP program for tests, started inside a namespace.
 *
 *   serve <address> <port>            echoes
 *   probe <address> <port>            sends until the kernel hears that nobody listens, prints "refused"
 *   send <address> <port> <sizes>     sends datagrams of these comma-separated sizes in bursts, repeats what did not come back,
 *                                     prints "intact <count>" when every one came back as it was sent
 */
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'

const [mode = '', address = '', port = '', sizes = ''] = process.argv.slice(2)
const say = (line: string): boolean => process.stdout.write(`${line}\n`)
const socket = createSocket({
  type: isIPv6(address) ? 'udp6' : 'udp4',
  recvBufferSize: 4 << 20,
  sendBufferSize: 4 << 20,
})

/** Number, then a pattern that depends on it. */
function datagram(index: number, size: number): Buffer {
  const bytes = Buffer.from(Array.from({ length: size }, (_, i) => (i * 7 + index * 13) & 0xff))
  bytes.writeUInt16BE(index, 0)
  return bytes
}

if (mode === 'serve') {
  socket.on('message', (bytes, { address: from, port: fromPort }) => socket.send(bytes, fromPort, from))
  socket.bind(Number(port), address, () => say('listening'))
} else if (mode === 'probe') {
  socket.on('error', (error: NodeJS.ErrnoException) => {
    say(error.code === 'ECONNREFUSED' ? 'refused' : `failed ${error.code}`)
    process.exit(0)
  })
  socket.connect(Number(port), address, () => setInterval(() => socket.send('anybody there'), 200))
} else {
  const waiting = new Map(sizes.split(',').map((size, index) => [index, datagram(index, Number(size))]))
  const count = waiting.size
  socket.on('message', (bytes) => {
    const index = bytes.readUInt16BE(0)
    const sent = waiting.get(index)
    if (sent === undefined) return
    if (!sent.equals(bytes)) say(`damaged ${index}`)
    waiting.delete(index)
    if (waiting.size > 0) return
    say(`intact ${count}`)
    process.exit(0)
  })
  const sendAll = (): void => waiting.forEach((bytes) => socket.send(bytes, Number(port), address))
  setInterval(sendAll, 500)
  sendAll()
}
