/**
 * The concentrator's side of the core's questions and events: who may attach, and what is then known about it.
 *
 * A device gets its stable address and nothing else: selectors are its own address on its side and the service prefix on ours.
 * The newest attachment of a device replaces the older one, also when both were admitted before either stood. What stands in the
 * core stands in the registry, or is ended: nothing may run that a revocation would not find. A device of which something changed
 * between admission and attachment is looked up once more. Identities never reach the log above debug;
 * a failed attempt names the device by our id of it.
 */
import type { AttachmentRegistry, CachedCredential, CredentialCache, ForgettingWatch } from '@culvert/concentrator-core'
import type {
  Answer,
  AttachmentKey,
  CloseReason,
  Identity,
  IkeEvent,
  Question,
  Spi,
  TrafficSelector,
} from '@culvert/ikev2'
import type { Logger } from '@culvert/observability'
import { createAttachBudget } from './attach-budget.ts'
import { createAttemptLog } from './attempt-log.ts'
import type { CredentialDesk } from './credential-desk.ts'
import type { StateWriter } from './state-writer.ts'

/** What was promised to an identity between the two questions of an attach. */
interface Claim {
  readonly idI: Identity
  readonly organizationId: string
  readonly address4: string
}

/** A claim that was granted, until the attachment stands or is closed. */
interface Granted {
  readonly claim: Claim
  readonly watch: ForgettingWatch
}

/** A claim is read in the same turn in which it is made, so few are enough. */
const MOST_CLAIMS = 1000

export interface Admission {
  answer(question: Question): Promise<Answer | null>
  onEvent(event: IkeEvent): void
  /** Ends an attachment. A revoked one is gone at once, whether or not the device ever answers our Delete. */
  end(key: AttachmentKey, reason: CloseReason): void
  seen(key: AttachmentKey): void
}

export function createAdmission(options: {
  desk: CredentialDesk
  cache: Pick<CredentialCache, 'watch'>
  registry: AttachmentRegistry
  writer: StateWriter
  /** Tells the IKE core to end an attachment. */
  deleteIke: (key: AttachmentKey, reason: CloseReason) => void
  servicePrefix: TrafficSelector
  hostSelector: (address4: string) => TrafficSelector
  log: Logger
}): Admission {
  const { desk, cache, registry, writer, log } = options
  const claims = new Map<string, Claim>()
  const grants = new Map<AttachmentKey, Granted>()
  const budget = createAttachBudget()
  const attempts = createAttemptLog(log)

  async function findCredential(question: Question & { kind: 'credential' }): Promise<Answer | null> {
    const credential = await desk.find(question.idI)
    if (credential === undefined) return null
    if (credential) attempts.claimed(question.idI, credential.deviceId)
    if (!credential || credential.psks.length === 0) return { kind: 'credential', found: null }
    remember(question.idI, credential)
    return {
      kind: 'credential',
      found: {
        subject: credential.deviceId,
        candidates: credential.psks.map(({ id, secret }) => ({ kind: 'psk', id, secret })),
      },
    }
  }

  function remember(idI: Identity, credential: CachedCredential): void {
    claims.delete(credential.deviceId)
    claims.set(credential.deviceId, {
      idI,
      organizationId: credential.organizationId,
      address4: credential.address4,
    })
    if (claims.size > MOST_CLAIMS) {
      const oldest = claims.keys().next()
      if (!oldest.done) claims.delete(oldest.value)
    }
  }

  /** @returns null for a device that comes too often: it will repeat its request, and be heard later. */
  function grant(question: Question & { kind: 'attach' }): Answer | null {
    const claim = claims.get(question.subject)
    if (claim && !budget.take(question.subject, performance.now())) return null
    if (!claim) return { kind: 'attach', grant: null, refusal: 'refused' }
    grants.get(question.key)?.watch.end()
    grants.set(question.key, { claim, watch: cache.watch() })
    const current = registry.byDevice(question.subject)
    return {
      kind: 'attach',
      grant: {
        ip4: claim.address4,
        ip6: null,
        dns4: [],
        tsLocal: [options.servicePrefix],
        tsRemote: [options.hostSelector(claim.address4)],
        replaces: current?.state === 'attached' ? [current.key] : [],
      },
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
        writer.touch(record.deviceId, false)
        return
      }
      case 'childEstablished':
      case 'childRekeyed': {
        const record = registry.byKey(event.key)
        if (!record) return
        record.children.set(event.child.spiIn, { summary: event.child, installedAtMs: nowMs })
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
        log.info({ deviceId: record.deviceId }, 'device moved to another outer address')
        writer.touch(record.deviceId, false)
        return
      }
      case 'closed': {
        takeGrant(event.key)
        detach(event.key, event.reason)
        return
      }
      case 'attemptFailed':
        attempts.failed(event, nowMs)
        return
      case 'childRefused':
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
    const { claim, watch } = granted
    const older = registry.byDevice(event.subject)
    registry.attach({
      key: event.key,
      deviceId: event.subject,
      organizationId: claim.organizationId,
      address4: claim.address4,
      credentialId: event.credential,
      attachedAtMs: nowMs,
      state: 'attached',
      ike: event.ike,
      ikeEstablishedAtMs: nowMs,
      initiatedIke: event.role === 'initiator',
      children: new Map(),
      remote: event.ike.path.remote,
      lastSeenAtMs: nowMs,
      detachedAtMs: null,
      detachReason: null,
    })
    log.info({ deviceId: event.subject }, 'device attached')
    writer.touch(event.subject, true)
    // Whoever was admitted at the same time could not be named in `replaces`. The registry has lost it, so its traffic ends now.
    if (older?.state === 'attached') end(older.key, 'revoked')
    if (watch.hasForgotten(event.subject)) {
      lookAgain(event.key, claim, event.credential).catch((error: unknown) =>
        log.error({ err: error }, 'looking a device up again failed'),
      )
    }
  }

  /** Ends the attachment if the credential that was proven is not valid any more. */
  async function lookAgain(key: AttachmentKey, claim: Claim, credentialId: string): Promise<void> {
    const credential = await desk.find(claim.idI)
    if (credential === undefined) return // Postgres is away; the reconciler will find out
    if (credential?.psks.some(({ id }) => id === credentialId)) return
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
    if (!record?.children.delete(spiIn)) return
    writer.touch(record.deviceId, false)
  }

  return {
    async answer(question) {
      if (question.kind === 'credential') return findCredential(question)
      return question.kind === 'attach' ? grant(question) : null
    },
    onEvent,
    end,
    seen(key) {
      const record = registry.byKey(key)
      if (record) record.lastSeenAtMs = performance.now()
    },
  }
}
