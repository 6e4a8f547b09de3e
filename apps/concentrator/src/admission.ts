/**
 * The concentrator's side of the core's questions and events: who may attach, and what is then known about it.
 *
 * A device gets its stable addresses: selectors are these and the LANs registered for the device on its side, and the service prefixes
 * on ours, with the pools of its network where devices may reach each other.
 * The newest attachment of a device replaces the older one, also when both were admitted before either stood. What stands in the
 * core stands in the registry, or is ended: nothing may run that a revocation would not find. A device of which something changed
 * between admission and attachment is looked up once more. Identities never reach the log above debug;
 * a failed attempt names the device by our id of it.
 */
import {
  DearProofs,
  wipeDevice,
  type AttachmentRegistry,
  type CachedDevice,
  type CredentialCache,
  type ForgettingWatch,
} from '@culvert/concentrator-core'
import { createDecoyKeys, type Rng } from '@culvert/crypto'
import type {
  Answer,
  AttachGrant,
  AttachmentKey,
  CloseReason,
  EapSession,
  IkeEvent,
  Question,
  Spi,
  TrafficSelector,
} from '@culvert/ikev2'
import type { Logger } from '@culvert/observability'
import { createAttachBudget } from './attach-budget.ts'
import type { AttemptLog } from './attempt-log.ts'
import { createCredentialAnswers } from './credential-answers.ts'
import type { CredentialDesk } from './credential-desk.ts'
import { createEapDesk } from './eap-desk.ts'
import type { GrantRenewal } from './grant-renewal.ts'
import { addressesOf, grantOfLease, leaseOf, neighboursOf, type Lease, type ServicePrefixes } from './lease.ts'
import type { Placements } from './placements.ts'
import type { Realm } from './realm.ts'
import { createSpentTickets } from './spent-tickets.ts'
import type { StateWriter } from './state-writer.ts'

/** What an attachment was granted, until it stands or is closed. */
interface Granted {
  readonly device: GrantedDevice
  readonly lease: Lease
  readonly watch: ForgettingWatch
}

type GrantedDevice = Pick<CachedDevice, 'deviceId' | 'organizationId' | 'identity' | 'lanPrefixes' | 'pools' | 'limits'>

/** Whoever proves itself claims first; EAP takes its rounds between. */
const MOST_CLAIMS = 20_000

export interface Admission {
  answer(question: Question): Promise<Answer | null>
  onEvent(event: IkeEvent): void
  /** Ends an attachment. A revoked one is gone at once, whether or not the device ever answers our Delete. */
  end(key: AttachmentKey, reason: CloseReason): void
  seen(key: AttachmentKey): void
  endEap(session: EapSession): void
  /** Ends what is under way with devices that are not attached yet. */
  stop(): void
}

export interface AdmissionOptions {
  readonly desk: CredentialDesk
  readonly realm: Realm
  readonly cache: Pick<CredentialCache, 'watch'>
  readonly registry: AttachmentRegistry
  readonly writer: StateWriter
  readonly placements: Placements
  readonly renewal: Pick<GrantRenewal, 'consider'>
  readonly attempts: AttemptLog
  /** Tells the IKE core to end an attachment. */
  readonly deleteIke: (key: AttachmentKey, reason: CloseReason) => void
  readonly rng: Rng
  /** Our IKE identity. */
  readonly ikeIdentity: string
  readonly servicePrefixes: ServicePrefixes
  /** For an address or a prefix. */
  readonly hostSelector: (address: string) => TrafficSelector
  /** Of a resumption ticket; 0 gives none. */
  readonly ticketLifetimeMs: number
  readonly log: Logger
}

