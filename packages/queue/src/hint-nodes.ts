/** Hints to the nodes that a write is about. They follow the commit, nobody waits for them, and what is lost heals. */
import { concentratorQueue, gatewayQueue, type JobKind } from './names.ts'
import type { Queues } from './queues.ts'

/** Node ids. */
export interface TouchedNodes {
  readonly gateways: readonly string[]
  readonly concentrators: readonly string[]
}

export function hintNodes(queues: Pick<Queues, 'hint'>, touched: TouchedNodes, concentratorKind: JobKind): void {
  for (const node of touched.gateways) void queues.hint(gatewayQueue(node), 'listeners.changed')
  for (const node of touched.concentrators) void queues.hint(concentratorQueue(node), concentratorKind)
}
