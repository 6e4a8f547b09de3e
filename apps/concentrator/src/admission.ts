/**
 * The concentrator's side of the core's questions and events: who may attach, and what is then known about it.
 *
 * A device gets its stable address and nothing else: selectors are its own address on its side and the service prefix on ours.
 * The newest attachment of a device replaces the older one. Identities never reach the log above debug.
 */
import type { AttachmentRegistry, CachedCredential } from '@culvert/concentrator-core'
import type { Answer, AttachmentKey, IkeEvent, Question, Spi, TrafficSelector } from '@culvert/ikev2'
import type { Logger } from '@culvert/observability'
import { identityText, type CredentialDesk } from './credential-desk.ts'
import type { StateWriter } from './state-writer.ts'

/** What was promised to an identity between the two questions of an attach. */
interface Claim {
  readonly organizationId: string
  readonly address4: string
  readonly credentialIds: readonly string[]
}

const MOST_CLAIMS = 20_000

export interface Admission {
  answer(question: Question): Promise<Answer | null>
  onEvent(event: IkeEvent): void
  seen(key: AttachmentKey): void
}

export function createAdmission(options: {
  desk: CredentialDesk
  registry: AttachmentRegistry
  writer: StateWriter
  servicePrefix: TrafficSelector
  hostSelector: (address4: string) => TrafficSelector
  log: Logger
}): Admission {
  const { desk, registry, writer, log } = options
  const claims = new Map<string, Claim>()

  async function findCredential(question: Question & { kind: 'credential' }): Promise<Answer | null> {
    const credential = await desk.find(question.idI)
    if (credential === undefined) return null
    if (!credential || credential.psks.length === 0) return { kind: 'credential', found: null }
    remember(credential)
    return {
      kind: 'credential',
      found: { subject: credential.deviceId, psks: credential.psks.map(({ secret }) => secret) },
    }
  }

  function remember(credential: CachedCredential): void {
    claims.delete(credential.deviceId)
    claims.set(credential.deviceId, {
      organizationId: credential.organizationId,
      address4: credential.address4,
      credentialIds: credential.psks.map(({ id }) => id),
    })
    if (claims.size > MOST_CLAIMS) {
      const oldest = claims.keys().next()
      if (!oldest.done) claims.delete(oldest.value)
    }
  }

  function grant(question: Question & { kind: 'attach' }): Answer {
    const claim = claims.get(question.subject)
    if (!claim) return { kind: 'attach', grant: null, refusal: 'refused' }
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
      case 'established': {
        const claim = claims.get(event.subject)
        if (!claim) return
        registry.attach({
          key: event.key,
          deviceId: event.subject,
          organizationId: claim.organizationId,
          address4: claim.address4,
          credentialIds: claim.credentialIds,
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
        return
      }
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
        const record = registry.detach(event.key, event.reason, nowMs)
        if (!record) return
        log.info({ deviceId: record.deviceId, reason: event.reason }, 'device detached')
        writer.touch(record.deviceId, true)
        return
      }
      case 'attemptFailed':
        log.info({ reason: event.reason, detail: event.detail }, 'an attach attempt failed')
        log.debug(
          { identity: event.idI ? identityText(event.idI) : null, from: event.path.remote },
          'the attempt came from',
        )
        return
      default:
        event satisfies never
    }
  }

  function closeChild(key: AttachmentKey, spiIn: Spi): void {
    const record = registry.byKey(key)
    if (!record?.children.delete(spiIn)) return
    writer.touch(record.deviceId, false)
  }

  return {
    async answer(question) {
      return question.kind === 'credential' ? findCredential(question) : grant(question)
    },
    onEvent,
    seen(key) {
      const record = registry.byKey(key)
      if (record) record.lastSeenAtMs = performance.now()
    },
  }
}
