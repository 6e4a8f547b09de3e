/** Who takes events from the relay, in its transaction. */
import type { PoolClient } from 'pg'

export interface RelayedEvent {
  /** Place in the feed of the installation: rises, with gaps for whoever sees one organization alone. */
  readonly position: number
  readonly id: string
  readonly organizationId: string
  /** One of the catalogue (`eventCatalogue` of contracts). */
  readonly type: string
  readonly resourceId: string
  /** The device that it is about, also through a tunnel or a credential. */
  readonly deviceId: string | null
  /** Grows by one with every event of the resource. */
  readonly sequence: number
  readonly data: Readonly<Record<string, unknown>>
  readonly createdAt: Date
}

export interface RelayConsumer {
  /** Never changes: what it could not take is kept under this name. */
  readonly name: string
  /**
   * Writes what these events cause, in rising order of position, through `tx` and nothing else: no network, no `COMMIT`. It may be
   * called again with any part of them after its work was undone. What it throws stops no other consumer and not the feed: the
   * events are halved until those that it cannot take are alone, and offered to it again later, one by one.
   */
  readonly consume: (tx: PoolClient, events: readonly RelayedEvent[]) => Promise<void>
  /** Rows that it may write for one event, of organizations where that is more than one: what a pass may come to is bounded by it. */
  readonly weigh?: (tx: PoolClient, organizationIds: readonly string[]) => Promise<ReadonlyMap<string, number>>
}
