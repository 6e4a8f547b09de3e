/**
 * Delivers past events to an endpoint, those that its filters choose now: from a time on in order of time, or after a cursor in order
 * of the feed, up to where the feed ended when it began.
 */
import {
  advanceOperation,
  devicesOf,
  eventsAfter,
  eventsBetween,
  filterOf,
  insertDeliveries,
  inTenantTransaction,
  lastPosition,
  openEventCursor,
  type OperationClaim,
  type PastEvent,
  type TenantSql,
} from '@culvert/db'
import { webhooksQueue } from '@culvert/queue'
import { FilterIndex } from '@culvert/webhooks'
import { needsDevice, subjectOf } from '../webhooks/event-subject.ts'
import type { OperationHandler } from './operation-handler.ts'

interface ReplayRequest {
  readonly endpointId: string
  /** One of these two. */
  readonly since?: string
  /** A cursor of the feed. */
  readonly after?: string
  readonly until: string
  readonly deliveries: 'failed' | 'all'
}

const batchEvents = 500

export const replayWebhooks: OperationHandler = (first, { pool, queues }) => {
  const { organizationId } = first
  const request = first.request as unknown as ReplayRequest
  const { endpointId, deliveries: again } = request
  const until = new Date(request.until)
  return {
    async step(claim) {
      const outcome = await inTenantTransaction(pool, organizationId, async (tx) => {
        const endpoint = await filterOf(tx, organizationId, endpointId)
        if (!endpoint)
          return { state: 'failed', error: { code: 'not_found', detail: 'The endpoint was deleted.' } } as const
        const read = request.after === undefined ? byTime(request) : byCursor(request.after)
        const batch = await read(tx, claim)
        if (batch === null)
          return { state: 'succeeded', result: { events: claim.processed, deliveries: claim.succeeded } } as const
        const events = batch.events.filter(({ createdAt }) => createdAt < until)
        const index = new FilterIndex([endpoint])
        const deviceIds = events.flatMap(({ type, deviceId }) => (needsDevice(index, type) ? (deviceId ?? []) : []))
        const devices = await devicesOf(tx, [organizationId], [...new Set(deviceIds)])
        const wanted = events.filter((event) => index.matching(subjectOf(event, devices)).length > 0)
        const made = await insertDeliveries(
          tx,
          wanted.map(({ id, type, resourceId }) => ({
            organizationId,
            endpointId,
            eventId: id,
            eventType: type,
            resourceId,
          })),
          again,
        )
        const { checkpoint } = batch
        return advanceOperation(tx, claim, { checkpoint, processed: events.length, succeeded: made, failed: 0 })
      })
      void queues.hint(webhooksQueue, 'deliveries.due', { about: [endpointId] })
      return outcome
    },
  }
}

/** Null: there is no more. */
type Batch = { readonly events: readonly PastEvent[]; readonly checkpoint: Readonly<Record<string, string>> } | null

/** Reads on from where the operation stands. */
type Reader = (tx: TenantSql, claim: OperationClaim) => Promise<Batch>

function byTime({ since = '', until }: ReplayRequest): Reader {
  return async (tx, { organizationId, checkpoint }) => {
    const { at, position } = checkpoint as { at?: string; position?: string }
    const after = at === undefined || position === undefined ? null : { at: new Date(at), position }
    const span = { since: new Date(since), until: new Date(until), after, limit: batchEvents }
    const events = await eventsBetween(tx, organizationId, span)
    const last = events.at(-1)
    return last ? { events, checkpoint: { at: last.createdAt.toISOString(), position: last.position } } : null
  }
}

function byCursor(cursor: string): Reader {
  return async (tx, { organizationId, checkpoint }) => {
    const begun = checkpoint as { position?: string; through?: string }
    const after = begun.position ?? String(await openEventCursor(tx, organizationId, cursor))
    const through = begun.through ?? (await lastPosition(tx))
    const events = await eventsAfter(tx, organizationId, { after, through, limit: batchEvents })
    const last = events.at(-1)
    return last ? { events, checkpoint: { position: last.position, through } } : null
  }
}
