/**
 * Drives the pure IKEv2 core over real sockets: one input, all its effects in order, the next wake-up.
 *
 * The same driver serves the concentrator and the simulated device. It owns the core's clock, randomness and SPI allocators,
 * hands Child SAs to the data plane, and turns the core's questions into calls of `answer`. It decides nothing.
 * A message that must not leave before an SA can receive (RFC 7296 2.8) waits for the data plane, and so does whatever comes
 * later for the same attachment: its events arrive in the order the core made them. Other attachments go on meanwhile.
 * A revoked attachment gets no Child SA any more, even if its answer to a rekey of ours comes before the Delete is through.
 * An input that comes while effects are applied waits for its turn; a question under way is not asked twice.
 */
import type { IkeSpiAllocator } from '@culvert/concentrator-core'
import type { CryptoProvider, Rng } from '@culvert/crypto'
import type { DataPlane } from '@culvert/dataplane'
import type { Placement, SpiAllocator } from '@culvert/esp'
import type {
  Answer,
  AttachmentKey,
  Command,
  EapSession,
  Effect,
  Env,
  IkeEndpoint,
  IkeEvent,
  Input,
  Path,
  Question,
  SocketAddress,
  Spi,
  TicketVault,
} from '@culvert/ikev2'
import type { KeyLog } from './key-log.ts'
import { WakeTimer } from './wake-timer.ts'

export interface IkeDriverOptions {
  readonly endpoint: IkeEndpoint
  readonly dataPlane: DataPlane
  /** Port of the data plane's socket; messages along a path with this local port get the non-ESP marker there. */
  readonly espPort: number
  /** Sends along paths of any other local port (the IKE port); null where only the ESP port is used. */
  readonly sendPlain: ((bytes: Uint8Array, remote: SocketAddress, local: SocketAddress) => void) | null
  readonly crypto: CryptoProvider
  readonly rng: Rng
  readonly incarnation: number
  readonly ikeSpis: IkeSpiAllocator
  readonly childSpis: SpiAllocator
  readonly handlers: IkeDriverHandlers
  /** Seals and opens resumption tickets; left out: none are given or taken. */
  readonly tickets?: TicketVault
  /** Where the keys of every SA are written for a dissector; left out in production. The core must expose them. */
  readonly keyLog?: KeyLog
}

export interface IkeDriverHandlers {
  /** Resolves with the answer, or with null to leave the question unanswered (the peer will ask again). */
  answer(question: Question): Promise<Answer | null>
  /** Whose Child SAs those of an attachment are, for the data plane; left out, or null: nobody's, as in the device role. */
  placementOf?(key: AttachmentKey): Placement | null
  onEvent(event: IkeEvent): void
  /** An EAP run ended without an outcome of its own. */
  endEap?(session: EapSession): void
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
  /** The SA carries nothing any more: it is deleted, and who still wants one makes another. */
  hardLimit(spiIn: Spi): void
  /** The attachment that holds an inbound SPI. */
  keyOf(spiIn: Spi): AttachmentKey | undefined
  close(): void
}

type InstallChildSa = Extract<Effect, { kind: 'installChildSa' }>

/** Until the timers of the core are looked at again after a step that threw. */
const AFTER_BUG_MS = 1000
const MOST_BARRED = 10_000

