/** What filters of endpoints look at in an event (FilterIndex of webhooks), for the relay and for replays. */
import { isOptIn } from '@culvert/contracts'
import type { FilteredDevice } from '@culvert/db'
import type { EventSubject } from '@culvert/webhooks'

interface Event {
  readonly type: string
  readonly resourceId: string
  readonly deviceId: string | null
}

/** Whether the device of such an event must be known before it is matched. */
export function needsDevice(index: { readonly needsDevice: boolean }, type: string): boolean {
  return index.needsDevice || isOptIn(type)
}

/**
 * An event of a type that must be asked for goes to all where the setting of the network or the organization asks for it, and
 * elsewhere only to who names the type.
 */
export function subjectOf(
  { type, resourceId, deviceId }: Event,
  devices: ReadonlyMap<string, FilteredDevice>,
): EventSubject {
  const device = deviceId === null ? null : (devices.get(deviceId) ?? null)
  return { type, resourceId, device, onlyNamed: isOptIn(type) && !device?.tellsConnections }
}
