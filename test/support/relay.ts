/**
 * Joins two stream endpoints, so that a process in one network namespace reaches a server in another: paths of Unix sockets are
 * the same everywhere, TCP is not.
 *
 * `node relay.ts <from>=<to> ...` with endpoints `tcp:<host>:<port>` or `unix:<path>`.
 */
import fs from 'node:fs'
import net from 'node:net'

export interface Relay {
  close(): void
}

/** Listens on `from` and joins each connection with a new one to `to`. */
export function openRelay(from: string, to: string): Promise<Relay> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer({ allowHalfOpen: true }, (near) => {
    const far = net.connect({ ...targetOf(to), allowHalfOpen: true })
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    near.pipe(far)
    far.pipe(near)
  })
  const place = targetOf(from)
  if (place.path) fs.rmSync(place.path, { force: true })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(place, () => {
      resolve({
        close() {
          server.close()
          for (const socket of sockets) socket.destroy()
        },
      })
    })
  })
}

function targetOf(
  endpoint: string,
): { path: string; host?: never; port?: never } | { host: string; port: number; path?: never } {
  const [kind, first = '', second] = endpoint.split(':')
  if (kind === 'unix') return { path: first }
  if (kind === 'tcp' && second) return { host: first, port: Number(second) }
  throw new Error(`${endpoint} is no endpoint`)
}

if (process.argv[1] === import.meta.filename) {
  for (const pair of process.argv.slice(2)) {
    const [from = '', to = ''] = pair.split('=')
    await openRelay(from, to)
  }
  process.stdout.write('relay ready\n')
}
