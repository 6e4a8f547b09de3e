/**
 * A slow path to a concentrator: forwards UDP 500 and 4500 of its own address and back, each datagram late.
 *
 * `node slow-path.ts <target> <delay in ms>`: to both ends it looks like a NAT. One socket towards the target for each address,
 * port and port asked for, as a NAT has; datagrams keep their order.
 */
import dgram from 'node:dgram'
import { once } from 'node:events'

const PORTS = [500, 4500]

const [target = '', delay = ''] = process.argv.slice(2)
const delayMs = Number(delay)

for (const port of PORTS) {
  const front = dgram.createSocket('udp4').bind(port)
  await once(front, 'listening')
  const backs = new Map<string, dgram.Socket>()
  front.on('message', (bytes, from) => {
    const flow = `${from.address} ${from.port}`
    const back = backs.get(flow) ?? openBack(front, from)
    backs.set(flow, back)
    setTimeout(() => back.send(bytes, port, target), delayMs)
  })
}
process.stdout.write('slow path ready\n')

function openBack(front: dgram.Socket, to: { readonly address: string; readonly port: number }): dgram.Socket {
  const back = dgram.createSocket('udp4').bind(0)
  back.on('message', (bytes) => setTimeout(() => front.send(bytes, to.port, to.address), delayMs))
  back.on('error', () => {}) // an ICMP error is a lost datagram
  return back
}
