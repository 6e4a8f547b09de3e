/**
 * One connection through a tunnel: the customer's socket and the device's, joined both ways.
 *
 * ```
 * client ──data──▶ device      a FIN is forwarded when all before it has been delivered, and the other direction goes on;
 * client ◀──data── device      a reset of one side resets the other, unless that side had already said all it had to say
 * ```
 *
 * Invariants: bytes are delivered in order and only as fast as the receiver takes them (pipe); `onEnd` runs once, when both
 * sockets are closed.
 */
import type { Socket } from 'node:net'
import { Pacer, type TunnelBudget } from './tunnel-budget.ts'

export type Side = 'client' | 'device'

export interface FlowSockets {
  /** Paused, allowHalfOpen. */
  readonly client: Socket
  readonly device: Socket
}

/** Probes after silence; a device may be out of coverage for minutes, a customer's host may not. Milliseconds and a count. */
const CLIENT_KEEPALIVE = { enable: true, initialDelay: 60_000, interval: 15_000, count: 8 }
const DEVICE_KEEPALIVE = { enable: true, initialDelay: 120_000, interval: 30_000, count: 10 }

export class Flow {
  readonly #client: Socket
  readonly #device: Socket
  readonly #onEnd: (reason: string) => void
  #reason: string | null = null
  #open = 2
  #bytesTold = 0

  /** @param budget of the tunnel */
  constructor({ client, device }: FlowSockets, budget: TunnelBudget, onEnd: (reason: string) => void) {
    this.#client = client
    this.#device = device
    this.#onEnd = onEnd
    client.setKeepAlive(CLIENT_KEEPALIVE)
    device.setKeepAlive(DEVICE_KEEPALIVE)
    this.#join(client, device, 'client', budget.isLimited ? new Pacer(budget, 'down') : null)
    this.#join(device, client, 'device', budget.isLimited ? new Pacer(budget, 'up') : null)
  }

  /** From the client towards the device. */
  get bytesUp(): number {
    return this.#client.bytesRead
  }

  get bytesDown(): number {
    return this.#device.bytesRead
  }

  /** @returns whether bytes went through since this was last asked. */
  takeProgress(): boolean {
    const bytes = this.bytesUp + this.bytesDown
    const moved = bytes !== this.#bytesTold
    this.#bytesTold = bytes
    return moved
  }

  /** Resets both sides, so that neither takes what it got for the whole. */
  abort(reason: string): void {
    this.#reason ??= reason
    reset(this.#client)
    reset(this.#device)
  }

  #join(from: Socket, to: Socket, side: Side, pacer: Pacer | null): void {
    from.setNoDelay(true)
    from.once('end', () => (this.#reason ??= `${side}_closed`))
    from.on('error', (error: NodeJS.ErrnoException) => {
      this.#reason ??= `${side}_${error.code === 'ETIMEDOUT' ? 'lost' : 'reset'}`
      // What it sent before its FIN has been read completely: let the other side have it.
      if (from.readableEnded) to.destroySoon()
      else reset(to)
    })
    from.once('close', () => {
      if (!from.readableEnded) reset(to)
      if (--this.#open === 0) this.#onEnd(this.#reason ?? `${side}_closed`)
    })
    if (pacer === null) from.pipe(to)
    else {
      to.once('close', () => pacer.destroy())
      from.pipe(pacer).pipe(to)
    }
  }
}

/**
 * Closes at once with a TCP reset. A socket whose FIN still waits behind unsent data cannot be reset (libuv refuses, and the
 * descriptor would leak): that one is closed, its unsent data dropped.
 */
export function reset(socket: Socket): void {
  if (socket.destroyed) return
  if (socket.writableEnded && !socket.writableFinished) socket.destroy()
  else socket.resetAndDestroy()
}
