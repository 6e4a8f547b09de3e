/**
 * A TCP program for tests, started inside a namespace. Prints one line per thing that happened.
 *
 *   serve <address> <port> <bytes>            accepts one connection
 *   connect <address> <port> <bytes>          opens one, with a time limit
 *   serve-slow / connect-slow                 send nothing at once: a line on stdin sends one, received lines are printed
 *
 * Without "slow" both sides send `bytes` octets and print "sent <sha256>" and "received <sha256>".
 */
import { createCipheriv, createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

const [mode = '', address = '', port = '', bytes = '0'] = process.argv.slice(2)
const CHUNK_BYTES = 1 << 18
const ZEROS = Buffer.alloc(CHUNK_BYTES)
const say = (line: string): boolean => process.stdout.write(`${line}\n`)

async function transfer(socket: Socket): Promise<void> {
  const sent = createHash('sha256')
  const received = createHash('sha256')
  socket.on('data', (chunk) => received.update(chunk))
  socket.on('end', () => say(`received ${received.digest('hex')}`))
  const keystream = createCipheriv('aes-128-ctr', randomBytes(16), randomBytes(16))
  for (let left = Number(bytes); left > 0; left -= CHUNK_BYTES) {
    const chunk = keystream.update(ZEROS.subarray(0, left))
    sent.update(chunk)
    if (!socket.write(chunk)) await once(socket, 'drain')
  }
  socket.end()
  say(`sent ${sent.digest('hex')}`)
}

function chat(socket: Socket): void {
  say('open')
  createInterface({ input: socket }).on('line', (line) => say(`heard ${line}`))
  createInterface({ input: process.stdin }).on('line', (line) => socket.write(`${line}\n`))
}

function use(socket: Socket): void {
  socket.on('error', (error: NodeJS.ErrnoException) => {
    say(`failed ${error.code}`)
    process.exit(1)
  })
  if (mode.endsWith('slow')) chat(socket)
  else void transfer(socket)
}

if (mode.startsWith('serve')) {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    server.close()
    use(socket)
  })
  server.listen(Number(port), address, () => say('listening'))
} else {
  const socket = connect({ host: address, port: Number(port), allowHalfOpen: true })
  socket.once('connect', () => use(socket))
  socket.once('error', (error: NodeJS.ErrnoException) => say(`failed ${error.code}`))
}
