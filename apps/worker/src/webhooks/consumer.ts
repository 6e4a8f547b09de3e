/** Told of every event by the relay: writes the deliveries of the endpoints that want it, in the relay's transaction. */
import {
  countEndpoints,
  devicesOf,
  endpointsOf,
  insertDeliveries,
  type NewDelivery,
  type RelayConsumer,
  type RelayedEvent,
} from '@culvert/db'
import { FilterIndex } from '@culvert/webhooks'
import { needsDevice, subjectOf } from './event-subject.ts'

export interface WebhookConsumer extends RelayConsumer {
  /** @returns endpoints that got deliveries since the last call; some of work that was undone, which does no harm */
  takeTouched(): string[]
}

export function webhookConsumer(): WebhookConsumer {
  const touched = new Set<string>()
  return {
    name: 'webhooks',
    weigh: countEndpoints,
    async consume(tx, events) {
      const organizations = [...new Set(events.map(({ organizationId }) => organizationId))]
      const endpoints = Map.groupBy(await endpointsOf(tx, organizations), ({ organizationId }) => organizationId)
      if (endpoints.size === 0) return
      const indexes = new Map([...endpoints].map(([id, list]) => [id, new FilterIndex(list)]))
      const devices = await devicesOf(tx, organizations, wantedDevices(events, indexes))
      const deliveries = events.flatMap((event): NewDelivery[] => {
        const { id: eventId, organizationId, type: eventType, resourceId } = event
        const matching = indexes.get(organizationId)?.matching(subjectOf(event, devices)) ?? []
        return matching.map(({ id }) => ({ organizationId, endpointId: id, eventId, eventType, resourceId }))
      })
      await insertDeliveries(tx, deliveries)
      for (const { endpointId } of deliveries) touched.add(endpointId)
    },
    takeTouched() {
      const ids = [...touched]
      touched.clear()
      return ids
    },
  }
}

/** Of organizations with endpoints. */
function wantedDevices(
  events: readonly RelayedEvent[],
  indexes: ReadonlyMap<string, { readonly needsDevice: boolean }>,
): string[] {
  const ids = events.flatMap(({ organizationId, type, deviceId }) => {
    const index = indexes.get(organizationId)
    return deviceId !== null && index && needsDevice(index, type) ? [deviceId] : []
  })
  return [...new Set(ids)]
}
