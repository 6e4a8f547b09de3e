/** Told of every event by the relay: writes the deliveries of the endpoints that want it, in the relay's transaction. */
import {
  devicesOf,
  endpointsOf,
  insertDeliveries,
  type NewDelivery,
  type RelayConsumer,
  type RelayedEvent,
} from '@culvert/db'
import { FilterIndex } from '@culvert/webhooks'

export interface WebhookConsumer extends RelayConsumer {
  /** @returns endpoints that got deliveries since the last call; some of work that was undone, which does no harm */
  takeTouched(): string[]
}

/** @param optIn types that only those get who name them */
export function webhookConsumer(optIn: ReadonlySet<string> = new Set()): WebhookConsumer {
  const touched = new Set<string>()
  return {
    name: 'webhooks',
    async consume(tx, events) {
      const organizations = [...new Set(events.map(({ organizationId }) => organizationId))]
      const endpoints = Map.groupBy(await endpointsOf(tx, organizations), ({ organizationId }) => organizationId)
      if (endpoints.size === 0) return
      const indexes = new Map([...endpoints].map(([id, list]) => [id, new FilterIndex(list, optIn)]))
      const devices = await devicesOf(tx, organizations, wantedDevices(events, indexes))
      const deliveries = events.flatMap((event): NewDelivery[] => {
        const { id: eventId, organizationId, type: eventType, resourceId, deviceId } = event
        const device = deviceId === null ? null : (devices.get(deviceId) ?? null)
        const subject = { type: eventType, resourceId, device }
        const matching = indexes.get(organizationId)?.matching(subject) ?? []
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

/** Of organizations that filter by devices. */
function wantedDevices(
  events: readonly RelayedEvent[],
  indexes: ReadonlyMap<string, { readonly needsDevice: boolean }>,
): string[] {
  const ids = events.flatMap(({ organizationId, deviceId }) =>
    deviceId !== null && indexes.get(organizationId)?.needsDevice ? [deviceId] : [],
  )
  return [...new Set(ids)]
}
