/**
 * Starts queued work on the current IKE SA of an attachment whenever its window is free (RFC 7296 2.3: window 1).
 */
import { closeAttachment } from './closing.ts'
import type { CloseReason } from './contract.ts'
import type { Context } from './context.ts'
import { requestChildRekey } from '../exchanges/create-child-sa/request-child.ts'
import { requestNewChild } from '../exchanges/create-child-sa/new-child.ts'
import { requestIkeRekey } from '../exchanges/create-child-sa/request-ike.ts'
import { requestChildDelete } from '../exchanges/informational/delete-child.ts'
import { startIkeDelete } from '../exchanges/informational/delete-ike.ts'
import { announceAddresses } from '../exchanges/informational/additional-addresses.ts'
import { requestLiveness } from '../exchanges/informational/liveness.ts'
import { requestAddressUpdate } from '../exchanges/informational/update-addresses.ts'
import { requestRedirect } from '../exchanges/redirect/attached.ts'
import { addTask, type Attachment, childToWiden, dropTask, findChildIn } from '../sa/attachment.ts'
import type { Channel } from '../sa/channel.ts'
import { isConfirmed } from '../sa/child-sa.ts'
import type { IkeSa } from '../sa/ike-sa.ts'
import { ivsRunLow } from '../sa/iv-source.ts'
import { messageIdsRunLow } from '../sa/message-window.ts'
import type { Task, Work } from '../sa/request.ts'
import { covers } from '../traffic-selector/narrow.ts'

const CONFIRMATION_WAIT_MS = 1_000

/** Queues work to be done as soon as possible. */
export function queueWork(context: Context, attachment: Attachment, work: Work): void {
  addTask(attachment, { work, notBeforeMs: context.env.nowMs, refusals: 0 })
  if (attachment.current !== null) context.touched.add(attachment.current)
}

/** Sends the next request if there is one and the window allows it. */
export function startWork(context: Context, attachment: Attachment): void {
  const sa = attachment.current
  if (sa === null || sa.state.phase !== 'established') return
  const { channel } = sa.state
  if (runsLow(channel)) addTask(attachment, { work: { kind: 'rekeyIke', group: null }, notBeforeMs: 0, refusals: 0 })
  if (attachment.offersMore && channel.pending === null) offerMore(attachment)
  while (channel.pending === null) {
    const task = nextTask(attachment, context.env.nowMs)
    if (task === null) return
    dropTask(attachment, task)
    if (isTooEarly(context, attachment, channel, task.work)) {
      addTask(attachment, { ...task, notBeforeMs: context.env.nowMs + CONFIRMATION_WAIT_MS })
      continue
    }
    if (start(context, attachment, { sa, channel }, task) === 'exhausted') {
      closeAttachment(context, attachment, 'expired')
      return
    }
  }
}

/** The peer may not know yet of the Child SA that its own request made. */
function isTooEarly({ env }: Context, attachment: Attachment, channel: Channel, work: Work): boolean {
  if (work.kind !== 'rekeyChild' && work.kind !== 'deleteChild') return false
  const child = findChildIn(attachment, work.spiIn)
  return child !== null && !isConfirmed(child, channel, env.nowMs)
}

/** A peer with several Child SAs has parted its traffic itself, and asks for what it wants. */
function offerMore(attachment: Attachment): void {
  const child = childToWiden(attachment)
  const isOffered =
    child === null || (covers(child.tsLocal, attachment.tsLocal) && covers(child.tsRemote, attachment.tsRemote))
  if (isOffered) attachment.offersMore = false
  else
    addTask(attachment, { work: { kind: 'rekeyChild', spiIn: child.spiIn, group: null }, notBeforeMs: 0, refusals: 0 })
}

function runsLow(channel: Channel): boolean {
  const isRekeying = channel.pending?.attempt.kind === 'rekeyIke'
  return !isRekeying && (ivsRunLow(channel.iv) || messageIdsRunLow(channel.received, channel.sent))
}

/** The end of the IKE SA goes before everything else, then where we are; the rest in the order it came. */
function nextTask(attachment: Attachment, nowMs: number): Task | null {
  const due = attachment.tasks.filter((task) => task.notBeforeMs <= nowMs)
  const first = due.find(({ work }) => work.kind === 'deleteIke') ?? due.find(isUpdate)
  return first ?? due[0] ?? null
}

function isUpdate({ work }: Task): boolean {
  return work.kind === 'updateAddresses'
}

interface CurrentIke {
  readonly sa: IkeSa
  readonly channel: Channel
}

function start(
  context: Context,
  attachment: Attachment,
  ike: CurrentIke,
  task: Task,
): 'sent' | 'skipped' | 'exhausted' {
  const { work } = task
  switch (work.kind) {
    case 'rekeyIke':
      return requestIkeRekey(context, attachment, ike, { ...task, work })
    case 'rekeyChild':
      return requestChildRekey(context, attachment, ike, { ...task, work })
    case 'createChild':
      return requestNewChild(context, attachment, ike, { ...task, work })
    case 'deleteChild':
      return requestChildDelete(context, attachment, ike, work.spiIn)
    case 'deleteIke':
      return deleteIke(context, attachment, ike, work.reason)
    case 'liveness':
      return requestLiveness(context, attachment, ike)
    case 'redirect':
      return requestRedirect(context, ike, work.to)
    case 'updateAddresses':
      return requestAddressUpdate(context, attachment, ike)
    case 'announceAddresses':
      return announceAddresses(context, attachment, ike)
  }
}

function deleteIke(context: Context, attachment: Attachment, { sa }: CurrentIke, reason: CloseReason): 'sent' {
  startIkeDelete(context, attachment, sa, reason)
  return 'sent'
}
