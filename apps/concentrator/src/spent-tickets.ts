/**
 * Which resumption tickets have been used: each is good for one return (RFC 5723 4.3.1), on this node. On another node a copy
 * opens too, and is worth nothing without the keys that belong to it.
 */
import { LONGEST_TICKET_MS } from './ticket-vault.ts'

/** More than the devices of a node use in a day of a bad radio; who falls out could be used again. */
const MOST_TICKETS = 200_000

export interface SpentTickets {
  /** @param nowMs of a monotonic clock @returns whether this is its first use */
  spend(ticketId: string, nowMs: number): boolean
}

export function createSpentTickets(): SpentTickets {
  /** The latest last. */
  const spent = new Map<string, number>()
  return {
    spend(ticketId, nowMs) {
      if (spent.has(ticketId)) return false
      spent.set(ticketId, nowMs)
      for (const [oldest, spentMs] of spent) {
        if (spent.size <= MOST_TICKETS && nowMs - spentMs <= LONGEST_TICKET_MS) break
        spent.delete(oldest)
      }
      return true
    },
  }
}
