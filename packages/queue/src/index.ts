export { hintNodes, type TouchedNodes } from './hint-nodes.ts'
export {
  concentratorQueue,
  gatewayQueue,
  jobKinds,
  lifecycleQueue,
  operationsQueue,
  signerQueue,
  webhooksQueue,
  type JobKind,
  type NodeQueue,
} from './names.ts'
export {
  mostHinted,
  openQueues,
  type HintOptions,
  type QueueLogger,
  type Queues,
  type QueuesOptions,
  type WorkHandle,
} from './queues.ts'
export { QueueStoreError, requireQueueStore, type QueueStoreRequest } from './require-queue-store.ts'
export { makeQueueTables } from './tables.ts'
