/**
 * One simulated SIM device on a radio: attaches, puts its inner address on the TUN, stays attached.
 *
 * It behaves as a well-configured router would: it answers liveness checks, begins anew when its last Child SA is gone, and comes
 * back with a growing pause when it was cut off, with a resumption ticket when it has one. It authenticates anew when its gateway
 * wants that, and follows where it is sent. When its host is reached from another address, it takes its attachment along (MOBIKE).
 */
import { selectorOf } from '@culvert/concentrator-core'
import { configureTun, type DataPlane } from '@culvert/dataplane'
import type { IkeDriver } from '@culvert/ike-driver'
import type {
  AttachmentKey,
  IkeEvent,
  InitiatorConfig,
  InitiatorProof,
  Path,
  ResumptionTicket,
  SocketAddress,
  Spi,
} from '@culvert/ikev2'
import type { Logger } from '@culvert/observability'
import { createRoute } from './route.ts'
import { openRadio, type Radio, type RadioOptions } from './radio.ts'

export interface SimIdentity {
  readonly identity: string
  readonly proof: InitiatorProof
  readonly ppk?: NonNullable<InitiatorConfig['ppk']>
}

export interface ConcentratorTarget {
  /** Outer address of the concentrator. */
  readonly remoteAddress: string
  /** 500 to begin as most devices do; with a radio that begins on the ESP port, `remoteEspPort` is used. */
  readonly remoteIkePort: number
  readonly remoteEspPort: number
  readonly remoteIdentity: string
  /** What the device wants to reach, CIDR. */
  readonly remotePrefix: string
  /** The same over IPv6; null, or left out: it asks for no IPv6 address. */
  readonly remotePrefix6?: string | null
}

export interface DeviceOptions extends SimIdentity, ConcentratorTarget, Omit<RadioOptions, 'devices'> {}

export interface Device {
  readonly identity: string
  readonly dataPlane: DataPlane
  /** Inner addresses while attached. */
  readonly address4: string | null
  readonly address6: string | null
  /** The IKE driver and key of the current attachment, for tests that rekey or delete from the device's side. */
  readonly driver: IkeDriver
  readonly key: AttachmentKey | null
  /** Told the inner addresses, IPv4 first. */
  onAttached(handler: (addresses: readonly string[]) => void): void
  onEvent(handler: (event: IkeEvent) => void): void
  /** Says goodbye; the radio stays open unless the device came with its own. */
  stop(): Promise<void>
}

const ID_FQDN = 2
const NO_ADDRESSES = { ip4: null, ip6: null }
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** How much of the life of an authentication passes before the next one. */
const REAUTHENTICATE_AT = 0.8

/** A device with a radio of its own. */
export async function startDevice(options: DeviceOptions, log: Logger): Promise<Device> {
  const radio = await openRadio({ ...options, devices: 1 }, log)
  const device = attachDevice(radio, options, options, log)
  return {
    ...device,
    get address4() {
      return device.address4
    },
    get address6() {
      return device.address6
    },
    get key() {
      return device.key
    },
    async stop() {
      await device.stop()
      await radio.close()
    },
  }
}

