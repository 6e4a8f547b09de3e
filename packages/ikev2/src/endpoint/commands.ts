/**
 * Commands of the driver. One for an attachment that is gone, or that asks for what is happening already, does nothing.
 */
import { endTraffic } from './closing.ts'
import type { Command } from './contract.ts'
import type { Context } from './context.ts'
import { depart, followPeer } from './moving.ts'
import { queueWork } from './work.ts'
import { scheduleDeletion } from '../exchanges/create-child-sa/complete-child.ts'
import { begin } from '../exchanges/session-resume/initiate.ts'
import { addTask, allowSelectors, type Attachment, findChildIn, isEnding, MAX_NEW_CHILD_SAS } from '../sa/attachment.ts'

export function obey(context: Context, command: Command): void {
  if (command.kind === 'initiate') {
    begin(context, command.peer)
    return
  }
  if (command.kind === 'acceptTiers') context.tables.acceptedTiers = [...command.names]
  if (command.kind === 'acceptAuthorities') context.tables.acceptedAuthorities = [...command.hashes]
  if (command.kind === 'ownAddresses') haveAddresses(context, command.addresses)
  if (command.kind === 'redirectNewcomers') context.tables.redirectTo = command.to
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
      if (command.reason === 'revoked') endTraffic(context, attachment)
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
      if (attachment.role === 'initiator' && !isEnding(attachment)) createChild(context, attachment, command)
      break
    case 'regrant':
      if (attachment.role === 'responder' && attachment.stage === 'established') {
        allowSelectors(attachment, command)
        attachment.offersMore = true
      }
      break
    case 'redirect':
      if (attachment.followsRedirects && !isEnding(attachment)) {
        queueWork(context, attachment, { kind: 'redirect', to: command.to })
      }
      break
    case 'peerMoved': {
      const path = { local: attachment.route.path.local, remote: command.remote }
      followPeer(context, attachment, path)
      break
    }
  }
}

/** Looks at every attachment: addresses of our own seldom change. */
function haveAddresses({ env, tables, touched }: Context, addresses: readonly string[]): void {
  tables.ownAddresses = [...addresses]
  for (const attachment of tables.attachments.values()) {
    if (attachment.mobike === null || attachment.current === null) continue
    addTask(attachment, { work: { kind: 'announceAddresses' }, notBeforeMs: env.nowMs, refusals: 0 })
    touched.add(attachment.current)
  }
}

/** Not more than there can be; a driver that wants more hears nothing of them. */
function createChild(
  context: Context,
  attachment: Attachment,
  { tsLocal, tsRemote }: Extract<Command, { kind: 'createChild' }>,
): void {
  const waiting = attachment.tasks.filter(({ work }) => work.kind === 'createChild').length
  if (waiting >= MAX_NEW_CHILD_SAS) return
  queueWork(context, attachment, { kind: 'createChild', tsLocal, tsRemote, group: null })
}
