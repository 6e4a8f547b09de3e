/**
 * Which queues there are and what a job on them can say. A job is a hint: "look at your rows". It carries ids at most, of what to
 * look at, so that a lost, late or doubled job does no harm.
 */
export const jobKinds = [
  /** Gateway: open and close listeners. */
  'listeners.changed',
  /** Concentrator: somebody asked for a detach. */
  'device.detach',
  /** Concentrator: forget the credential and end what used it. */
  'credential.revoked',
  /** Concentrator: a device was deleted, got a credential, or its policy changed. */
  'policy.changed',
  /** Worker: tunnels have something due. */
  'tunnels.due',
  /** Worker: an operation was started. */
  'operations.due',
  /** Worker: the endpoints named have deliveries due. */
  'deliveries.due',
  /** Signer: certificates are asked for or revoked. */
  'certificates.due',
] as const
export type JobKind = (typeof jobKinds)[number]

export type NodeQueue =
  | `gateway.${string}`
  | `concentrator.${string}`
  | 'lifecycle'
  | 'operations'
  | 'signer'
  | 'webhooks'

export function gatewayQueue(nodeId: string): NodeQueue {
  return `gateway.${nodeId}`
}

export function concentratorQueue(nodeId: string): NodeQueue {
  return `concentrator.${nodeId}`
}

export const lifecycleQueue: NodeQueue = 'lifecycle'
export const operationsQueue: NodeQueue = 'operations'
export const webhooksQueue: NodeQueue = 'webhooks'
export const signerQueue: NodeQueue = 'signer'
