/** Work that takes longer than a call. */
import type { Calls } from './calls.ts'
import { CulvertError } from './error.ts'
import type { Operation } from './schema.ts'
import { pause } from './send.ts'
import { Deadline, type WaitOptions } from './waiting.ts'

export interface OperationCalls {
  /**
   * Waits for the end of an operation, ten minutes when nothing else is said.
   * @throws CulvertError with the code that the operation failed with, `operation_cancelled`, or `timeout`; then it goes on
   */
  wait(operation: Pick<Operation, 'id'> | string, options?: WaitOptions): Promise<Operation>
}

export async function waitForOperation(
  culvert: Calls,
  operation: Pick<Operation, 'id'> | string,
  { timeoutMs = 600_000, signal }: WaitOptions = {},
): Promise<Operation> {
  const operationId = typeof operation === 'string' ? operation : operation.id
  const deadline = new Deadline(timeoutMs)
  for (;;) {
    const params = { path: { operationId }, query: { wait: deadline.waitSec() } }
    const now = await culvert.get('/v1/operations/{operationId}', { params, ...(signal ? { signal } : {}) })
    if (now.error !== null) throw new CulvertError(now.error)
    if (now.done) return now
    deadline.check(`Operation ${operationId} has not ended`)
    await pause(200, signal)
  }
}
