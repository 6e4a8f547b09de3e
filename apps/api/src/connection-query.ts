/** Filter of the access log, from the query of a request to what package db takes. */
import { canonicalCidr, type ConnectionQuery } from '@culvert/contracts'
import type { ConnectionFilter } from '@culvert/db'
import { dateOf } from './list-query.ts'

export function connectionFilterOf(query: ConnectionQuery): ConnectionFilter {
  const { state, reason, clientAddress } = query
  return {
    state,
    reason,
    clientPrefix: clientAddress === undefined ? undefined : (canonicalCidr(clientAddress) ?? undefined),
    openedFrom: dateOf(query.openedFrom),
    openedBefore: dateOf(query.openedBefore),
  }
}
