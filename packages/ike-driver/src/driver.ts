/**
 * Drives the pure IKEv2 core over real sockets: one input, all its effects in order, the next wake-up.
 *
 * The same driver serves the concentrator and the simulated device. It owns the core's clock, randomness and SPI allocators,
 * hands Child SAs to the data plane, and turns the core's questions into calls of `answer`. It decides nothing.
 * A message that must not leave before an SA can receive (RFC 7296 2.8) waits for the data plane; other inputs go on meanwhile.
 */
import type { IkeSpiAllocator } from '@culvert/concentrator-core'
import { opensslProvider, type Rng } from '@culvert/crypto'
import type { DataPlane } from '@culvert/dataplane'
import type { SpiAllocator } from '@culvert/esp'
import type {
  Answer,
  AttachmentKey,
  Command,
  Effect,
  Env,
  IkeEndpoint,
  IkeEvent,
  Input,
  Path,
  Question,
  SocketAddress,
  Spi,
} from '@culvert/ikev2'
import { WakeTimer } from './wake-timer.ts'

export interface IkeDriverOptions {
  readonly endpoint: IkeEndpoint
  readonly dataPlane: DataPlane
  /** Port of the data plane's socket; messages along a path with this local port get the non-ESP marker there. */
  readonly espPort: number
  /** Sends along paths of any other local port (the IKE port); null where only the ESP port is used. */
  readonly sendPlain: ((bytes: Uint8Array, remote: SocketAddress) => void) | null
  readonly rng: Rng
  readonly incarnation: number
  readonly ikeSpis: IkeSpiAllocator
  readonly childSpis: SpiAllocator
  readonly handlers: IkeDriverHandlers
}

export interface IkeDriverHandlers {
  /** Resolves with the answer, or with null to leave the question unanswered (the peer will ask again). */
  answer(question: Question): Promise<Answer | null>
  onEvent(event: IkeEvent): void
  /** A bug in the core or the data plane refused an SA; the node goes on. */
  onError(error: unknown): void
}

export interface IkeDriver {
  datagram(bytes: Uint8Array, path: Path): void
  command(command: Command): void
  /** Notices of the data plane, by inbound SPI. */
  inboundTraffic(spiIn: Spi): void
  peerMoved(spiIn: Spi, remote: SocketAddress): void
  softLimit(spiIn: Spi): void
  /** The attachment that holds an inbound SPI. */
  keyOf(spiIn: Spi): AttachmentKey | undefined
  close(): void
}

export function createIkeDriver(options: IkeDriverOptions): IkeDriver {
  const { endpoint, dataPlane, espPort, sendPlain, handlers } = options
  const owners = new Map<Spi, AttachmentKey>()
  const timer = new WakeTimer(() => feed({ kind: 'wake' }))
  let closed = false

  function env(): Env {
    return {
      nowMs: performance.now(),
      rng: options.rng,
      crypto: opensslProvider,
      incarnation: options.incarnation,
      allocateIkeSpi: () => options.ikeSpis.allocate(),
      allocateChildSpi: () => options.childSpis.allocate(),
    }
  }

  function feed(input: Input): void {
    if (closed) return
    const { effects, wakeAtMs } = endpoint.step(input, env())
    timer.arm(wakeAtMs)
    apply(effects, 0)
  }

  /** Applies effects from `index` on; after an install the rest waits until the SA can receive. */
  function apply(effects: readonly Effect[], index: number): void {
    for (let i = index; i < effects.length; i++) {
      const effect = effects[i] as Effect
      if (effect.kind === 'installChildSa') {
        owners.set(effect.child.spiIn, effect.key)
        dataPlane.install(effect.child).then(
          () => apply(effects, i + 1),
          (error: unknown) => {
            handlers.onError(error)
            feed({ kind: 'command', command: { kind: 'deleteIke', key: effect.key, reason: 'protocolError' } })
          },
        )
        return
      }
      applyOne(effect)
    }
  }

  function applyOne(effect: Exclude<Effect, { kind: 'installChildSa' }>): void {
    switch (effect.kind) {
      case 'send':
        send(effect.bytes, effect.path)
        return
      case 'keepalive':
        dataPlane.sendKeepalive(effect.path.remote)
        return
      case 'ask':
        ask(effect.ticket, effect.question)
        return
      case 'activateOutbound':
        dataPlane.activateOutbound(effect.spiIn)
        return
      case 'moveChildSa':
        dataPlane.move(effect.spiIn, effect.path)
        return
      case 'removeChildSa':
        dataPlane.remove(effect.spiIn)
        owners.delete(effect.spiIn)
        options.childSpis.free(effect.spiIn)
        return
      case 'releaseSpi':
        options.childSpis.free(effect.spiIn)
        return
      case 'event':
        handlers.onEvent(effect.event)
        return
      default:
        effect satisfies never
    }
  }

  function send(bytes: Uint8Array, path: Path): void {
    if (path.local.port === espPort) dataPlane.sendIke(bytes, path.remote)
    else sendPlain?.(bytes, path.remote)
  }

  function ask(ticket: number, question: Question): void {
    handlers.answer(question).then(
      (answer) => {
        if (answer) feed({ kind: 'answer', ticket, answer })
      },
      (error: unknown) => handlers.onError(error),
    )
  }

  function forOwner(spiIn: Spi, command: (key: AttachmentKey) => Command): void {
    const key = owners.get(spiIn)
    if (key !== undefined) feed({ kind: 'command', command: command(key) })
  }

  return {
    datagram: (bytes, path) => feed({ kind: 'datagram', bytes, path }),
    command: (command) => feed({ kind: 'command', command }),
    inboundTraffic: (spiIn) => forOwner(spiIn, (key) => ({ kind: 'inboundTraffic', key })),
    peerMoved: (spiIn, remote) => forOwner(spiIn, (key) => ({ kind: 'peerMoved', key, remote })),
    softLimit: (spiIn) => forOwner(spiIn, (key) => ({ kind: 'childSoftLimit', key, spiIn })),
    keyOf: (spiIn) => owners.get(spiIn),
    close() {
      closed = true
      timer.stop()
    },
  }
}
