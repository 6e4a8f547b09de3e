/** A TCP relay in front of a server, so that the server can be away for one client alone. */
import net from 'node:net'

export interface Door {
  /** That of the server, through the door. */
  readonly url: string
  /** Connections end, those who come meet nobody. */
  shut(): Promise<void>
  open(): Promise<void>
  /** Connections end, others may come at once. */
  breakOff(): void
}

/** @param target URL with a port */
export async function openDoor(target: string): Promise<Door> {
  const { hostname, port: targetPort } = new URL(target)
  const sockets = new Set<net.Socket>()
  const server = net.createServer((client) => {
    const upstream = net.connect(Number(targetPort), hostname)
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy()).on('close', () => to.destroy())
      from.pipe(to)
    }
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as net.AddressInfo
  const breakOff = (): void => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  }
  return {
    url: Object.assign(new URL(target), { host: `127.0.0.1:${port}` }).href,
    shut: async () => {
      const closed = new Promise((done) => server.close(done))
      breakOff()
      await closed
    },
    open: () => new Promise((done) => server.listen(port, '127.0.0.1', done)),
    breakOff,
  }
}
