/**
 * Changes or deletes the devices that a filter chooses, in order of their ids. What does not fit any more when it is met is left
 * alone. A rehearsal counts.
 */
import {
  advanceOperation,
  changeDevices,
  chooseDevices,
  deleteDevices,
  inTenantTransaction,
  type BatchOutcome,
  type DeviceChange,
  type DeviceFilter,
  type DeviceState,
  type TenantSql,
} from '@culvert/db'
import { hintNodes } from '@culvert/queue'
import type { OperationHandler } from './operation-handler.ts'

export interface ChangeRequest {
  readonly filter: DeviceFilter
  readonly change: {
    readonly addTags?: readonly string[]
    readonly removeTags?: readonly string[]
    readonly tunnelable?: boolean
    readonly proposalTiers?: DeviceChange['proposalTiers']
  }
}

const batchDevices = 500
const mostTags = 32

type Write = (tx: TenantSql, ids: readonly string[]) => Promise<BatchOutcome>

/** @param write what is done to some of them */
function forChosen(result: string, writeOf: (claim: Parameters<OperationHandler>[0]) => Write): OperationHandler {
  return (first, { pool, queues }) => {
    const { filter } = first.request as unknown as ChangeRequest
    const write = writeOf(first)
    return {
      step: async (claim) => {
        const after = (claim.checkpoint['after'] as string | undefined) ?? ''
        const done = Number(claim.checkpoint['changed'] ?? 0)
        const chosen = await chooseDevices(pool, claim.organizationId, datesOf(filter), { after, limit: batchDevices })
        if (chosen.last === null) return { state: 'succeeded', result: { matched: claim.processed, [result]: done } }
        const { last, ids } = chosen
        const further = await inTenantTransaction(pool, claim.organizationId, async (tx) => {
          const { changed, touched } = claim.validateOnly
            ? { changed: 0, touched: { gateways: [], concentrators: [] } }
            : await write(tx, ids)
          const checkpoint = { after: last, changed: done + changed }
          const step = { checkpoint, processed: ids.length, succeeded: ids.length, failed: 0 }
          return { claim: await advanceOperation(tx, claim, step), touched }
        })
        hintNodes(queues, further.touched, 'policy.changed')
        return further.claim
      },
    }
  }
}

export const updateDevicesByFilter = forChosen('updated', ({ organizationId, createdBy: by, request }) => {
  const { change } = request as unknown as ChangeRequest
  return (tx, ids) => changeDevices(tx, { organizationId, ids, by }, (device) => changeOf(device, change))
})

export const deleteDevicesByFilter = forChosen('deleted', ({ organizationId, createdBy: by }) => {
  return (tx, ids) => deleteDevices(tx, { organizationId, ids, by })
})

/** A device that would have too many tags keeps those it has. */
function changeOf(device: DeviceState, change: ChangeRequest['change']): DeviceChange {
  const { addTags = [], removeTags = [], tunnelable, proposalTiers } = change
  const kept = device.tags.filter((tag) => !removeTags.includes(tag))
  const tags = [...new Set([...kept, ...addTags])]
  return { tags: tags.length > mostTags ? kept : tags, tunnelable, proposalTiers }
}

/** JSON has no dates. */
function datesOf(filter: DeviceFilter): DeviceFilter {
  const dates = ['createdFrom', 'createdBefore', 'seenFrom', 'seenBefore'] as const
  const given = dates.flatMap((name) => (filter[name] === undefined ? [] : [[name, new Date(filter[name])] as const]))
  return { ...filter, ...Object.fromEntries(given) }
}
