/**
 * One simulated SIM device: our IKEv2 initiator, ESP and a TUN in its own network namespace (or in the process's).
 *
 * It behaves as a well-configured router would: attaches, asks for an inner address, puts it on its TUN, answers liveness
 * checks, and comes back with a growing pause when it was cut off.
 */
import { createIkeSpiAllocator, selectorOf } from '@culvert/concentrator-core'
import { configureTun, openDataPlane, type DataPlane, type Rung } from '@culvert/dataplane'
import { SpiAllocator } from '@culvert/esp'
import {
  createIkeDriver,
  createSystemRng,
  openPlainSocket,
  type IkeDriver,
  type PlainSocket,
} from '@culvert/ike-driver'
import {
  createEndpoint,
  defaultEspSuites,
  defaultIkeSuites,
  type AttachmentKey,
  type IkeEvent,
  type Path,
  type ProposalPolicy,
} from '@culvert/ikev2'
import type { Logger } from '@culvert/observability'

export interface DeviceOptions {
  /** Outer address of the concentrator. */
  readonly remoteAddress: string
  /** 500 to begin as most devices do, 4500 to begin behind the non-ESP marker at once. */
  readonly remoteIkePort: number
  readonly remoteEspPort: number
  /** Local UDP port for IKE before the move to 4500; null begins on the ESP port. */
  readonly localIkePort: number | null
  /** Local UDP port for ESP, 0 for any. */
  readonly localEspPort: number
  readonly localAddress: string
  readonly identity: string
  readonly remoteIdentity: string
  readonly psk: Uint8Array
  /** What the device wants to reach, CIDR. */
  readonly remotePrefix: string
  readonly tun: { readonly name: string; readonly namespace: string | null; readonly mtuBytes: number }
  readonly proposals?: ProposalPolicy
  readonly rung?: Rung
  readonly livenessMs: number
  /** Interval of NAT keepalives, 0 for none. */
  readonly natKeepaliveMs: number
}

export interface Device {
  readonly dataPlane: DataPlane
  /** Inner address while attached. */
  readonly address4: string | null
  /** The IKE driver and key of the current attachment, for tests that rekey or delete from the device's side. */
  readonly driver: IkeDriver
  readonly key: AttachmentKey | null
  onAttached(handler: (address4: string) => void): void
  onEvent(handler: (event: IkeEvent) => void): void
  stop(): Promise<void>
}

const ID_FQDN = 2
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** Slot of devices' own SPIs; nothing steers by it. */
const DEVICE_SLOT = 255

