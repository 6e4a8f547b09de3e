/**
 * A device for tests, run inside a network namespace: it speaks first on every connection (banner and the caller's address), then
 * echoes; a caller that says `bye` is reset. Prints its port once it listens.
 *
 * Usage: node device-process.ts <address>
 */
import { createServer } from 'node:net'

const server = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => undefined)
  socket.write(`220 ready for ${socket.remoteAddress}\n`)
  socket.on('data', (data) => {
    if (data.toString() === 'bye') socket.resetAndDestroy()
    else if (!socket.write(data)) {
      socket.pause()
      socket.once('drain', () => socket.resume())
    }
  })
  socket.on('end', () => socket.end())
})
server.listen(0, process.argv[2], () => {
  const address = server.address()
  process.stdout.write(`${address !== null && typeof address === 'object' ? address.port : 0}\n`)
})
