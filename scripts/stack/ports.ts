/** Ports that must be free before the programs start, so that a taken one is told in one sentence. */
import dgram from 'node:dgram'
import { once } from 'node:events'
import net from 'node:net'
import { Problem } from './problem.ts'

/** The environment variables that choose the address and the port. */
export interface ChosenBy {
  readonly host: string
  readonly port: string
}

export async function requireTcpPort(host: string, port: number, chosenBy: ChosenBy): Promise<void> {
  const server = net.createServer()
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch (error) {
    throw taken('TCP', host, port, chosenBy, error)
  }
  await new Promise((done) => server.close(done))
}

export async function requireUdpPort(host: string, port: number, chosenBy: ChosenBy): Promise<void> {
  const socket = dgram.createSocket('udp4')
  try {
    socket.bind(port, host)
    await once(socket, 'listening')
  } catch (error) {
    throw taken('UDP', host, port, chosenBy, error)
  } finally {
    socket.close()
  }
}

function taken(protocol: string, host: string, port: number, chosenBy: ChosenBy, error: unknown): Problem {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') {
    return new Problem(
      `${protocol} port ${port} of ${host} is taken: end what uses it (\`ss -lntup\` shows it), or set ${chosenBy.port}.`,
      error,
    )
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    const mend = `set ${chosenBy.host} to one that \`ip address\` shows`
    return new Problem(`${host} is not an address of this machine: ${mend}, or unset it.`, error)
  }
  return new Problem(
    `${protocol} port ${port} of ${host} (${chosenBy.host}, ${chosenBy.port}) cannot be used: ${message}.`,
    error,
  )
}
