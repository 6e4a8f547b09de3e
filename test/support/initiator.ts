/**
 * Our own device as a program that a test steers: `node initiator.ts <socket> <options as JSON>` in the namespace of the device.
 *
 * It answers HTTP on the Unix socket: GET / tells address, attachment and what happened so far, POST /<command> gives one of
 * `rekeyIke`, `rekeyChild`, `deleteIke`, `checkLiveness` to the IKE driver, with the SA in use.
 */
import http from 'node:http'
import { startDevice, type DeviceOptions } from '@culvert/device-sim'
import type { Command, IkeEvent, Spi } from '@culvert/ikev2'
import { createLogger } from '@culvert/observability'

type Steered = 'rekeyIke' | 'rekeyChild' | 'deleteIke' | 'checkLiveness'

const [socketPath = '', json = ''] = process.argv.slice(2)
const { psk, ...options } = JSON.parse(json) as Omit<DeviceOptions, 'proof'> & { psk: string }
const proof = { kind: 'psk', secret: new TextEncoder().encode(psk) } as const
const device = await startDevice({ ...options, proof }, createLogger('initiator', 'debug'))
const events: IkeEvent[] = []
const spis: Spi[] = []
device.onEvent((event) => {
  events.push(event)
  if (event.kind === 'childEstablished' || event.kind === 'childRekeyed') spis.push(event.child.spiIn)
})
process.once('SIGTERM', () => void device.stop().then(() => process.exit(0)))

function command(kind: Steered): Command | null {
  const { key } = device
  const spiIn = spis.at(-1)
  if (key === null || spiIn === undefined) return null
  switch (kind) {
    case 'rekeyIke':
    case 'checkLiveness':
      return { kind, key }
    case 'rekeyChild':
      return { kind, key, spiIn }
    case 'deleteIke':
      return { kind, key, reason: 'deletedLocally' }
  }
}

const server = http.createServer((request, response) => {
  if (request.method === 'POST') {
    const given = command((request.url ?? '').slice(1) as Steered)
    if (given) device.driver.command(given)
    else response.statusCode = 409
    response.end()
    return
  }
  response.end(JSON.stringify({ address4: device.address4, rung: device.dataPlane.rung, events }))
})
server.listen(socketPath, () => process.stdout.write('initiator ready\n'))
