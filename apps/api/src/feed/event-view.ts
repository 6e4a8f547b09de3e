import type { Event } from '@culvert/contracts'
import type { FeedEvent } from '@culvert/db'

/** An event as everybody is told it. */
export function eventView({ id, type, createdAt, resourceId, sequence, data }: FeedEvent): Event {
  return { id, type, timestamp: createdAt.toISOString(), resourceId, sequence, data }
}
