/**
 * Tries ports of an address from a given source address and prints what answered in any way, as JSON.
 *
 * `node scan.ts <source> <address> tcp:1-1024,8080` or `udp:53,123`. A TCP port answers by connecting or by refusing; a UDP port
 * by a datagram or an ICMP error. Silence for 1.5 s is no answer.
 */
import dgram from 'node:dgram'
import net from 'node:net'

const SILENCE_MS = 1500
const AT_ONCE = 256

const [source = '', address = '', spec = ''] = process.argv.slice(2)
const [protocol, list = ''] = spec.split(':')
const ports = list.split(',').flatMap((part) => {
  const [first = 0, last = first] = part.split('-').map(Number)
  return Array.from({ length: last - first + 1 }, (_, offset) => first + offset)
})
const answered: string[] = []
for (let start = 0; start < ports.length; start += AT_ONCE) {
  const batch = ports.slice(start, start + AT_ONCE)
  await Promise.all(batch.map((port) => (protocol === 'tcp' ? tryTcp(port) : tryUdp(port))))
}
process.stdout.write(`${JSON.stringify(answered)}\n`)

function tryTcp(port: number): Promise<void> {
  return new Promise((done) => {
    const socket = net.connect({ host: address, port, localAddress: source })
    const end = (answer: string | null): void => {
      if (answer) answered.push(`tcp ${port} ${answer}`)
      socket.destroy()
      done()
    }
    socket.setTimeout(SILENCE_MS, () => end(null))
    socket.on('connect', () => end('connected'))
    socket.on('error', (error: NodeJS.ErrnoException) =>
      end(error.code === 'ETIMEDOUT' ? null : (error.code ?? 'error')),
    )
  })
}

function tryUdp(port: number): Promise<void> {
  return new Promise((done) => {
    const socket = dgram.createSocket('udp4')
    let ended = false
    const end = (answer: string | null): void => {
      if (ended) return
      ended = true
      if (answer) answered.push(`udp ${port} ${answer}`)
      socket.close()
      done()
    }
    socket.on('message', () => end('datagram'))
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? 'error'))
    socket.bind(0, source, () => {
      socket.connect(port, address, () => {
        socket.send('?')
        setTimeout(() => end(null), SILENCE_MS)
      })
    })
  })
}
