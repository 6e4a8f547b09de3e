/**
 * The IKEv2 core over real UDP sockets on ports 500 and 4500, without ESP: what programs in a namespace need to talk IKE with a
 * real daemon. Child SAs are only counted.
 */
import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { opensslProvider } from '@culvert/crypto'
import {
  type Answer,
  type ChildSaDescription,
  type Command,
  createEndpoint,
  defaultEspSuites,
  defaultIkeSuites,
  type Effect,
  type EndpointConfig,
  type Env,
  type Identity,
  type EapSession,
  ID_TYPE,
  type IkeEvent,
  type IkeSpi,
  type Input,
  type Ppk,
  type Question,
  type Spi,
} from '@culvert/ikev2'

const IKE_PORT = 500
const NAT_TRAVERSAL_PORT = 4500
const MARKER = new Uint8Array(4)
const FIRST_SPI = 0x4000_0000
/** RFC 8784 5.1. */
const PPK_ID_FIXED = 2

export interface IkeNodeHandlers {
  onEvent(event: IkeEvent): void
  /** Without it nothing is answered, and nobody can attach. */
  answer?(question: Question): Answer | null | Promise<Answer | null>
  onEndEap?(session: EapSession): void
}

export interface IkeNode {
  readonly children: ReadonlyMap<Spi, ChildSaDescription>
  command(command: Command): void
  /** From now on at this address too. */
  listen(address: string): Promise<void>
}

export function fqdn(name: string): Identity {
  return { type: ID_TYPE.FQDN, data: new TextEncoder().encode(name) }
}

export function ppkOf(ppk: { readonly name: string; readonly secret: string; readonly isRequired: boolean }): Ppk & {
  readonly isRequired: boolean
} {
  const encoder = new TextEncoder()
  const id = Uint8Array.of(PPK_ID_FIXED, ...encoder.encode(ppk.name))
  return { id, secret: encoder.encode(ppk.secret), isRequired: ppk.isRequired }
}

/** @param local address to be bound. It lives as long as its process. */
export async function startIkeNode(
  local: string,
  config: Partial<EndpointConfig> & Pick<EndpointConfig, 'localId'>,
  handlers: IkeNodeHandlers,
  tickets?: Env['tickets'],
): Promise<IkeNode> {
  const sockets = new Map<string, Socket>()
  const children = new Map<Spi, ChildSaDescription>()
  const endpoint = createEndpoint({
    proposals: { ike: defaultIkeSuites, esp: defaultEspSuites },
    cookieThreshold: 10,
    maxHalfOpen: 100,
    maxIkeSas: 100,
    fragmentBytes: 1_280,
    timing: {
      livenessMs: 0,
      retransmit: { firstMs: 500, factor: 1.5, tries: 6 },
      halfOpenMs: 10_000,
      ikeRekeyMs: 0,
      childRekeyMs: 0,
      natKeepaliveMs: 0,
    },
    ...config,
  })
  let nextSpi = FIRST_SPI
  let timer: NodeJS.Timeout | undefined

  async function open(address: string, port: number): Promise<void> {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    socket.on('message', (bytes, from) => {
      const message = port === NAT_TRAVERSAL_PORT ? bytes.subarray(MARKER.length) : bytes
      const path = { local: { address, port }, remote: { address: from.address, port: from.port } }
      step({ kind: 'datagram', bytes: message, path })
    })
    sockets.set(`${address} ${port}`, socket)
    socket.bind(port, address)
    await once(socket, 'listening')
  }

  async function listen(address: string): Promise<void> {
    await Promise.all([IKE_PORT, NAT_TRAVERSAL_PORT].map((port) => open(address, port)))
  }

  function env(): Env {
    return {
      nowMs: performance.now(),
      rng: (length) => new Uint8Array(randomBytes(length)),
      crypto: opensslProvider,
      incarnation: 1,
      allocateIkeSpi: () => randomBytes(8).toString('hex') as IkeSpi,
      allocateChildSpi: () => (nextSpi += 1) as Spi,
      ...(tickets && { tickets }),
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
    switch (effect.kind) {
      case 'send': {
        const { local: from, remote: to } = effect.path
        const bytes = from.port === NAT_TRAVERSAL_PORT ? Buffer.concat([MARKER, effect.bytes]) : effect.bytes
        sockets.get(`${from.address} ${from.port}`)?.send(bytes, to.port, to.address)
        break
      }
      case 'ask':
        void answer(effect.ticket, effect.question)
        break
      case 'installChildSa':
        children.set(effect.child.spiIn, effect.child)
        break
      case 'removeChildSa':
        children.delete(effect.spiIn)
        break
      case 'endEap':
        handlers.onEndEap?.(effect.session)
        break
      case 'event':
        handlers.onEvent(effect.event)
        break
      default:
        break
    }
  }

  async function answer(ticket: number, question: Question): Promise<void> {
    const given = await handlers.answer?.(question)
    if (given) step({ kind: 'answer', ticket, answer: given })
  }

  await listen(local)
  return { children, listen, command: (command) => step({ kind: 'command', command }) }
}
