/**
 * A device's presence on a concentrator. The row outlives the presence; which of two reports is the newer one says the database, which
 * gives each attachment its epoch.
 */
export const attachmentStates = ['attached', 'detached'] as const
export type AttachmentState = (typeof attachmentStates)[number]
