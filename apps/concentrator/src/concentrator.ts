/**
 * One concentrator: IKE on the main thread, packets in the data plane, state behind, desired state in front.
 *
 * Start order matters: the incarnation is drawn before any SA can exist, the TUN stands before the first device is let in, and
 * the node says `ready` last. Stop goes the other way: devices are told (Delete), state is written, then sockets close.
 */
import { readSealingKeys } from '@culvert/config'
import {
  createAttachmentRegistry,
  createCredentialCache,
  createIkeSpiAllocator,
  createSubjectTable,
  type AttachmentRegistry,
  selectorOf,
} from '@culvert/concentrator-core'
import {
  configureTun,
  ensureNamespace,
  kernelHasIpv6,
  openCrypto,
  openDataPlane,
  openIkePort,
  type DataPlane,
} from '@culvert/dataplane'
import {
  addDeviceUsage,
  createKeyRing,
  forgetRestedHosts,
  freeHostMapping,
  openPool,
  readHostMappings,
  readRedirect,
  readWantedHosts,
  registerConcentrator,
  writeAttachments,
  writeAttempts,
  writeHostMapping,
  type Pool,
  tellQuotaExhausted,
} from '@culvert/db'
import { SPI_INDEX_COUNT, SpiAllocator, SYNTHETIC_PREFIX } from '@culvert/esp'
import {
  createIkeDriver,
  createSystemRng,
  openKeyLog,
  openPlainSockets,
  type IkeDriver,
  type KeyLog,
} from '@culvert/ike-driver'
import { createEndpoint, type IkeEvent, type TicketVault } from '@culvert/ikev2'
import type { Logger } from '@culvert/observability'
import { createAdmission, type Admission } from './admission.ts'
import { createAttemptLog } from './attempt-log.ts'
import { createAttemptWriter } from './attempt-writer.ts'
import { startCommandIntake } from './command-intake.ts'
import { createCredentialDesk } from './credential-desk.ts'
import { createDevicePolicies, type DevicePolicies } from './device-policies.ts'
import { startHeartbeat } from './heartbeat.ts'
import { startIdleCollector } from './idle-collector.ts'
import { endpointConfigOf } from './ike-policy.ts'
import { createGrantRenewal } from './grant-renewal.ts'
import { createHostKeeper, HOST_QUARANTINE_MS, type HostKeeper, type HostStore } from './host-keeper.ts'
import { createPlacements, type Placements } from './placements.ts'
import { createPolicyEnforcer } from './policy-enforcer.ts'
import { createRealm } from './realm.ts'
import { createRedirector } from './redirector.ts'
import { outerAddressesOf, type ConcentratorSettings } from './settings.ts'
import { createStateWriter } from './state-writer.ts'
import { createTicketVault } from './ticket-vault.ts'

export interface Concentrator {
  readonly dataPlane: DataPlane
  readonly attachedCount: number
  /** Tells every device, writes what is left to write and closes. */
  stop(): Promise<void>
}

const CREDENTIAL_CACHE = { entries: 20_000, freshMs: 30_000, staleMs: 3_600_000, unknownMs: 30_000 }

export async function startConcentrator(
  settings: ConcentratorSettings,
  log: Logger,
  onFailure: (error: Error) => void,
): Promise<Concentrator> {
  const pool = openPool(settings.databaseUrl, {
    max: 6,
    applicationName: `concentrator ${settings.nodeName}`,
    role: 'culvert_concentrator',
  })
  try {
    return await assemble(settings, log, onFailure, pool)
  } catch (error) {
    await pool.end()
    throw error
  }
}

