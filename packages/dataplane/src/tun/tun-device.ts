/**
 * A TUN interface as the portable data plane sees it: packets come to a handler in bounded bursts, one write is one packet.
 *
 * Packets that are not read in time queue in the kernel (its transmit queue length) and are dropped there.
 */
import { closeSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { TRAILER_ROOM_BYTES } from '@culvert/esp'
import { EAGAIN, EINTR, tunSyscalls } from '../foreign/index.ts'
import { RINGING, STOPPING, WATCHING, type WatcherData, type WatcherMessage } from './tun-watcher.ts'

export interface TunDeviceHandlers {
  /** `bytes` holds the packet in its first `length` octets and is reused after the call; behind it is room for an ESP trailer. */
  onPacket(bytes: Uint8Array, length: number): void
  /** The interface is gone; no packet will come any more. */
  onFailure(error: Error): void
}

/** Packets handled before other work of the thread gets a turn. */
const BURST_PACKETS = 64
/** No inner packet is longer, whatever the MTU of the interface. */
const MAX_PACKET_BYTES = 65_535
const WAKE = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)

export class TunDevice {
  readonly #fd: number
  readonly #wakeFd: number
  readonly #buffer: Uint8Array
  readonly #readable: Uint8Array
  readonly #state = new Int32Array(new SharedArrayBuffer(4))
  readonly #handlers: TunDeviceHandlers
  readonly #calls = tunSyscalls()
  readonly #worker: Worker
  readonly #workerEnded: Promise<void>
  #isClosed = false

  /** @param fd non-blocking; taken over: closed by `close` */
  constructor(fd: number, handlers: TunDeviceHandlers) {
    this.#fd = fd
    this.#handlers = handlers
    this.#buffer = new Uint8Array(MAX_PACKET_BYTES + TRAILER_ROOM_BYTES)
    this.#readable = this.#buffer.subarray(0, MAX_PACKET_BYTES)
    this.#wakeFd = this.#calls.eventfd()
    if (this.#wakeFd < 0) throw new Error(`cannot create an event counter (errno ${-this.#wakeFd})`)
    const data: WatcherData = { tunFd: fd, wakeFd: this.#wakeFd, state: this.#state }
    this.#worker = new Worker(watcherUrl(), { workerData: data })
    this.#workerEnded = new Promise((resolve) => this.#worker.once('exit', () => resolve()))
    this.#worker.on('message', (message: WatcherMessage) => this.#onMessage(message))
    this.#worker.on('error', (error) => this.#fail(error))
  }

  /** @returns false when the kernel did not take the packet */
  write(packet: Uint8Array): boolean {
    return !this.#isClosed && this.#calls.write(this.#fd, packet) === packet.length
  }

  /** Ends the watcher, then closes the descriptor; the interface itself stays. */
  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true
      Atomics.store(this.#state, 0, STOPPING)
      Atomics.notify(this.#state, 0)
      this.#calls.write(this.#wakeFd, WAKE)
      await this.#workerEnded
      closeSync(this.#wakeFd)
      closeSync(this.#fd)
    }
    await this.#workerEnded
  }

  #onMessage(message: WatcherMessage): void {
    if (message.kind === 'readable') this.#drain()
    else this.#fail(new Error(message.reason))
  }

  #drain(): void {
    for (let packets = 0; packets < BURST_PACKETS; packets++) {
      if (this.#isClosed) return
      const length = this.#calls.read(this.#fd, this.#readable)
      if (length > 0) this.#handlers.onPacket(this.#buffer, length)
      else if (length === -EAGAIN) return this.#watchAgain()
      else if (length !== -EINTR) return this.#fail(new Error(`reading the TUN failed (errno ${-length})`))
    }
    setImmediate(() => this.#drain())
  }

  #watchAgain(): void {
    if (Atomics.compareExchange(this.#state, 0, RINGING, WATCHING) === RINGING) Atomics.notify(this.#state, 0)
  }

  #fail(error: Error): void {
    if (!this.#isClosed) this.#handlers.onFailure(error)
  }
}

function watcherUrl(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`./tun-watcher.${extension}`, import.meta.url)
}
