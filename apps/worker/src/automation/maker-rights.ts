/** How far a rule may go: as far as its maker may at this moment. */
import { permissions, rolePermissions, type Role } from '@culvert/contracts'
import type { MakerStanding } from '@culvert/db'
import { actionPermissions, callPermission, tellsEvents, type RuleAction } from '@culvert/lifecycle'

/** @returns `granted`: only what is granted to the maker, and no tag that would widen it */
export function rightsFor(kind: RuleAction['kind'], standing: MakerStanding): 'any' | 'granted' | 'none' {
  const held: readonly string[] =
    standing.kind === 'user' ? (rolePermissions[standing.role as Role] ?? []) : (standing.scopes ?? permissions)
  if (tellsEvents(kind) && !held.includes(callPermission)) return 'none'
  const isGranted = held.includes('tunnels:open_granted') && !held.includes('tunnels:write')
  if (kind === 'tag_device' && isGranted) return held.includes('devices:write') ? 'granted' : 'none'
  const [whole, granted]: readonly string[] = actionPermissions[kind]
  if (whole !== undefined && held.includes(whole)) return 'any'
  return granted !== undefined && held.includes(granted) ? 'granted' : 'none'
}
