/**
 * Who may send now. Two lanes: endpoints that answer at once, and those that are slow or fail; the second has slots of its own, so
 * that it never holds those of the first. Within a lane no organization has more than a share, and organizations take turns, as
 * do the endpoints of one: what one of them has waiting delays nobody else.
 *
 * A request that takes long moves to the slow lane while it runs (`demote`), and frees its slot: what hangs holds a fast slot for
 * a moment only. What an organization has in the slow lane beyond its share takes no slot of others; it counts against the
 * organization alone, which begins nothing more once it has as much under way as its shares of both lanes.
 */

export type Lane = 'fast' | 'slow'

export interface SlotOptions {
  /** Requests under way in each lane. */
  readonly slots: Readonly<Record<Lane, number>>
  /** Of the slots of a lane that one organization may have; at least one slot. */
  readonly share: number
}

export class Slots {
  readonly #options: SlotOptions
  /** Requests that hold a slot. */
  readonly #used: Record<Lane, number> = { fast: 0, slow: 0 }
  readonly #of: Readonly<Record<Lane, Map<string, number>>> = { fast: new Map(), slow: new Map() }

  constructor(options: SlotOptions) {
    this.#options = options
  }

  isFree(lane: Lane, organizationId: string): boolean {
    if (this.#used[lane] >= this.#options.slots[lane]) return false
    const [fast, slow] = [this.#count('fast', organizationId), this.#count('slow', organizationId)]
    const [mostFast, mostSlow] = [this.#most('fast'), this.#most('slow')]
    return lane === 'fast' ? fast < mostFast && fast + slow < mostFast + mostSlow : slow < mostSlow
  }

  take(lane: Lane, organizationId: string): void {
    this.#add(lane, organizationId, 1)
  }

  give(lane: Lane, organizationId: string): void {
    this.#add(lane, organizationId, -1)
  }

  demote(organizationId: string): void {
    this.give('fast', organizationId)
    this.take('slow', organizationId)
  }

  #add(lane: Lane, organizationId: string, change: 1 | -1): void {
    const most = this.#most(lane)
    const before = this.#count(lane, organizationId)
    const count = before + change
    this.#used[lane] += Math.min(count, most) - Math.min(before, most)
    if (count === 0) this.#of[lane].delete(organizationId)
    else this.#of[lane].set(organizationId, count)
  }

  #count(lane: Lane, organizationId: string): number {
    return this.#of[lane].get(organizationId) ?? 0
  }

  /** The share of one organization. */
  #most(lane: Lane): number {
    const { slots, share } = this.#options
    return Math.max(1, Math.floor(slots[lane] * share))
  }
}

/** Things in order of whose turn it is: organizations, and within each its endpoints. */
export class Rounds<T extends { readonly id: string; readonly organizationId: string }> {
  readonly #organizations = new Map<string, Map<string, T>>()

  add(thing: T): void {
    const siblings = this.#organizations.get(thing.organizationId) ?? new Map<string, T>()
    siblings.set(thing.id, thing)
    this.#organizations.set(thing.organizationId, siblings)
  }

  remove({ id, organizationId }: T): void {
    const siblings = this.#organizations.get(organizationId)
    siblings?.delete(id)
    if (siblings?.size === 0) this.#organizations.delete(organizationId)
  }

  /** The first that may; it goes to the end of its organization, which goes to the end of all. */
  next(mayOrganization: (organizationId: string) => boolean, may: (thing: T) => boolean): T | null {
    for (const [organizationId, siblings] of this.#organizations) {
      if (!mayOrganization(organizationId)) continue
      for (const thing of siblings.values()) {
        if (!may(thing)) continue
        siblings.delete(thing.id)
        siblings.set(thing.id, thing)
        this.#organizations.delete(organizationId)
        this.#organizations.set(organizationId, siblings)
        return thing
      }
    }
    return null
  }
}
