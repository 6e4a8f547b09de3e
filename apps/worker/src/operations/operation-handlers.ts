/** Which kinds of operations there are, and who does them. */
import type { OperationHandlers } from './operation-handler.ts'

export const operationHandlers: OperationHandlers = new Map()
