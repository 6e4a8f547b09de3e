/**
 * The customer's program of the bench `open`: prints the times of each round as JSON.
 *
 * `node open-client.ts <deviceId> <port> <rounds>`, the API key in CULVERT_API_KEY, the API on 127.0.0.1:8080.
 */
import net from 'node:net'

const [deviceId = '', port = '', rounds = ''] = process.argv.slice(2)
const headers = { authorization: `Bearer ${process.env['CULVERT_API_KEY']}`, 'content-type': 'application/json' }
const firstByteMs: number[] = []
const openMs: number[] = []

for (let round = -3; round < Number(rounds); round++) {
  const start = performance.now()
  const response = await fetch('http://127.0.0.1:8080/v1/tunnels', {
    method: 'POST',
    headers,
    body: JSON.stringify({ deviceId, port: Number(port), ttlSec: 60, allowFrom: ['192.0.2.0/24'] }),
  })
  const tunnel = (await response.json()) as { id: string; host: string; port: number }
  if (response.status !== 201) throw new Error(`POST /v1/tunnels: ${response.status}`)
  const opened = performance.now()
  await firstByte(tunnel.host, tunnel.port)
  const done = performance.now()
  if (round >= 0) {
    openMs.push(opened - start)
    firstByteMs.push(done - start)
  }
  await fetch(`http://127.0.0.1:8080/v1/tunnels/${tunnel.id}`, {
    method: 'DELETE',
    headers: { authorization: headers.authorization },
  })
}
process.stdout.write(JSON.stringify({ firstByteMs, openMs }))

function firstByte(host: string, tunnelPort: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port: tunnelPort })
    socket.on('connect', () => socket.write('GET / HTTP/1.0\r\n\r\n'))
    socket.once('data', () => {
      socket.destroy()
      resolve()
    })
    socket.on('error', reject)
    socket.on('end', () => reject(new Error('the tunnel ended without a byte')))
  })
}
