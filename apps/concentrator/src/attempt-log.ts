/**
 * What is told to people about failed attempts to attach, for which nobody has to prove anything: every one goes to the store,
 * which is bounded, and few into the log, or a flood of attempts becomes a flood of lines. What is left out is counted in the
 * next line. An attempt names the device whose identity was claimed by our own id of it, never by what the peer sent; that says
 * whose identity it was, not who claimed it.
 */
import { attemptReasonOf, readableProposals } from '@culvert/concentrator-core'
import type { AttachAttempt } from '@culvert/db'
import type { Identity, IkeEvent, Proposal, SocketAddress, TierName } from '@culvert/ikev2'
import type { Logger } from '@culvert/observability'
import type { Doubt } from './credential-answers.ts'
import { identityText } from './credential-desk.ts'
import { matchingTier, nearestProposal } from './nearest-proposal.ts'

const MOST_LINES = 20
const LINE_EVERY_MS = 1000
/** An attempt fails soon after its identity was found, so few are enough. */
const MOST_CLAIMED = 1000

type FailedAttempt = Extract<IkeEvent, { kind: 'attemptFailed' }>

/** A Child SA that was refused to an attached device. */
export interface RefusedChild {
  readonly deviceId: string
  readonly remote: SocketAddress
  /** Notify type the device heard. */
  readonly notify: number
  readonly offered: readonly Proposal[] | null
}

export interface AttemptLog {
  /** Somebody claims an identity that is a device's, with or without a doubt of ours. */
  claimed(idI: Identity, deviceId: string, doubt: Doubt | null): void
  /** The same by the name that was given to EAP, which counts for more: many clients put an address into IDi. Null when EAP begins. */
  claimedInEap(remote: SocketAddress, deviceId: string | null): void
  /** @param nowMs of a monotonic clock */
  failed(event: FailedAttempt, nowMs: number): void
  childRefused(child: RefusedChild): void
}

export function createAttemptLog(options: {
  log: Pick<Logger, 'info' | 'debug'>
  store: (attempt: AttachAttempt) => void
  /** Tiers in which anybody may come now. */
  tiers: () => readonly TierName[]
}): AttemptLog {
  const { log, store } = options
  /** Devices by identity, the latest last. */
  const claims = new Map<string, { readonly deviceId: string; readonly doubt: Doubt | null }>()
  /** Devices by the place where EAP runs, the latest last. */
  const eapClaims = new Map<string, string>()
  let lines = MOST_LINES
  let countedMs = 0
  let leftOut = 0

  function claimed(idI: Identity, deviceId: string, doubt: Doubt | null): void {
    const identity = identityText(idI)
    if (identity === null) return
    claims.delete(identity)
    claims.set(identity, { deviceId, doubt })
    if (claims.size <= MOST_CLAIMED) return
    const oldest = claims.keys().next()
    if (!oldest.done) claims.delete(oldest.value)
  }

  function claimedInEap(remote: SocketAddress, deviceId: string | null): void {
    const place = placeOf(remote)
    eapClaims.delete(place)
    if (deviceId === null) return
    eapClaims.set(place, deviceId)
    const oldest = eapClaims.keys().next()
    if (eapClaims.size > MOST_CLAIMED && !oldest.done) eapClaims.delete(oldest.value)
  }

  function failed(event: FailedAttempt, nowMs: number): void {
    const { path, stage, detail, offered } = event
    const identity = event.idI && identityText(event.idI)
    const claim = claims.get(identity ?? '')
    const place = placeOf(path.remote)
    const inEap = event.stage === 'eap' ? eapClaims.get(place) : undefined
    eapClaims.delete(place)
    const deviceId = event.subject ?? inEap ?? claim?.deviceId
    const isDoubted = event.reason === 'authenticationFailed' && event.subject === null && inEap === undefined
    const doubt = isDoubted ? claim?.doubt : null
    store({
      ...attempt(path.remote, offered),
      deviceId: deviceId ?? null,
      isProven: event.subject !== null,
      stage,
      reason: doubt?.reason ?? attemptReasonOf(event.reason),
      detail: doubt ? `${detail}: ${doubt.detail}` : detail,
      certificate: doubt?.certificate ?? null,
    })
    const earned = Math.floor((nowMs - countedMs) / LINE_EVERY_MS)
    if (earned > 0) {
      lines = Math.min(MOST_LINES, lines + earned)
      countedMs = nowMs
    }
    if (lines === 0) {
      leftOut++
      return
    }
    lines--
    const { reason } = event
    log.info(
      { ...(deviceId !== undefined && { deviceId }), reason, detail, ...(leftOut > 0 && { leftOut }) },
      'an attach attempt failed',
    )
    log.debug({ identity, from: path.remote }, 'the attempt came from')
    leftOut = 0
  }

  function attempt(
    remote: SocketAddress,
    offered: readonly Proposal[] | null,
  ): Pick<AttachAttempt, 'at' | 'sourceAddress' | 'sourcePort' | 'offered' | 'nearest' | 'matchingTier'> {
    return {
      at: new Date(),
      sourceAddress: remote.address,
      sourcePort: remote.port,
      offered: offered && readableProposals(offered),
      nearest: offered && nearestProposal(offered, options.tiers()),
      matchingTier: offered && matchingTier(offered),
    }
  }

  return {
    claimed,
    claimedInEap,
    failed,
    childRefused({ deviceId, remote, notify, offered }) {
      store({
        ...attempt(remote, offered),
        deviceId,
        isProven: true,
        stage: 'attach',
        reason: offered ? 'no_proposal' : 'refused',
        detail: `a Child SA was refused with notify ${notify}`,
        certificate: null,
      })
      log.info({ deviceId, notify }, 'a Child SA was refused')
    },
  }
}

function placeOf({ address, port }: SocketAddress): string {
  return `${address} ${port}`
}