async function assemble(
  settings: ConcentratorSettings,
  log: Logger,
  onFailure: (error: Error) => void,
  pool: Pool,
): Promise<Concentrator> {
  const crypto = await openCrypto()
  // The first one also seals tickets: nodes have them in the same order.
  const sealingKeys = await readSealingKeys(settings.sealingPrivateKeyFile, 'SEALING_PRIVATE_KEY_FILE')
  const inner6 = usableInner6(settings, log)
  const incarnation = await registerConcentrator(pool, {
    id: settings.nodeName,
    slot: settings.slot,
    addresses: [...outerAddressesOf(settings)],
    ikeIdentity: settings.ikeIdentity,
    tunNamespace: settings.tunNamespace,
    dialAddress: settings.dialAddress,
    dialAddress6: inner6?.dialAddress ?? null,
  })
  const registry = createAttachmentRegistry()
  const cache = createCredentialCache(CREDENTIAL_CACHE)
  const writer = createStateWriter({
    write: (batch) => writeAttachments(pool, settings.nodeName, batch),
    registry,
    log,
  })
  let started: IkeDriver | null = null
  const realm = createRealm({
    pool,
    nodeName: settings.nodeName,
    command: (command) => started?.command(command),
    log,
  })
  const subjects = createSubjectTable(settings.maxDevices)
  let plane: DataPlane | null = null
  const policies = createDevicePolicies({
    plane: () => plane,
    subjects,
    write: (used) => addDeviceUsage(pool, used),
    tell: (deviceId) => tellQuotaExhausted(pool, deviceId),
    now: () => new Date(),
    log,
  })
  const placements = createPlacements(subjects, policies)
  const servicePrefixes = { ip4: selectorOf(settings.servicePrefix), ip6: inner6 && selectorOf(inner6.servicePrefix) }
  const renewal = createGrantRenewal({
    registry,
    servicePrefixes,
    hostSelector: selectorOf,
    command: (command) => started?.command(command),
    nowMs: () => performance.now(),
    log,
  })
  const attempts = createAttemptWriter({ write: (batch) => writeAttempts(pool, settings.nodeName, batch), log })
  const admission = createAdmission({
    desk: createCredentialDesk({ pool, cache, secrets: createKeyRing(sealingKeys, crypto), log }),
    realm,
    cache,
    registry,
    writer,
    placements,
    attempts: createAttemptLog({ log, store: (attempt) => attempts.add(attempt), tiers: () => realm.tiers }),
    deleteIke: (key, reason) => started?.command({ kind: 'deleteIke', key, reason }),
    rng: createSystemRng(),
    ikeIdentity: settings.ikeIdentity,
    renewal,
    servicePrefixes,
    hostSelector: selectorOf,
    ticketLifetimeMs: settings.ticketLifetimeSec * 1000,
    log,
  })
  const tickets = createTicketVault(sealingKeys[0], () => Date.now())
  let hosts: HostKeeper | null = null
  const onAttachmentEvent = (event: IkeEvent): void => {
    renewal.onEvent(event)
    const deviceId = deviceOf(event, registry)
    if (deviceId !== null) hosts?.deviceChanged(deviceId)
  }
  const packets = {
    settings,
    inner6,
    incarnation,
    admission,
    placements,
    policies,
    onAttachmentEvent,
    tickets,
    log,
    onFailure,
  }
  const { driver, dataPlane, closeSockets } = await startPackets(packets)
  started = driver
  plane = dataPlane
  await realm.refresh()
  const enforcer = createPolicyEnforcer({
    pool,
    nodeName: settings.nodeName,
    registry,
    cache,
    close: (key, reason) => admission.end(key, reason),
    update: (work) => policies.update(work.deviceId, work.limits),
    renew: (work) => renewal.consider(work),
    rewrite: (deviceId) => writer.rewrite(deviceId),
    log,
  })
  hosts = createHostKeeper({
    store: hostStore(pool, settings.nodeName),
    registry,
    subjectOf: (deviceId) => subjects.subjectOf(deviceId),
    dataPlane,
    nowMs: () => performance.now(),
    log,
  })
  const { nodeName } = settings
  const redirector = createRedirector({
    read: () => readRedirect(pool, nodeName),
    registry,
    command: (command) => driver.command(command),
    nowMs: () => performance.now(),
    log,
  })
  const intake = startCommandIntake({ settings, enforcer, hosts, redirector, cache, realm, log })
  const looked = { enforcer, hosts, redirector, policies }
  const heartbeat = startHeartbeat({ pool, nodeName, registry, dataPlane, ...looked, log })
  await heartbeat.beat('ready')
  log.info({ dataPlane: dataPlane.description, addresses: outerAddressesOf(settings) }, 'concentrator ready')

  return {
    dataPlane,
    get attachedCount() {
      return registry.attachedCount
    },
    async stop() {
      await intake.stop()
      heartbeat.stop()
      renewal.stop()
      await realm.stop()
      admission.stop()
      for (const record of registry.attached()) {
        driver.command({ kind: 'deleteIke', key: record.key, reason: 'shutdown' })
        const gone = registry.detach(record.key, 'shutdown', performance.now())
        if (gone) writer.touch(record.deviceId, true)
      }
      await writer.drain(3000)
      await policies.count().catch(() => {})
      writer.stop()
      await attempts.stop()
      await heartbeat.beat('stopped').catch(() => {})
      driver.close()
      await closeSockets()
      await pool.end()
    },
  }
}

