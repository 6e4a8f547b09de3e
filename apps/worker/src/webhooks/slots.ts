/**
 * Who may send now. Two lanes: endpoints that answer at once, and those that are slow or fail; the second has slots of its own, so
 * that it never holds those of the first. Organizations take turns, as do the endpoints of one: what one of them has waiting delays
 * nobody else.
 *
 * What an organization may have in a lane follows from what is free: alone it comes to its share, and the more others hold, the less
 * it may add, so that there is room for whoever comes next. Of 128 slots with a share of a quarter:
 *
 * ```
 *   organizations that take all they may    1    4   16   50
 *   slots of each                          32   18    7    2
 *   slots that stay free                   96   55   20    7
 * ```
 *
 * A request that takes long moves to the slow lane while it runs (`demote`), and frees its slot: what hangs holds a fast slot for
 * a moment only. Each one halves what its organization may have in the fast lane, each that is answered in time gives one back. Where
 * the slow lane has no slot for it that others can do without, it goes on without one: it counts against its organization, and against
 * all that may be under way.
 */

export type Lane = 'fast' | 'slow'

export interface SlotOptions {
  /** Requests under way in each lane. */
  readonly slots: Readonly<Record<Lane, number>>
  /** Under way at all, with those that have no slot; more than both lanes have. */
  readonly all: number
  /** Of the slots of a lane that one organization may have; at least one slot. */
  readonly share: number
}

/** Of an organization in a lane. */
interface Part {
  readonly requests: number
  /** That these hold; not more than requests. */
  readonly slots: number
}

const none: Part = { requests: 0, slots: 0 }
/** Organizations whose requests hung, that are remembered. */
const mostRemembered = 10_000

export class Slots {
  readonly #options: SlotOptions
  /** Slots that are held. */
  readonly #used: Record<Lane, number> = { fast: 0, slow: 0 }
  readonly #of: Readonly<Record<Lane, Map<string, Part>>> = { fast: new Map(), slow: new Map() }
  /** Under way. */
  #all = 0
  /** What organizations whose requests hung may have in the fast lane, least lately changed first; all others have their share. */
  readonly #trust = new Map<string, number>()

  constructor(options: SlotOptions) {
    this.#options = options
  }

  isFree(lane: Lane, organizationId: string): boolean {
    const { slots, all } = this.#options
    const [fast, slow] = [this.#part('fast', organizationId).requests, this.#part('slow', organizationId).requests]
    const mine = lane === 'fast' ? fast : slow
    if (!this.#fits(mine, slots[lane] - this.#used[lane]) || !this.#fits(fast + slow, all - this.#all)) return false
    const [mostFast, mostSlow] = [this.#most('fast'), this.#most('slow')]
    if (lane === 'slow') return slow < mostSlow
    return fast < (this.#trust.get(organizationId) ?? mostFast) && fast + slow < mostFast + mostSlow
  }

  take(lane: Lane, organizationId: string): void {
    const { requests, slots } = this.#part(lane, organizationId)
    this.#set(lane, organizationId, { requests: requests + 1, slots: slots + 1 })
  }

  /** The request has ended. */
  give(lane: Lane, organizationId: string): void {
    this.#end(lane, organizationId)
    const trust = this.#trust.get(organizationId)
    if (lane === 'slow' || trust === undefined) return
    this.#trust.delete(organizationId)
    if (trust + 1 < this.#most('fast')) this.#trust.set(organizationId, trust + 1)
  }

  /** A request of the fast lane takes long. */
  demote(organizationId: string): void {
    this.#end('fast', organizationId)
    const { requests, slots } = this.#part('slow', organizationId)
    this.#set('slow', organizationId, { requests: requests + 1, slots: slots + (this.#canSpare(slots) ? 1 : 0) })
    const trust = this.#trust.get(organizationId) ?? this.#most('fast')
    this.#trust.delete(organizationId)
    this.#trust.set(organizationId, Math.max(1, trust >> 1))
    const [oldest] = this.#trust.keys()
    if (this.#trust.size > mostRemembered && oldest !== undefined) this.#trust.delete(oldest)
  }

  /** What has no slot ends first. */
  #end(lane: Lane, organizationId: string): void {
    const { requests, slots } = this.#part(lane, organizationId)
    this.#set(lane, organizationId, { requests: requests - 1, slots: Math.min(slots, requests - 1) })
  }

  #part(lane: Lane, organizationId: string): Part {
    return this.#of[lane].get(organizationId) ?? none
  }

  #set(lane: Lane, organizationId: string, part: Part): void {
    const before = this.#part(lane, organizationId)
    this.#all += part.requests - before.requests
    this.#used[lane] += part.slots - before.slots
    if (part.requests === 0) this.#of[lane].delete(organizationId)
    else this.#of[lane].set(organizationId, part)
  }

  /** One more beside `count`: less than `share / (1 - share)` of what is free. */
  #fits(count: number, free: number): boolean {
    const { share } = this.#options
    return free > 0 && (count === 0 || count * (1 - share) < share * free)
  }

  /** One more slot of the slow lane for an organization that has `held`: the last ones are for who begins there. */
  #canSpare(held: number): boolean {
    const { slots, share } = this.#options
    const free = slots.slow - this.#used.slow
    return free > 0 && held < this.#most('slow') && (held + 1) * (1 - share) <= share * free
  }

  /** The share of one organization that has the lane for itself. */
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
