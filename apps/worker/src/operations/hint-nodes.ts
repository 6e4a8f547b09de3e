/** Jobs are hints: they follow the commit, nobody waits for them, and what is lost heals. */
import type { Touched } from '@culvert/db'
import { concentratorQueue, gatewayQueue, type Queues } from '@culvert/queue'

export function hintNodes(queues: Queues, { gateways, concentrators }: Touched): void {
  for (const node of gateways) void queues.hint(gatewayQueue(node), 'listeners.changed')
  for (const node of concentrators) void queues.hint(concentratorQueue(node), 'policy.changed')
}