export function createAdmission(options: AdmissionOptions): Admission {
  const { desk, realm, cache, registry, writer, placements, attempts, log } = options
  /** Under which identity a device was found that is about to prove itself, or has. */
  const claims = new Map<string, string>()
  const grants = new Map<AttachmentKey, Granted>()
  /** Attachments that are being looked at; whatever is closed meanwhile is granted nothing. */
  const asking = new Set<AttachmentKey>()
  const budget = createAttachBudget()
  const dearProofs = new DearProofs()
  const tickets = createSpentTickets()
  const credentials = createCredentialAnswers({
    desk,
    realm,
    decoys: createDecoyKeys(),
    dearProofs,
    onClaim(idI, device, doubt) {
      attempts.claimed(idI, device.deviceId, doubt)
      remember(device)
    },
  })
  const eap = createEapDesk({
    desk,
    realm,
    serverName: options.ikeIdentity,
    rng: options.rng,
    onProven: remember,
    onClaim: (remote, device) => attempts.claimedInEap(remote, device?.deviceId ?? null),
  })

  function remember({ deviceId, identity }: CachedDevice): void {
    claims.delete(deviceId)
    claims.set(deviceId, identity)
    if (claims.size > MOST_CLAIMS) {
      const oldest = claims.keys().next()
      if (!oldest.done) claims.delete(oldest.value)
    }
  }

  /** @returns the device when this credential of it is valid now, null when not, undefined when it cannot be known now. */
  async function findValid(subject: string, credentialId: string | null): Promise<CachedDevice | null | undefined> {
    const identity = claims.get(subject)
    const device = identity === undefined ? null : await desk.findByName(identity)
    if (device === undefined) return undefined
    if (device) wipeDevice(device)
    const isValid = device?.deviceId === subject && device.credentials.some(({ id }) => id === credentialId)
    return isValid ? device : null
  }

  async function resume(question: Question & { kind: 'resume' }): Promise<Answer | null> {
    const { idI, subject, credential, ticketId } = question
    const claimed = await desk.find(idI)
    if (claimed) {
      wipeDevice(claimed)
      attempts.claimed(idI, claimed.deviceId, null)
      if (claimed.deviceId === subject) remember(claimed)
    }
    const device = await findValid(subject, credential)
    if (device === undefined) return null
    const isAllowed = device !== null && isGoodEnough(device, question)
    return { kind: 'resume', isAllowed: isAllowed && tickets.spend(ticketId, performance.now()) }
  }

  /**
   * What was proven is looked at once more, for EAP and tickets take their time.
   *
   * @returns null when it cannot be known now, for a device that comes too often, and when the node is full: it will repeat its
   *   request, and be heard later.
   */
  async function grant(question: Question & { kind: 'attach' }): Promise<Answer | null> {
    const { key, subject } = question
    const watch = cache.watch()
    asking.add(key)
    const device = await findValid(subject, question.credential)
    const isAwaited = asking.delete(key)
    const isHeard = device === null || (device !== undefined && budget.take(subject, performance.now()))
    // Not before: one device that walks through addresses would have those of all others forgotten.
    if (device && isHeard) dearProofs.proven(question.credential, question.path.remote.address)
    const lease = device && leaseOf(device, question.requested, options.servicePrefixes)
    const placed = lease && { deviceId: subject, addresses: addressesOf(lease), limits: device.limits }
    if (!device || !lease || !placed || !isHeard || !isAwaited || !placements.hold(key, placed)) {
      watch.end()
      return device === null ? { kind: 'attach', grant: null, refusal: 'refused' } : null
    }
    grants.get(key)?.watch.end()
    grants.set(key, { device, lease, watch })
    return { kind: 'attach', grant: grantOf(device, lease) }
  }

  function grantOf(device: CachedDevice, lease: Lease): AttachGrant {
    const { reauthenticateAfterSec } = device
    const current = registry.byDevice(device.deviceId)
    return {
      ...grantOfLease(lease, options.servicePrefixes, device, options.hostSelector),
      authLifetimeMs: reauthenticateAfterSec === null ? null : reauthenticateAfterSec * 1000,
      ticketLifetimeMs: options.ticketLifetimeMs || null,
      replaces: current?.state === 'attached' ? [current.key] : [],
    }
  }

  function onEvent(event: IkeEvent): void {
    const nowMs = performance.now()
    switch (event.kind) {
      case 'established':
        attach(event, nowMs)
        return
      case 'ikeRekeyed': {
        const record = registry.byKey(event.key)
        if (!record) return
        record.ike = event.ike
        record.ikeEstablishedAtMs = nowMs
        record.ikeRekeys++
        writer.touch(record.deviceId, false)
        return
      }
      case 'childEstablished':
      case 'childRekeyed': {
        const record = registry.byKey(event.key)
        if (!record) return
        record.children = record.children.concat({ summary: event.child, installedAtMs: nowMs })
        if (event.kind === 'childRekeyed') record.childRekeys++
        writer.touch(record.deviceId, false)
        return
      }
      case 'childClosed':
        closeChild(event.key, event.spiIn)
        return
      case 'moved': {
        const record = registry.byKey(event.key)
        if (!record) return
        record.remote = event.remote
        record.ike = { ...record.ike, peerBehindNat: event.peerBehindNat }
        log.info({ deviceId: record.deviceId }, 'device moved to another outer address')
        writer.touch(record.deviceId, false)
        return
      }
      case 'closed': {
        asking.delete(event.key)
        takeGrant(event.key)
        placements.release(event.key)
        detach(event.key, event.reason)
        return
      }
      case 'attemptFailed':
        attempts.failed(event, nowMs)
        return
      case 'childRefused': {
        const record = registry.byKey(event.key)
        if (record) attempts.childRefused({ ...event, deviceId: record.deviceId, remote: record.remote })
        return
      }
      case 'redirected':
      case 'ticket':
      case 'authLifetime':
      case 'ikeKeys':
        return
      default:
        event satisfies never
    }
  }

  function attach(event: IkeEvent & { kind: 'established' }, nowMs: number): void {
    const granted = takeGrant(event.key)
    if (!granted || event.credential === null) {
      log.error({ deviceId: event.subject }, 'an attachment stands that was not granted; ending it')
      end(event.key, 'revoked')
      return
    }
    const { device, lease, watch } = granted
    const older = registry.byDevice(event.subject)
    registry.attach({
      key: event.key,
      deviceId: event.subject,
      organizationId: device.organizationId,
      ...lease,
      lanPrefixes: device.lanPrefixes,
      neighbours: neighboursOf(lease, device),
      offered: null,
      credentialId: event.credential,
      attachedAtMs: nowMs,
      state: 'attached',
      ike: event.ike,
      ikeEstablishedAtMs: nowMs,
      initiatedIke: event.role === 'initiator',
      children: [],
      remote: event.ike.path.remote,
      ikeRekeys: 0,
      childRekeys: 0,
      lastSeenAtMs: nowMs,
      detachedAtMs: null,
      detachReason: null,
    })
    log.info({ deviceId: event.subject, proof: event.proof }, 'device attached')
    writer.touch(event.subject, true)
    // Whoever was admitted at the same time could not be named in `replaces`. The registry has lost it, so its traffic ends now.
    if (older?.state === 'attached') end(older.key, 'revoked')
    if (watch.hasForgotten(event.subject)) {
      lookAgain(event.key, device, event.credential).catch((error: unknown) =>
        log.error({ err: error }, 'looking a device up again failed'),
      )
    }
  }

  /** Ends the attachment if the credential that was proven is not valid any more, or a LAN that was granted is not the device's; offers what came since. */
  async function lookAgain(
    key: AttachmentKey,
    { identity, lanPrefixes }: GrantedDevice,
    credentialId: string,
  ): Promise<void> {
    const device = await desk.findByName(identity)
    if (device === undefined) return // Postgres is away; the reconciler will find out
    if (device) {
      wipeDevice(device)
      placements.limit(device.deviceId, device.limits)
      options.renewal.consider(device)
    }
    const hasLans = lanPrefixes.every((prefix) => device?.lanPrefixes.includes(prefix))
    if (hasLans && device?.credentials.some(({ id }) => id === credentialId)) return
    end(key, 'revoked')
  }

  function takeGrant(key: AttachmentKey): Granted | undefined {
    const granted = grants.get(key)
    granted?.watch.end()
    grants.delete(key)
    return granted
  }

  function end(key: AttachmentKey, reason: CloseReason): void {
    options.deleteIke(key, reason)
    if (reason === 'revoked') detach(key, reason)
  }

  function detach(key: AttachmentKey, reason: CloseReason): void {
    const record = registry.detach(key, reason, performance.now())
    if (!record) return
    log.info({ deviceId: record.deviceId, reason }, 'device detached')
    writer.touch(record.deviceId, true)
  }

  function closeChild(key: AttachmentKey, spiIn: Spi): void {
    const record = registry.byKey(key)
    const left = record?.children.filter(({ summary }) => summary.spiIn !== spiIn) ?? []
    if (!record || left.length === record.children.length) return
    record.children = left
    writer.touch(record.deviceId, false)
  }

  return {
    async answer(question) {
      switch (question.kind) {
        case 'credential':
          return credentials.answer(question)
        case 'eap':
          return eap.answer(question)
        case 'resume':
          return resume(question)
        case 'attach':
          return grant(question)
        case 'trust':
          return null // is for initiators
      }
    },
    onEvent,
    end,
    seen(key) {
      const record = registry.byKey(key)
      if (record) record.lastSeenAtMs = performance.now()
    },
    endEap: (session) => eap.end(session),
    stop: () => eap.stop(),
  }
}

/** What is asked of a device may have grown since its ticket was made. */
function isGoodEnough(
  { tiers, credentials }: CachedDevice,
  { tier, ppkMixed }: Question & { kind: 'resume' },
): boolean {
  const needsPpk = credentials.some((credential) => credential.kind === 'ppk' && credential.isRequired)
  return (tier === null || tiers.includes(tier)) && (ppkMixed || !needsPpk)
}
