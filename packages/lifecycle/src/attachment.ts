/**
 * A device's presence on a concentrator. The row outlives the presence; which of two reports is the newer one says the database, which
 * gives each attachment its epoch.
 */
export const attachmentStates = ['attached', 'detached'] as const
export type AttachmentState = (typeof attachmentStates)[number]

/** Why a device is offline, as it is told to customers. */
export const offlineCauses = [
  /** The device said so. */
  'delete',
  /** It answered no more. */
  'liveness',
  /** Its credential, its network's setting or the device itself is not good any more. */
  'revoked',
  /** Somebody asked for it. */
  'detached',
  /** It had to authenticate anew, and did not. */
  'reauthentication',
  'redirected',
  'protocol_error',
  'node_stopped',
  'node_restarted',
  'node_lost',
  'unknown',
] as const
export type OfflineCause = (typeof offlineCauses)[number]

const causes: Readonly<Record<string, OfflineCause>> = {
  deletedByPeer: 'delete',
  peerSilent: 'liveness',
  revoked: 'revoked',
  deletedLocally: 'detached',
  expired: 'reauthentication',
  redirected: 'redirected',
  authenticationFailed: 'protocol_error',
  refused: 'protocol_error',
  noProposal: 'protocol_error',
  protocolError: 'protocol_error',
  shutdown: 'node_stopped',
  node_restarted: 'node_restarted',
  node_lost: 'node_lost',
}

/**
 * An attachment that a newer one replaced is in no row (the node, and the fence between nodes, see to that): the device stays
 * online, and has moved perhaps.
 *
 * @param detachReason of an attachment's row: a CloseReason of the IKE core, or what was written for a node
 */
export function offlineCauseOf(detachReason: string | null): OfflineCause {
  return causes[detachReason ?? ''] ?? 'unknown'
}
