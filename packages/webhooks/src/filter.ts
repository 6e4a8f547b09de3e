/**
 * Which endpoints of an organization get an event. What an endpoint says about types is looked up by type, so that a stream of
 * events costs the endpoints that want it and not all there are.
 */

export interface EndpointFilter {
  /** Types, or all of a kind (`tunnel.*`); empty: all but those that must be asked for. */
  readonly eventTypes: readonly string[]
  /** Of the device, at least one; empty: any, and also what is about no device. */
  readonly deviceTags: readonly string[]
  /** Of the device, or the network itself; empty: any. */
  readonly networkIds: readonly string[]
}

/** What of an event filters look at. */
export interface EventSubject {
  readonly type: string
  readonly resourceId: string
  /** The device that it is about; null: about none. */
  readonly device: { readonly tags: readonly string[]; readonly networkId: string } | null
  /** Only who names the type gets it, or all of its kind. */
  readonly onlyNamed: boolean
}

/** An event of this type goes to the endpoint that it is about, whatever that wants, and to no other. */
export const testEventType = 'webhook.test'

export class FilterIndex<T extends EndpointFilter & { readonly id: string }> {
  readonly #endpoints: readonly T[]
  readonly #byType = new Map<string, readonly T[]>()
  /** Whether an event's device has to be known. */
  readonly needsDevice: boolean

  constructor(endpoints: readonly T[]) {
    this.#endpoints = endpoints
    this.needsDevice = endpoints.some(({ deviceTags, networkIds }) => deviceTags.length + networkIds.length > 0)
  }

  matching(event: EventSubject): readonly T[] {
    const { type, resourceId, device, onlyNamed } = event
    if (type === testEventType) return this.#endpoints.filter(({ id }) => id === resourceId)
    return this.#ofType(type).filter(
      ({ eventTypes, deviceTags, networkIds }) =>
        (!onlyNamed || eventTypes.length > 0) &&
        (deviceTags.length === 0 || (device !== null && deviceTags.some((tag) => device.tags.includes(tag)))) &&
        (networkIds.length === 0 || networkIds.includes(device?.networkId ?? resourceId)),
    )
  }

  #ofType(type: string): readonly T[] {
    const known = this.#byType.get(type)
    if (known) return known
    const found = this.#endpoints.filter(({ eventTypes }) => wantsType(eventTypes, type))
    this.#byType.set(type, found)
    return found
  }
}

function wantsType(eventTypes: readonly string[], type: string): boolean {
  return eventTypes.length === 0 || eventTypes.some((wanted) => fitsType(wanted, type))
}

/** @param wanted a type, or `kind.*` */
export function fitsType(wanted: string, type: string): boolean {
  return wanted === type || (wanted.endsWith('.*') && type.startsWith(wanted.slice(0, -1)))
}
