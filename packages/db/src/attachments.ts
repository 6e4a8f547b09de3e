/** A device's attachment with its security associations, as its concentrator wrote it down. */
import type { Prisma } from './generated/prisma/client.ts'
import type { Database } from './prisma.ts'

const withSas = {
  ikeSas: {
    orderBy: { establishedAt: 'desc' },
    include: { childSas: { orderBy: { installedAt: 'desc' } } },
  },
} as const satisfies Prisma.AttachmentInclude

export type AttachmentRecord = Prisma.AttachmentGetPayload<{ include: typeof withSas }>

/** @returns the present attachment or the last one; null for a device that never attached, is deleted or of another organization */
export async function readAttachment(
  db: Database,
  organizationId: string,
  deviceId: string,
): Promise<AttachmentRecord | null> {
  return db.attachment.findFirst({ where: { organizationId, deviceId, device: { deletedAt: null } }, include: withSas })
}
