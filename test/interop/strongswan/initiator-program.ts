/**
 * Our IKEv2 initiator alone, without ESP, for a namespace with a strongSwan responder: reads one command a line from stdin and
 * prints one event a line.
 *
 * `node initiator-program.ts <local address> <remote address>`; commands: `rekeyChild`, `rekeyIke`, `checkLiveness`, `deleteIke`.
 */
import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { createInterface } from 'node:readline'
import { opensslProvider } from '@culvert/crypto'
import {
  type AttachmentKey,
  type Command,
  createEndpoint,
  defaultEspSuites,
  defaultIkeSuites,
  type Effect,
  type Env,
  fromCidr,
  ID_TYPE,
  type IkeSpi,
  type Input,
  type Spi,
} from '@culvert/ikev2'

const IKE_PORT = 500
const NAT_TRAVERSAL_PORT = 4500
const MARKER = new Uint8Array(4)

const [local = '', remote = ''] = process.argv.slice(2)
const sockets = new Map<number, Socket>([IKE_PORT, NAT_TRAVERSAL_PORT].map((port) => [port, open(port)]))
const endpoint = createEndpoint({
  localId: fqdn('one.devices.example'),
  proposals: { ike: defaultIkeSuites, esp: defaultEspSuites },
  cookieThreshold: 10,
  maxHalfOpen: 10,
  maxIkeSas: 10,
  fragmentBytes: 1_280,
  timing: {
    livenessMs: 0,
    retransmit: { firstMs: 500, factor: 1.5, tries: 6 },
    halfOpenMs: 10_000,
    ikeRekeyMs: 0,
    childRekeyMs: 0,
    natKeepaliveMs: 0,
  },
})

let nextSpi = 0x4000_0000
let timer: NodeJS.Timeout | undefined
let key: AttachmentKey | null = null
const children: Spi[] = []

function fqdn(name: string): { type: number; data: Uint8Array } {
  return { type: ID_TYPE.FQDN, data: new TextEncoder().encode(name) }
}

function open(port: number): Socket {
  const socket = createSocket('udp4')
  socket.on('message', (bytes, from) => {
    const message = port === NAT_TRAVERSAL_PORT ? bytes.subarray(MARKER.length) : bytes
    const path = { local: { address: local, port }, remote: { address: from.address, port: from.port } }
    step({ kind: 'datagram', bytes: message, path })
  })
  socket.bind(port, local)
  return socket
}

function env(): Env {
  return {
    nowMs: performance.now(),
    rng: (length) => new Uint8Array(randomBytes(length)),
    crypto: opensslProvider,
    incarnation: 1,
    allocateIkeSpi: () => randomBytes(8).toString('hex') as IkeSpi,
    allocateChildSpi: () => (nextSpi += 1) as Spi,
  }
}

function step(input: Input): void {
  const { effects, wakeAtMs } = endpoint.step(input, env())
  for (const effect of effects) apply(effect)
  clearTimeout(timer)
  if (wakeAtMs === null) return
  timer = setTimeout(() => step({ kind: 'wake' }), Math.max(0, wakeAtMs - performance.now()))
}

function apply(effect: Effect): void {
  if (effect.kind === 'send') {
    const { local: from, remote: to } = effect.path
    const bytes = from.port === NAT_TRAVERSAL_PORT ? Buffer.concat([MARKER, effect.bytes]) : effect.bytes
    sockets.get(from.port)?.send(bytes, to.port, to.address)
  } else if (effect.kind === 'installChildSa') children.push(effect.child.spiIn)
  else if (effect.kind === 'removeChildSa') children.splice(children.indexOf(effect.spiIn), 1)
  else if (effect.kind === 'event') {
    if (effect.event.kind === 'established') key = effect.event.key
    const reason = 'reason' in effect.event ? ` ${effect.event.reason}` : ''
    process.stdout.write(`${effect.event.kind}${reason} ${children.length}\n`)
  }
}

function commandOf(line: string): Command | null {
  const [spiIn] = children
  if (key === null) return null
  if (line === 'rekeyChild') return spiIn === undefined ? null : { kind: line, key, spiIn }
  if (line === 'rekeyIke' || line === 'checkLiveness') return { kind: line, key }
  return line === 'deleteIke' ? { kind: line, key, reason: 'shutdown' } : null
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const command = commandOf(line)
  if (command !== null) step({ kind: 'command', command })
})

const anywhere = fromCidr('0.0.0.0/0')
if (anywhere === null) throw new Error('a constant')
step({
  kind: 'command',
  command: {
    kind: 'initiate',
    peer: {
      path: { local: { address: local, port: IKE_PORT }, remote: { address: remote, port: IKE_PORT } },
      localId: fqdn('one.devices.example'),
      remoteId: fqdn('concentrator.example'),
      proof: { kind: 'psk', secret: new TextEncoder().encode('a secret of two peers') },
      tsLocal: [anywhere],
      tsRemote: [anywhere],
      requestAddress: { ip4: true, ip6: false },
      label: 'one',
    },
  },
})