export function createIkeDriver(options: IkeDriverOptions): IkeDriver {
  const { endpoint, dataPlane, espPort, sendPlain, handlers } = options
  const owners = new Map<Spi, AttachmentKey>()
  /** What waits for an install of this attachment, in order. */
  const waiting = new Map<AttachmentKey, (() => void)[]>()
  /** Revoked, but not closed yet. */
  const barred = new Set<AttachmentKey>()
  const turns: (() => void)[] = []
  const asked = new Set<number>()
  const timer = new WakeTimer(() => feed({ kind: 'wake' }))
  let isTaken = false
  let closed = false

  /** One for all steps: the core keeps none. */
  const env: Env & { nowMs: number } = {
    nowMs: 0,
    rng: options.rng,
    crypto: options.crypto,
    incarnation: options.incarnation,
    allocateIkeSpi: () => options.ikeSpis.allocate(),
    allocateChildSpi: () => options.childSpis.allocate(),
    ...(options.tickets && { tickets: options.tickets }),
  }

  function feed(input: Input): void {
    inTurn(() => take(input))
  }

  function inTurn(turn: () => void): void {
    turns.push(turn)
    if (isTaken) return
    isTaken = true
    for (let next = turns.shift(); next !== undefined; next = turns.shift()) {
      if (!closed) next()
    }
    isTaken = false
  }

  function take(input: Input): void {
    let result: ReturnType<IkeEndpoint['step']>
    try {
      env.nowMs = performance.now()
      result = endpoint.step(input, env)
    } catch (error) {
      handlers.onError(error)
      timer.arm(performance.now() + AFTER_BUG_MS) // what else is due must not wait for ever
      return
    }
    timer.arm(result.wakeAtMs)
    apply(result.effects, 0)
  }

  /** Applies effects from `index` on; after an install, and behind one of the same attachment, the rest waits. */
  function apply(effects: readonly Effect[], index: number): void {
    for (let i = index; i < effects.length && !closed; i++) {
      const effect = effects[i] as Effect
      const key = keyOfEffect(effect)
      const queue = key === null ? undefined : waiting.get(key)
      if (queue !== undefined) {
        queue.push(() => apply(effects, i))
        return
      }
      if (effect.kind === 'installChildSa') {
        install(effect, () => apply(effects, i + 1))
        return
      }
      try {
        applyOne(effect)
      } catch (error) {
        handlers.onError(error)
      }
    }
  }

  function install({ key, child }: InstallChildSa, rest: () => void): void {
    if (barred.has(key)) {
      wipeKeys(child.keys)
      rest()
      return
    }
    options.keyLog?.child(child)
    owners.set(child.spiIn, key)
    waiting.set(key, [rest])
    dataPlane.install(child, handlers.placementOf?.(key) ?? null).then(
      () => release(key),
      (error: unknown) => {
        handlers.onError(error)
        release(key) // the core believes what it said: the rest holds for others too, and the peer hears of the end
        feed({ kind: 'command', command: { kind: 'deleteIke', key, reason: 'protocolError' } })
      },
    )
  }

  function bar(key: AttachmentKey): void {
    barred.add(key)
    for (const oldest of barred) {
      if (barred.size <= MOST_BARRED) return // one that was closed before is never closed again
      barred.delete(oldest)
    }
  }

  function release(key: AttachmentKey): void {
    const queue = waiting.get(key) ?? []
    waiting.delete(key)
    for (const go of queue) inTurn(go)
  }

  function applyOne(effect: Exclude<Effect, { kind: 'installChildSa' }>): void {
    switch (effect.kind) {
      case 'send':
        send(effect.bytes, effect.path)
        return
      case 'keepalive':
        dataPlane.sendKeepalive(effect.path.remote, effect.path.local)
        return
      case 'ask':
        ask(effect.ticket, effect.question)
        return
      case 'activateOutbound':
        dataPlane.activateOutbound(effect.spiIn)
        return
      case 'moveChildSa':
        dataPlane.move(effect.spiIn, effect.path, {
          peerBehindNat: effect.peerBehindNat,
          isConfirmed: effect.isConfirmed,
          udpEncap: effect.udpEncap,
        })
        return
      case 'removeChildSa':
        dataPlane.remove(effect.spiIn)
        owners.delete(effect.spiIn)
        options.childSpis.free(effect.spiIn)
        return
      case 'releaseSpi':
        options.childSpis.free(effect.spiIn)
        return
      case 'endEap':
        handlers.endEap?.(effect.session)
        return
      case 'event':
        if (effect.event.kind === 'closed') barred.delete(effect.event.key)
        if (effect.event.kind === 'ikeKeys') options.keyLog?.ike(effect.event.keys)
        else handlers.onEvent(effect.event)
        return
      default:
        effect satisfies never
    }
  }

  function send(bytes: Uint8Array, path: Path): void {
    if (path.local.port === espPort) dataPlane.sendIke(bytes, path.remote, path.local)
    else sendPlain?.(bytes, path.remote, path.local)
  }

  function ask(ticket: number, question: Question): void {
    if (asked.has(ticket)) return // the peer repeats its request faster than we find out
    asked.add(ticket)
    handlers.answer(question).then(
      (answer) => {
        asked.delete(ticket)
        if (answer) feed({ kind: 'answer', ticket, answer })
      },
      (error: unknown) => {
        asked.delete(ticket)
        handlers.onError(error)
      },
    )
  }

  function forOwner(spiIn: Spi, command: (key: AttachmentKey) => Command): void {
    const key = owners.get(spiIn)
    if (key !== undefined) feed({ kind: 'command', command: command(key) })
  }

  return {
    datagram: (bytes, path) => feed({ kind: 'datagram', bytes, path }),
    command(command) {
      if (command.kind === 'deleteIke' && command.reason === 'revoked') bar(command.key)
      feed({ kind: 'command', command })
    },
    inboundTraffic: (spiIn) => forOwner(spiIn, (key) => ({ kind: 'inboundTraffic', key })),
    peerMoved: (spiIn, remote) => forOwner(spiIn, (key) => ({ kind: 'peerMoved', key, remote })),
    softLimit: (spiIn) => forOwner(spiIn, (key) => ({ kind: 'childSoftLimit', key, spiIn })),
    hardLimit: (spiIn) => forOwner(spiIn, (key) => ({ kind: 'deleteChild', key, spiIn })),
    keyOf: (spiIn) => owners.get(spiIn),
    close() {
      closed = true
      timer.stop()
    },
  }
}

/** The attachment that an effect is about; null for what has no order among the effects of others. */
function keyOfEffect(effect: Effect): AttachmentKey | null {
  if (effect.kind === 'event') return 'key' in effect.event ? effect.event.key : null
  if (effect.kind === 'ask') return 'key' in effect.question ? effect.question.key : null
  return 'key' in effect ? effect.key : null
}

function wipeKeys(keys: InstallChildSa['child']['keys']): void {
  for (const key of [keys.inboundKey, keys.outboundKey, keys.inboundIntegKey, keys.outboundIntegKey]) key.fill(0)
}