export async function startDevice(options: DeviceOptions, log: Logger): Promise<Device> {
  const rng = createSystemRng()
  let driver: IkeDriver | null = null
  let key: AttachmentKey | null = null
  let address4: string | null = null
  let stopped = false
  let pauseMs = FIRST_PAUSE_MS
  let timer: NodeJS.Timeout | null = null
  let configured: Promise<void> = Promise.resolve()
  const attachedHandlers: ((address4: string) => void)[] = []
  const eventHandlers: ((event: IkeEvent) => void)[] = []
  // A process life draws its own upper IV half; keys are fresh with every attachment, so it need not be remembered.
  const incarnation = randomIncarnation(rng(3))

  const dataPlane = await openDataPlane(
    {
      bind: { address: options.localAddress, port: options.localEspPort },
      tun: options.tun,
      role: { kind: 'device' },
      incarnation,
      nodeSlot: DEVICE_SLOT,
      maxSas: 64,
      replayWindowPackets: 1024,
      ...(options.rung ? { rung: options.rung } : {}),
    },
    {
      onIke: (bytes, path) => driver?.datagram(bytes, path),
      onInboundTraffic: (spiIn) => driver?.inboundTraffic(spiIn),
      onPeerMoved: (spiIn, remote) => driver?.peerMoved(spiIn, remote),
      onSoftLimit: (spiIn) => driver?.softLimit(spiIn),
      onFailure: (error) => log.error({ err: error }, 'the data plane of the device failed'),
    },
  )
  let plain: PlainSocket | null = null
  if (options.localIkePort !== null) {
    try {
      plain = await openPlainSocket({ address: options.localAddress, port: options.localIkePort }, (bytes, path) =>
        driver?.datagram(bytes, path),
      )
    } catch (error) {
      await dataPlane.close()
      throw error
    }
  }
  const espPort = dataPlane.local.port

  driver = createIkeDriver({
    endpoint: createEndpoint({
      localId: fqdn(options.identity),
      proposals: options.proposals ?? { ike: defaultIkeSuites, esp: defaultEspSuites },
      cookieThreshold: 100,
      maxHalfOpen: 100,
      maxIkeSas: 100,
      fragmentBytes: 1280,
      timing: {
        livenessMs: options.livenessMs,
        retransmit: { firstMs: 1000, factor: 1.8, tries: 6 },
        halfOpenMs: 30_000,
        ikeRekeyMs: 4 * 3_600_000,
        childRekeyMs: 3_600_000,
        natKeepaliveMs: options.natKeepaliveMs,
      },
    }),
    dataPlane,
    espPort,
    sendPlain: plain ? (bytes, remote) => plain.send(bytes, remote) : null,
    rng,
    incarnation,
    ikeSpis: createIkeSpiAllocator(DEVICE_SLOT, rng),
    childSpis: new SpiAllocator(DEVICE_SLOT, 64, incarnation),
    handlers: {
      answer: async () => null, // a device lets nobody in
      onEvent,
      onError: (error) => log.error({ err: error }, 'the IKE driver of the device met an error'),
    },
  })

  function initiate(): void {
    if (stopped) return
    const path: Path = {
      local: { address: options.localAddress, port: options.localIkePort ?? espPort },
      remote: {
        address: options.remoteAddress,
        port: options.localIkePort === null ? options.remoteEspPort : options.remoteIkePort,
      },
    }
    driver?.command({
      kind: 'initiate',
      peer: {
        path,
        localId: fqdn(options.identity),
        remoteId: fqdn(options.remoteIdentity),
        psk: options.psk,
        tsLocal: [selectorOf('0.0.0.0/0')],
        tsRemote: [selectorOf(options.remotePrefix)],
        requestAddress: { ip4: true, ip6: false },
        label: options.identity,
      },
    })
  }

  function onEvent(event: IkeEvent): void {
    if (event.kind === 'established') attached(event)
    else if (event.kind === 'attemptFailed' || (event.kind === 'closed' && event.key === key)) cutOff(event.reason)
    for (const handler of eventHandlers) handler(event)
  }

  function attached(event: IkeEvent & { kind: 'established' }): void {
    key = event.key
    pauseMs = FIRST_PAUSE_MS
    if (event.ip4 === null) return
    const address = event.ip4
    configured = configured
      .then(() =>
        configureTun({
          ...options.tun,
          addresses: [`${address}/32`],
          routes: [options.remotePrefix],
        }),
      )
      .then(() => {
        address4 = address
        log.info({ address4 }, 'attached')
        for (const handler of attachedHandlers) handler(address)
      })
      .catch((error: unknown) => log.error({ err: error }, 'the TUN of the device could not be configured'))
  }

  function cutOff(reason: string): void {
    key = null
    address4 = null
    if (stopped || timer) return
    log.info({ reason, againInMs: pauseMs }, 'not attached')
    timer = setTimeout(() => {
      timer = null
      initiate()
    }, pauseMs)
    pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)
  }

  initiate()
  return {
    dataPlane,
    driver,
    get address4() {
      return address4
    },
    get key() {
      return key
    },
    onAttached(handler) {
      attachedHandlers.push(handler)
      if (address4 !== null) handler(address4)
    },
    onEvent: (handler) => void eventHandlers.push(handler),
    async stop() {
      stopped = true
      if (timer) clearTimeout(timer)
      if (key !== null) driver?.command({ kind: 'deleteIke', key, reason: 'shutdown' })
      await configured
      driver?.close()
      await plain?.close()
      await dataPlane.close()
    },
  }
}

function fqdn(name: string): { type: number; data: Uint8Array } {
  return { type: ID_FQDN, data: new TextEncoder().encode(name) }
}

function randomIncarnation(bytes: Uint8Array): number {
  return ((bytes[0] ?? 0) << 16) | ((bytes[1] ?? 0) << 8) | (bytes[2] ?? 0)
}
