/** Ports that must be free before the programs start, so that a taken one is told in one sentence. */
import dgram from 'node:dgram'
import { once } from 'node:events'
import net from 'node:net'
import { Problem } from './problem.ts'

/** @param variable the environment variable that chooses the port */
export async function requireTcpPort(host: string, port: number, variable: string): Promise<void> {
  const server = net.createServer()
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch (error) {
    throw taken('TCP', host, port, variable, error)
  }
  await new Promise((done) => server.close(done))
}

/** @param variable the environment variable that chooses the port */
export async function requireUdpPort(host: string, port: number, variable: string): Promise<void> {
  const socket = dgram.createSocket('udp4')
  try {
    socket.bind(port, host)
    await once(socket, 'listening')
  } catch (error) {
    throw taken('UDP', host, port, variable, error)
  } finally {
    socket.close()
  }
}

function taken(protocol: string, host: string, port: number, variable: string, error: unknown): Problem {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') {
    return new Problem(
      `${protocol} port ${port} of ${host} is taken: end what uses it (\`ss -lntup\` shows it), or set ${variable}.`,
      error,
    )
  }
  if (code === 'EADDRNOTAVAIL') return new Problem(`${host} is not an address of this machine.`, error)
  return new Problem(`${protocol} port ${port} of ${host} cannot be used: ${message}.`, error)
}
