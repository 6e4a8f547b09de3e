/**
 * Commands of the driver. One for an attachment that is gone, or that asks for what is happening already, does nothing.
 */
import { removeChild } from './closing.ts'
import type { Command } from './contract.ts'
import type { Context } from './context.ts'
import { depart, followPeer } from './moving.ts'
import { queueWork } from './work.ts'
import { scheduleDeletion } from '../exchanges/create-child-sa/complete-child.ts'
import { initiate } from '../exchanges/ike-sa-init/initiate.ts'
import { type Attachment, findChildIn } from '../sa/attachment.ts'

export function obey(context: Context, command: Command): void {
  if (command.kind === 'initiate') {
    initiate(context, command.peer)
    return
  }
  if (command.kind === 'acceptTiers') context.tables.acceptedTiers = [...command.names]
  if (!('key' in command)) return
  const attachment = context.tables.attachments.get(command.key)
  if (attachment === undefined || attachment.current === null) return
  context.touched.add(attachment.current)
  obeyFor(context, attachment, command)
}

function obeyFor(context: Context, attachment: Attachment, command: Extract<Command, { readonly key: unknown }>): void {
  switch (command.kind) {
    case 'rekeyIke':
      queueWork(context, attachment, { kind: 'rekeyIke', group: null })
      break
    case 'rekeyChild':
    case 'childSoftLimit':
      queueWork(context, attachment, { kind: 'rekeyChild', spiIn: command.spiIn, group: null })
      break
    case 'deleteChild': {
      const child = findChildIn(attachment, command.spiIn)
      if (child !== null && child.state.kind !== 'deleting') scheduleDeletion(attachment, child)
      break
    }
    case 'deleteIke':
      if (command.reason === 'revoked') dropTraffic(context, attachment)
      queueWork(context, attachment, { kind: 'deleteIke', reason: command.reason })
      break
    case 'checkLiveness':
      queueWork(context, attachment, { kind: 'liveness' })
      break
    case 'inboundTraffic':
      attachment.heardAtMs = context.env.nowMs
      break
    case 'moveTo':
      if (attachment.role === 'initiator') depart(context, attachment, command.path)
      break
    case 'createChild':
    case 'redirect':
      break
    case 'peerMoved': {
      const path = { local: attachment.route.path.local, remote: command.remote }
      followPeer(context, attachment, path)
      break
    }
  }
}

/** Without its credential a peer sends and receives nothing more, however long the Delete takes. */
function dropTraffic(context: Context, attachment: Attachment): void {
  for (const child of attachment.children) removeChild(context, attachment, child)
}
