/** Delivers past events to an endpoint, in order of time: those that its filters choose now. */
import {
  advanceOperation,
  devicesOf,
  eventsBetween,
  filterOf,
  insertDeliveries,
  inTenantTransaction,
  type OperationClaim,
} from '@culvert/db'
import { webhooksQueue } from '@culvert/queue'
import { FilterIndex } from '@culvert/webhooks'
import type { OperationHandler } from './operation-handler.ts'

interface ReplayRequest {
  readonly endpointId: string
  readonly since: string
  readonly until: string
  readonly deliveries: 'failed' | 'all'
}

const batchEvents = 500

export const replayWebhooks: OperationHandler = (first, { pool, queues }) => {
  const { organizationId } = first
  const { endpointId, since, until, deliveries: again } = first.request as unknown as ReplayRequest
  return {
    async step(claim) {
      const outcome = await inTenantTransaction(pool, organizationId, async (tx) => {
        const endpoint = await filterOf(tx, organizationId, endpointId)
        if (!endpoint)
          return { state: 'failed', error: { code: 'not_found', detail: 'The endpoint was deleted.' } } as const
        const events = await eventsBetween(tx, organizationId, {
          since: new Date(since),
          until: new Date(until),
          after: placeOf(claim),
          limit: batchEvents,
        })
        const last = events.at(-1)
        if (!last)
          return { state: 'succeeded', result: { events: claim.processed, deliveries: claim.succeeded } } as const
        const index = new FilterIndex([endpoint])
        const deviceIds = index.needsDevice ? events.flatMap(({ deviceId }) => deviceId ?? []) : []
        const devices = await devicesOf(tx, [organizationId], [...new Set(deviceIds)])
        const wanted = events.filter(
          ({ type, resourceId, deviceId }) =>
            index.matching({ type, resourceId, device: (deviceId && devices.get(deviceId)) || null }).length > 0,
        )
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
        const checkpoint = { at: last.createdAt.toISOString(), position: last.position }
        return advanceOperation(tx, claim, { checkpoint, processed: events.length, succeeded: made, failed: 0 })
      })
      void queues.hint(webhooksQueue, 'deliveries.due', { about: [endpointId] })
      return outcome
    },
  }
}

function placeOf({ checkpoint }: OperationClaim): { at: Date; position: string } | null {
  const { at, position } = checkpoint as { at?: string; position?: string }
  return at === undefined || position === undefined ? null : { at: new Date(at), position }
}