/** A device on a radio that others may share; it begins to attach at once. */
export function attachDevice(
  radio: Radio,
  { identity, proof, ppk }: SimIdentity,
  options: ConcentratorTarget & Pick<RadioOptions, 'localIkePort' | 'tun'>,
  log: Logger,
): Device {
  const { driver } = radio
  let key: AttachmentKey | null = null
  let gateway: SocketAddress | null = null
  let addresses: { readonly ip4: string | null; readonly ip6: string | null } = NO_ADDRESSES
  let stopped = false
  let pauseMs = FIRST_PAUSE_MS
  let timer: NodeJS.Timeout | null = null
  let configured: Promise<void> = Promise.resolve()
  let ticket: { readonly ticket: ResumptionTicket; readonly untilMs: number } | null = null
  let renewal: NodeJS.Timeout | null = null
  const route = createRoute(options.remoteAddress)
  const { remotePrefix6 = null } = options
  const remotePrefixes = [options.remotePrefix, ...(remotePrefix6 === null ? [] : [remotePrefix6])]
  const children = new Set<Spi>()
  const attachedHandlers: ((addresses: readonly string[]) => void)[] = []
  const eventHandlers: ((event: IkeEvent) => void)[] = []

  function initiate(): void {
    if (stopped) return
    const { localIkePort, remoteIkePort, remoteEspPort } = options
    const resume = takeTicket()
    const path: Path = {
      local: { address: radio.localAddress, port: radio.firstPort },
      remote: { address: route.address, port: localIkePort === null ? remoteEspPort : remoteIkePort },
    }
    driver.command({
      kind: 'initiate',
      peer: {
        path,
        localId: fqdn(identity),
        remoteId: fqdn(options.remoteIdentity),
        proof: proof.kind === 'psk' ? { kind: 'psk', secret: Uint8Array.from(proof.secret) } : proof,
        ...(ppk && { ppk: { ...ppk, secret: Uint8Array.from(ppk.secret) } }),
        ...(resume && { resume }),
        ...(route.redirectedFrom && { redirectedFrom: route.redirectedFrom }),
        requestTicket: true,
        protocol: radio.protocol,
        tsLocal: ['0.0.0.0/0', ...(remotePrefix6 === null ? [] : ['::/0'])].map(selectorOf),
        tsRemote: remotePrefixes.map(selectorOf),
        requestAddress: { ip4: true, ip6: remotePrefix6 !== null },
        label: identity,
      },
    })
  }

  /** Each is good for one return. */
  function takeTicket(): ResumptionTicket | null {
    const taken = ticket
    ticket = null
    return taken !== null && performance.now() < taken.untilMs ? taken.ticket : null
  }

  function onEvent(event: IkeEvent): void {
    const isFirst = event.kind === 'established' || event.kind === 'attemptFailed' || event.kind === 'redirected'
    if (!isFirst && (!('key' in event) || event.key !== key)) return
    switch (event.kind) {
      case 'established':
        attached(event)
        break
      case 'childEstablished':
      case 'childRekeyed':
        children.add(event.child.spiIn)
        break
      case 'childClosed':
        children.delete(event.spiIn)
        // Without a Child SA the IKE SA carries nothing: a router would begin anew.
        if (children.size === 0 && !stopped)
          driver.command({ kind: 'deleteIke', key: event.key, reason: 'deletedLocally' })
        break
      case 'closed':
        cutOff(event.reason)
        break
      case 'attemptFailed':
        if (event.reason !== 'redirected') {
          route.reset()
          if (key === null) cutOff(event.reason)
        }
        break
      case 'redirected':
        ticket = null // is good for who gave it, and whoever shares its keys
        route.follow(event.to, performance.now()).then(
          (isFollowed) => cutOff('redirected', isFollowed ? 0 : pauseMs),
          (error: unknown) => log.error({ err: error }, 'a redirect could not be followed'),
        )
        break
      case 'ticket':
        ticket = { ticket: event.ticket, untilMs: performance.now() + event.lifetimeMs }
        break
      case 'authLifetime':
        authenticateAgain(event.lifetimeMs)
        break
      case 'childRefused':
        // An IKE SA alone carries nothing: a router would begin anew.
        if (children.size === 0) driver.command({ kind: 'deleteIke', key: event.key, reason: 'deletedLocally' })
        break
      case 'moved':
        gateway = event.remote
        break
      case 'ikeRekeyed':
        break
      default:
        event satisfies never
    }
    for (const handler of eventHandlers) handler(event)
  }

  function attached(event: IkeEvent & { kind: 'established' }): void {
    // The gateway has put the new attachment in the place of the old one.
    if (key !== null) driver.command({ kind: 'deleteIke', key, reason: 'superseded' })
    key = event.key
    gateway = event.ike.path.remote
    children.clear()
    if (renewal) clearTimeout(renewal)
    pauseMs = FIRST_PAUSE_MS
    const { ip4, ip6 } = event
    if (ip4 === null && ip6 === null) return
    configured = configured
      .then(() => configureTun({ ...options.tun, ...interfaceOf({ ip4, ip6 }) }))
      .then(() => {
        if (key !== event.key) return // cut off meanwhile
        addresses = { ip4, ip6 }
        log.info({ address4: ip4, address6: ip6 }, 'attached')
        for (const handler of attachedHandlers) handler(listOf(addresses))
      })
      .catch((error: unknown) => log.error({ err: error }, 'the TUN of the device could not be configured'))
  }

  /** Its addresses, and routes of the families that it has. */
  function interfaceOf({ ip4, ip6 }: typeof addresses): { addresses: string[]; routes: string[] } {
    return {
      addresses: [...(ip4 === null ? [] : [`${ip4}/32`]), ...(ip6 === null ? [] : [`${ip6}/128`])],
      routes: remotePrefixes.filter((prefix) => (prefix.includes(':') ? ip6 : ip4) !== null),
    }
  }

  /** A new attachment beside the one that stands (RFC 4478), proven as the first one was. */
  function authenticateAgain(lifetimeMs: number): void {
    if (renewal) clearTimeout(renewal)
    renewal = setTimeout(() => {
      ticket = null
      initiate()
    }, lifetimeMs * REAUTHENTICATE_AT)
  }

  function cutOff(reason: string, againInMs = pauseMs): void {
    key = null
    addresses = NO_ADDRESSES
    if (renewal) clearTimeout(renewal)
    if (stopped || timer) return
    log.info({ reason, againInMs }, 'not attached')
    timer = setTimeout(() => {
      timer = null
      initiate()
    }, againInMs)
    pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)
  }

  radio.subscribe(identity, onEvent)
  radio.onMoved((local) => {
    if (key !== null && gateway !== null) driver.command({ kind: 'moveTo', key, path: { local, remote: gateway } })
  })
  initiate()
  return {
    identity,
    dataPlane: radio.dataPlane,
    driver,
    get address4() {
      return addresses.ip4
    },
    get address6() {
      return addresses.ip6
    },
    get key() {
      return key
    },
    onAttached(handler) {
      attachedHandlers.push(handler)
      const known = listOf(addresses)
      if (known.length > 0) handler(known)
    },
    onEvent: (handler) => void eventHandlers.push(handler),
    async stop() {
      stopped = true
      if (timer) clearTimeout(timer)
      if (renewal) clearTimeout(renewal)
      if (key !== null) driver.command({ kind: 'deleteIke', key, reason: 'shutdown' })
      await configured
    },
  }
}

function listOf({ ip4, ip6 }: { readonly ip4: string | null; readonly ip6: string | null }): string[] {
  return [ip4, ip6].filter((address) => address !== null)
}

function fqdn(name: string): { type: number; data: Uint8Array } {
  return { type: ID_FQDN, data: new TextEncoder().encode(name) }
}
