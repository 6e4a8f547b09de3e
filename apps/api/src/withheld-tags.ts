/**
 * Who may open only what is granted to it, and may change devices, would open any device by giving it a tag of its grant: such
 * tags it puts on no device.
 */
import { DomainError } from '@culvert/contracts'
import { tagsGrantedTo, tenant, type Pool } from '@culvert/db'
import type { Actor } from './actor.ts'

/** @returns the tags that the caller may put on no device */
export async function withheldTags(pool: Pool, actor: Actor): Promise<string[]> {
  const { organizationId, kind, id, scopes } = actor
  if (scopes.has('tunnels:write') || !scopes.has('tunnels:open_granted')) return []
  return tagsGrantedTo(tenant(pool, organizationId), organizationId, { kind, id })
}

/** @param added those that the device has not had. @throws forbidden */
export function refuseWithheld(withheld: readonly string[], added: readonly string[], targetId?: string): void {
  const wanted = added.filter((tag) => withheld.includes(tag))
  if (wanted.length === 0) return
  throw new DomainError('forbidden', {
    publicDetail: `A grant of the caller is for devices with ${wanted.map((tag) => `\`${tag}\``).join(', ')}: to put that on a device takes \`tunnels:write\`.`,
    internalContext: {
      ...(targetId === undefined ? {} : { targetType: 'device', targetId }),
      rule: 'nobody tags a device into its own grant',
    },
  })
}
