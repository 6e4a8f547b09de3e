/** What a kind of operation does: small steps, each a transaction that ends with `advanceOperation`. */
import type { OperationClaim, OperationEnd, Pool } from '@culvert/db'
import type { Queues } from '@culvert/queue'

export interface OperationEnvironment {
  readonly pool: Pool
  readonly queues: Queues
}

/** For one turn of one operation: what it keeps in memory is only quicker than reading it again. */
export interface OperationWork {
  /**
   * Takes the operation a bounded piece further, well within its lease.
   *
   * @returns the operation as it is now, or how it ends
   * @throws OperationLostError when another worker holds it
   */
  step(claim: OperationClaim): Promise<OperationClaim | OperationEnd>
}

/** @param claim where it stands */
export type OperationHandler = (claim: OperationClaim, environment: OperationEnvironment) => OperationWork

export type OperationHandlers = ReadonlyMap<string, OperationHandler>

export function isEnd(outcome: OperationClaim | OperationEnd): outcome is OperationEnd {
  return 'state' in outcome
}
