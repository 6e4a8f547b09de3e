/**
 * What the worker tells its owner while it forwards: traffic and moves of SAs, limits, IKE datagrams.
 *
 * Everything is bounded and batched: traffic and moves at most once a second per SA, one message per interval for all SAs, IKE
 * datagrams once per round as long as the owner keeps up; beyond `MOST_IKE_WAITING` of them, or `MOST_IKE_BYTES`, they are refused.
 */
import { LifetimeNotice } from '@culvert/esp'
import type { Path, SocketAddress, Spi } from '@culvert/ikev2'
import type { FromWorker } from '../messages/messages.ts'
import type { NativeSa } from '../sa/native-sa.ts'
import { ControlWord, type SharedState } from '../shared-memory/shared-state.ts'

const PER_SA_MS = 1000
const INTERVAL_MS = 20
const MOST_IKE_WAITING = 4096
const MOST_IKE_BYTES = 4 << 20

export class Notices {
  /** Milliseconds of a monotonic clock, set once per round. */
  nowMs = 0
  readonly #post: (message: FromWorker) => void
  readonly #control: Int32Array
  #traffic: Spi[] = []
  #moved: { spiIn: Spi; remote: SocketAddress }[] = []
  #softLimits: Spi[] = []
  #hardLimits: Spi[] = []
  #quotas: number[] = []
  #ike: (Uint8Array | string | number)[] = []
  #ikeCount = 0
  #ikeBytes = 0
  #postedMs = -Infinity

  constructor(shared: SharedState, post: (message: FromWorker) => void) {
    this.#control = shared.control
    this.#post = post
  }

  /** An authentic, fresh packet came in. */
  noteTraffic(record: NativeSa): void {
    if (this.nowMs - record.trafficNoticeMs < PER_SA_MS) return
    record.trafficNoticeMs = this.nowMs
    this.#traffic.push(record.sa.spiIn)
  }

  /** An authentic packet that advanced the window came from an address that is not the one we send to. */
  mayNoteMove(record: NativeSa): boolean {
    if (this.nowMs - record.moveNoticeMs < PER_SA_MS) return false
    record.moveNoticeMs = this.nowMs
    return true
  }

  noteMove(spiIn: Spi, remote: SocketAddress): void {
    this.#moved.push({ spiIn, remote })
  }

  /** After packets of an SA were counted. */
  noteLimits({ sa }: NativeSa): void {
    const notice = sa.checkLifetime()
    if (notice === LifetimeNotice.none) return
    if (notice === LifetimeNotice.soft) this.#softLimits.push(sa.spiIn)
    else this.#hardLimits.push(sa.spiIn)
  }

  noteQuota(subject: number): void {
    this.#quotas.push(subject)
  }

  /** @returns whether there is room; if so `addIke` follows */
  hasRoomForIke(length: number): boolean {
    const bytes = this.#ikeBytes + Atomics.load(this.#control, ControlWord.ikeBacklogBytes) + length
    if (bytes > MOST_IKE_BYTES) return false
    return this.#ikeCount + Atomics.load(this.#control, ControlWord.ikeBacklog) < MOST_IKE_WAITING
  }

  addIke(bytes: Uint8Array, path: Path): void {
    const { local, remote } = path
    this.#ike.push(bytes, local.address, local.port, remote.address, remote.port)
    this.#ikeCount += 1
    this.#ikeBytes += bytes.length
  }

  /** After every round. */
  flush(): void {
    if (this.#ikeCount > 0) {
      Atomics.add(this.#control, ControlWord.ikeBacklog, this.#ikeCount)
      Atomics.add(this.#control, ControlWord.ikeBacklogBytes, this.#ikeBytes)
      this.#post({ kind: 'ike', received: this.#ike, count: this.#ikeCount, bytes: this.#ikeBytes })
      this.#ike = []
      this.#ikeCount = 0
      this.#ikeBytes = 0
    }
    if (!this.isWaiting || this.nowMs - this.#postedMs < INTERVAL_MS) return
    this.#postedMs = this.nowMs
    this.#post({
      kind: 'notices',
      traffic: this.#traffic,
      moved: this.#moved,
      softLimits: this.#softLimits,
      hardLimits: this.#hardLimits,
      quotas: this.#quotas,
    })
    this.#traffic = []
    this.#moved = []
    this.#softLimits = []
    this.#hardLimits = []
    this.#quotas = []
  }

  /** Whether `flush` still holds something back. */
  get isWaiting(): boolean {
    const ofSas = this.#traffic.length + this.#moved.length + this.#softLimits.length + this.#hardLimits.length
    return ofSas + this.#quotas.length > 0
  }
}
