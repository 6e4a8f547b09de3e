/**
 * A device's presence on a concentrator. The row outlives the presence; a newer attachment has a greater epoch and wins
 * over an older one, so a late report of an old attachment changes nothing.
 */
export const attachmentStates = ['attached', 'detached'] as const
export type AttachmentState = (typeof attachmentStates)[number]

export interface AttachmentStatus {
  readonly state: AttachmentState
  readonly epoch: number
}

export type AttachmentEvent =
  | { readonly kind: 'attached'; readonly epoch: number }
  | { readonly kind: 'detached'; readonly epoch: number }

/** @returns the status after `event`, or null when it is late (an older epoch) or says nothing new */
export function stepAttachment(status: AttachmentStatus | null, event: AttachmentEvent): AttachmentStatus | null {
  if (event.kind === 'attached') {
    return status && event.epoch <= status.epoch ? null : { state: 'attached', epoch: event.epoch }
  }
  if (!status || status.state === 'detached' || event.epoch !== status.epoch) return null
  return { state: 'detached', epoch: event.epoch }
}