/** Namespace, TUN, both UDP sockets and the driver between them and the IKE core. */
async function startPackets(options: {
  settings: ConcentratorSettings
  inner6: ConcentratorSettings['inner6']
  incarnation: number
  admission: Admission
  placements: Placements
  policies: DevicePolicies
  /** After admission has heard of it. */
  onAttachmentEvent: (event: IkeEvent) => void
  tickets: TicketVault
  log: Logger
  onFailure: (error: Error) => void
}): Promise<{ driver: IkeDriver; dataPlane: DataPlane; closeSockets: () => Promise<void> }> {
  const { settings, inner6, incarnation, admission, placements, policies, log, onFailure } = options
  const { espPort, ikePort, tunNamespace, tunName } = settings
  const addresses = outerAddressesOf(settings)
  let driver: IkeDriver | null = null
  await ensureNamespace(tunNamespace)
  const dataPlane = await openDataPlane(
    {
      bind: addresses.map((address) => ({ address, port: espPort })),
      tun: { name: tunName, namespace: tunNamespace, mtuBytes: settings.tunMtuBytes },
      role: { kind: 'concentrator', dialAddresses: [settings.dialAddress, ...(inner6 ? [inner6.dialAddress] : [])] },
      incarnation,
      nodeSlot: settings.slot,
      maxSas: mostChildSas(settings),
      maxSubjects: settings.maxDevices,
      replayWindowPackets: 1024,
      lifetime: settings.childLifetime,
      dataThreads: settings.dataThreads,
      outer: { pathMtu: settings.pathMtu, dscp: settings.dscp },
      nativeEsp: settings.nativeEsp,
      ah: settings.ah,
      ...(settings.rung ? { rung: settings.rung } : {}),
    },
    {
      onIke: (bytes, path) => driver?.datagram(bytes, path),
      onInboundTraffic(spiIn) {
        driver?.inboundTraffic(spiIn)
        const key = driver?.keyOf(spiIn)
        if (key !== undefined) admission.seen(key)
      },
      onPeerMoved: (spiIn, remote) => driver?.peerMoved(spiIn, remote),
      onQuota: (subject) => policies.exhausted(subject),
      onSoftLimit: (spiIn) => driver?.softLimit(spiIn),
      onHardLimit: (spiIn) => driver?.hardLimit(spiIn),
      onFault: (error) => log.error({ err: error }, 'a packet met a bug in the data plane and was dropped'),
      onFailure,
    },
  )
  await configureTun({
    namespace: tunNamespace,
    name: tunName,
    mtuBytes: settings.tunMtuBytes,
    addresses: [`${settings.dialAddress}/32`, ...(inner6 ? [`${inner6.dialAddress}/128`] : [])],
    routes: [settings.poolPrefix, SYNTHETIC_PREFIX, ...(inner6 ? [inner6.poolPrefix] : [])],
  })
  const plain = await openPlainSockets(
    addresses.map((address) => ({ address, port: ikePort })),
    (bytes, path) => driver?.datagram(bytes, path),
    dataPlane.rung === 'native' ? openIkePort : undefined,
  )
  const rng = createSystemRng()
  const keyLog = openKeyLogOf(settings, log)
  const collector = startIdleCollector()
  const crypto = await openCrypto()
  driver = createIkeDriver({
    endpoint: createEndpoint(endpointConfigOf(settings)),
    dataPlane,
    espPort,
    sendPlain: (bytes, remote, local) => plain.send(bytes, remote, local),
    crypto,
    rng,
    incarnation,
    ikeSpis: createIkeSpiAllocator(settings.slot, rng),
    childSpis: new SpiAllocator(settings.slot, mostChildSas(settings), incarnation),
    tickets: options.tickets,
    ...(keyLog && { keyLog }),
    handlers: {
      endEap: (session) => admission.endEap(session),
      answer: (question) => admission.answer(question),
      placementOf: (key) => placements.of(key),
      onEvent(event) {
        if (event.kind === 'established' || event.kind === 'closed') collector.noteChange()
        admission.onEvent(event)
        options.onAttachmentEvent(event)
      },
      onError: (error) => log.error({ err: error }, 'the IKE driver met an error'),
    },
  })
  return {
    driver,
    dataPlane,
    async closeSockets() {
      collector.stop()
      await plain.close()
      await dataPlane.close()
    },
  }
}

/** A kernel without IPv6 cannot carry it inside either. */
function usableInner6({ inner6 }: ConcentratorSettings, log: Logger): ConcentratorSettings['inner6'] {
  if (inner6 === null || kernelHasIpv6()) return inner6
  log.warn('this kernel has no IPv6: devices get IPv4 addresses alone')
  return null
}

/** Says loudly that secrets leave this process. */
function openKeyLogOf({ keyLogFolder }: ConcentratorSettings, log: Logger): KeyLog | null {
  if (keyLogFolder === null) return null
  log.warn({ folder: keyLogFolder }, 'the keys of every SA are written to a folder: whoever reads it reads the traffic')
  return openKeyLog(keyLogFolder)
}

/** The device whose attachment or Child SAs changed. */
function deviceOf(event: IkeEvent, registry: AttachmentRegistry): string | null {
  if (event.kind === 'established' || event.kind === 'closed') return event.subject
  if (event.kind !== 'childEstablished' && event.kind !== 'childRekeyed') return null
  return registry.byKey(event.key)?.deviceId ?? null
}

function hostStore(pool: Pool, nodeName: string): HostStore {
  return {
    readWanted: () => readWantedHosts(pool, nodeName),
    readMapped: () => readHostMappings(pool, nodeName),
    write: (mapped) => writeHostMapping(pool, nodeName, mapped),
    free: (key) => freeHostMapping(pool, nodeName, key),
    forgetRested: () => forgetRestedHosts(pool, nodeName, HOST_QUARANTINE_MS),
  }
}

/** Child SAs a node holds: rekeys overlap, and some devices ask for more than one. */
function mostChildSas({ maxDevices }: ConcentratorSettings): number {
  return Math.min(SPI_INDEX_COUNT, maxDevices * 4)
}
