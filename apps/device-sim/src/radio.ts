/**
 * The outer side that simulated devices share: one UDP socket pair, one TUN, one IKE endpoint.
 *
 * Many devices on one radio look to a concentrator like many devices behind one NAT: their IKE SAs differ by SPI, their packets
 * by inner source address. Events of the core go to the device they are about.
 */
import { createIkeSpiAllocator } from '@culvert/concentrator-core'
import { openCrypto, openDataPlane, type DataPlane, type Rung } from '@culvert/dataplane'
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
  defaultAhSuites,
  defaultIkeSuites,
  type AttachmentKey,
  type ChildProtocol,
  type IkeEvent,
  type Path,
  type ProposalPolicy,
  type SocketAddress,
} from '@culvert/ikev2'
import type { Logger } from '@culvert/observability'
import { authorityHash, type TrustAnchors } from '@culvert/pki'
import { type LocalAddresses, watchLocalAddresses } from './local-address.ts'
import { trustAnswer } from './trust.ts'

export interface RadioOptions {
  /** Local UDP port for IKE before the move to 4500; null begins on the ESP port. */
  readonly localIkePort: number | null
  /** Local UDP port for ESP, 0 for any. */
  readonly localEspPort: number
  readonly localAddress: string
  /**
   * With a wildcard in `localAddress`: its devices are where this host is reached from, and move with it. Left out: nobody
   * knows where that is, which looks like a NAT.
   */
  readonly towards?: string
  readonly tun: { readonly name: string; readonly namespace: string | null; readonly mtuBytes: number }
  readonly proposals?: ProposalPolicy
  /** Whose certificates of gateways are believed; left out: none. */
  readonly anchors?: TrustAnchors
  readonly rung?: Rung
  readonly livenessMs: number
  /** Interval of NAT keepalives, 0 for none. */
  readonly natKeepaliveMs: number
  /** ESP goes without UDP where no NAT is in the way; false when left out. */
  readonly nativeEsp?: boolean
  /** AH in place of ESP, without MOBIKE; needs `nativeEsp`. False when left out. */
  readonly ah?: boolean
  /** How many devices will share it. */
  readonly devices: number
}

export interface Radio {
  readonly dataPlane: DataPlane
  readonly driver: IkeDriver
  /** Local port from which a first message goes out. */
  readonly firstPort: number
  /** Where its devices are now; a wildcard when that is not known. */
  readonly localAddress: string
  /** Told of another one; the path of an attachment begins there from then on. */
  onMoved(handler: (local: SocketAddress) => void): void
  /** What protects its devices' packets. */
  readonly protocol: ChildProtocol
  /** Events about the attempts and attachments of one identity. */
  subscribe(identity: string, handler: (event: IkeEvent) => void): void
  close(): Promise<void>
}

/** Slot of devices' own SPIs; nothing steers by it. */
const DEVICE_SLOT = 255
/** Child SAs of one device during overlapping rekeys. */
const SAS_PER_DEVICE = 4
const SPARE_SAS = 64

