import dgram from 'node:dgram'
import { once } from 'node:events'
import net from 'node:net'
import { expect, test } from 'vitest'
import { requireTcpPort, requireUdpPort } from './ports.ts'

const api = { host: 'API_HOST', port: 'API_PORT' }
const ike = { host: 'CONCENTRATOR_ADDRESS', port: 'CONCENTRATOR_IKE_PORT' }

test('a taken TCP port is told with the variable that chooses another; a free one passes', async () => {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  await expect(requireTcpPort('127.0.0.1', port, api)).rejects.toThrow(
    `TCP port ${port} of 127.0.0.1 is taken: end what uses it (\`ss -lntup\` shows it), or set API_PORT.`,
  )
  server.close()
  await once(server, 'close')
  await expect(requireTcpPort('127.0.0.1', port, api)).resolves.toBeUndefined()
})

test('a taken UDP port and a foreign address are told', async () => {
  const socket = dgram.createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  await expect(requireUdpPort('127.0.0.1', port, ike)).rejects.toThrow('set CONCENTRATOR_IKE_PORT')
  socket.close()
  await expect(requireUdpPort('198.51.100.7', 0, ike)).rejects.toThrow(
    '198.51.100.7 is not an address of this machine: set CONCENTRATOR_ADDRESS to one that `ip address` shows, or unset it.',
  )
})