export async function openRadio(options: RadioOptions, log: Logger): Promise<Radio> {
  const rng = createSystemRng()
  const crypto = await openCrypto()
  const devices = createDispatch()
  let driver: IkeDriver | null = null
  // A process life draws its own upper IV half; keys are fresh with every attachment, so it need not be remembered.
  const incarnation = rng(3).reduce((sum, octet) => sum * 256 + octet, 0)
  const { nativeEsp = false, ah = false } = options
  const maxSas = options.devices * SAS_PER_DEVICE + SPARE_SAS

  const movedHandlers: ((local: SocketAddress) => void)[] = []
  const watch =
    options.towards === undefined
      ? null
      : await watchLocalAddresses({ towards: options.towards, without: options.tun.name, onChange: beElsewhere })

  function beElsewhere({ inUse, all }: LocalAddresses): void {
    log.info({ addresses: all.length }, 'the addresses of this host have changed')
    for (const handler of movedHandlers) handler({ address: inUse, port: dataPlane.local.port })
    driver?.command({ kind: 'ownAddresses', addresses: all })
  }

  function hear(bytes: Uint8Array, path: Path): void {
    const { local, remote } = path
    const isHere = local.address === options.localAddress && watch !== null
    driver?.datagram(bytes, isHere ? { local: { address: localAddress(), port: local.port }, remote } : path)
  }

  async function opened<T>(opening: Promise<T>): Promise<T> {
    try {
      return await opening
    } catch (error) {
      watch?.stop()
      throw error
    }
  }

  function localAddress(): string {
    return watch?.current?.inUse ?? options.localAddress
  }

  const dataPlane = await opened(
    openDataPlane(
      {
        bind: [{ address: options.localAddress, port: options.localEspPort }],
        tun: options.tun,
        role: { kind: 'device' },
        incarnation,
        nodeSlot: DEVICE_SLOT,
        maxSas,
        replayWindowPackets: 1024,
        nativeEsp,
        ah,
        ...(options.rung ? { rung: options.rung } : {}),
      },
      {
        onIke: hear,
        onInboundTraffic: (spiIn) => driver?.inboundTraffic(spiIn),
        onPeerMoved: (spiIn, remote) => driver?.peerMoved(spiIn, remote),
        onSoftLimit: (spiIn) => driver?.softLimit(spiIn),
        onHardLimit: (spiIn) => driver?.hardLimit(spiIn),
        onFailure: (error) => log.error({ err: error }, 'the data plane of the devices failed'),
      },
    ),
  )
  const plain = await opened(openPlain(options, dataPlane, hear))
  const espPort = dataPlane.local.port

  driver = createIkeDriver({
    endpoint: createEndpoint({
      localId: { type: 11, data: new Uint8Array() }, // every attempt brings its own identity
      proposals: options.proposals ?? {
        ike: defaultIkeSuites,
        esp: defaultEspSuites,
        ...(ah && { ah: defaultAhSuites }),
      },
      features: { mobike: !ah, redirect: true, resumption: true, ppk: true },
      certificateAuthorities: options.anchors?.all.map(({ certificate }) => authorityHash(certificate.spki)) ?? [],
      cookieThreshold: 100,
      maxHalfOpen: options.devices + 100,
      maxIkeSas: options.devices * 2 + 100,
      fragmentBytes: 1280,
      forceUdpEncap: !nativeEsp,
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
    crypto,
    rng,
    incarnation,
    ikeSpis: createIkeSpiAllocator(DEVICE_SLOT, rng),
    childSpis: new SpiAllocator(DEVICE_SLOT, maxSas, incarnation),
    handlers: {
      // A device lets nobody in: it only asks who its gateway is.
      answer: async (question) => (question.kind === 'trust' ? trustAnswer(question, options.anchors) : null),
      onEvent: (event) => devices.dispatch(event),
      onError: (error) => log.error({ err: error }, 'the IKE driver of the devices met an error'),
    },
  })

  if (watch !== null) driver.command({ kind: 'ownAddresses', addresses: watch.current?.all ?? [] })

  return {
    dataPlane,
    driver,
    firstPort: options.localIkePort ?? espPort,
    get localAddress() {
      return localAddress()
    },
    onMoved: (handler) => void movedHandlers.push(handler),
    protocol: ah ? 'ah' : 'esp',
    subscribe: (identity, handler) => devices.subscribe(identity, handler),
    async close() {
      watch?.stop()
      driver?.close()
      await plain?.close()
      await dataPlane.close()
    },
  }
}

/** From an event to the device it is about: by label while there is no attachment, by its key afterwards. */
function createDispatch(): Pick<Radio, 'subscribe'> & { dispatch(event: IkeEvent): void } {
  const handlers = new Map<string, (event: IkeEvent) => void>()
  const owners = new Map<AttachmentKey, string>()
  const ownerOf = (event: IkeEvent): string | null | undefined => {
    if (event.kind === 'attemptFailed' || event.kind === 'redirected') return event.subject
    return 'key' in event ? owners.get(event.key) : undefined
  }
  return {
    subscribe: (identity, handler) => void handlers.set(identity, handler),
    dispatch(event) {
      if (event.kind === 'established') owners.set(event.key, event.subject)
      const owner = ownerOf(event)
      if (event.kind === 'closed') owners.delete(event.key)
      handlers.get(owner ?? '')?.(event)
    },
  }
}

async function openPlain(
  { localAddress, localIkePort }: RadioOptions,
  dataPlane: DataPlane,
  onDatagram: Parameters<typeof openPlainSocket>[1],
): Promise<PlainSocket | null> {
  if (localIkePort === null) return null
  try {
    return await openPlainSocket({ address: localAddress, port: localIkePort }, onDatagram)
  } catch (error) {
    await dataPlane.close()
    throw error
  }
}
