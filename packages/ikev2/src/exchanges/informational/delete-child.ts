/**
 * Delete of Child SAs (RFC 7296 1.4.1, 2.25.1, 3.11).
 *
 * ```
 *   HDR, SK {D(sender's inbound SPIs)}  -->
 *                                      <--  HDR, SK {D(our inbound SPIs of the same Child SAs)}
 * ```
 *
 * One Child SA goes out of both data planes on each end. When the old one of a rekey goes, its successor starts to send.
 */
import { removeChild } from '../../endpoint/closing.ts'
import type { Context } from '../../endpoint/context.ts'
import { sendRequest } from '../../endpoint/outbound.ts'
import type { Payload, Spi } from '../../message/model.ts'
import { EXCHANGE, PROTOCOL } from '../../message/numbers.ts'
import { readU32 } from '../../message/octets.ts'
import { type Attachment, findChildIn, findChildOut } from '../../sa/attachment.ts'
import type { Channel } from '../../sa/channel.ts'
import type { ChildSa } from '../../sa/child-sa.ts'
import type { IkeSa } from '../../sa/ike-sa.ts'
import type { PayloadOf } from '../../sa/payload-shape.ts'
import { answersWithDelete } from '../../sa/simultaneous.ts'
import { protocolIdOf, spiBytes } from '../notify.ts'

/** @returns `skipped` when the Child SA is gone already, `exhausted` when the IKE SA cannot send. */
export function requestChildDelete(
  context: Context,
  attachment: Attachment,
  ike: { readonly sa: IkeSa; readonly channel: Channel },
  spiIn: Spi,
): 'sent' | 'skipped' | 'exhausted' {
  const child = findChildIn(attachment, spiIn)
  if (child === null) return 'skipped'
  // The peer drops what comes on it as soon as it has our Delete.
  activateSuccessor(context, attachment, child)
  const payload: Payload = { kind: 'delete', protocolId: protocolIdOf(child.protocol), spis: [spiBytes(spiIn)] }
  const exchange = { ...ike, exchangeType: EXCHANGE.INFORMATIONAL }
  return sendRequest(context, exchange, [payload], { kind: 'deleteChild', spiIn }) ? 'sent' : 'exhausted'
}

/** Our Delete is answered, whatever the answer says. */
export function completeChildDelete(context: Context, attachment: Attachment, spiIn: Spi): void {
  const child = findChildIn(attachment, spiIn)
  if (child !== null) takeOut(context, attachment, child)
}

/** The peer deletes Child SAs. @returns our Delete for the response; nothing for SAs unknown or being deleted by us. */
export function acceptChildDeletes(
  context: Context,
  attachment: Attachment,
  channel: Channel,
  deletes: readonly PayloadOf<'delete'>[],
): readonly Payload[] {
  const ours: { readonly protocolId: number; readonly spi: Uint8Array }[] = []
  for (const { protocolId, spis } of deletes) {
    for (const spi of spis) {
      const child = findChildOut(attachment, readU32(spi, 0) as Spi)
      if (child === null || protocolId !== protocolIdOf(child.protocol)) continue
      const isAnswered = answersWithDelete(child, channel.pending?.attempt ?? null)
      if (isAnswered) ours.push({ protocolId, spi: spiBytes(child.spiIn) })
      takeOut(context, attachment, child)
    }
  }
  return [PROTOCOL.ESP, PROTOCOL.AH].flatMap((protocolId): readonly Payload[] => {
    const spis = ours.filter((own) => own.protocolId === protocolId).map(({ spi }) => spi)
    return spis.length === 0 ? [] : [{ kind: 'delete', protocolId, spis }]
  })
}

/** The peer does not know this Child SA any more (CHILD_SA_NOT_FOUND): it goes without a word (C51). */
export function dropVanishedChild(context: Context, attachment: Attachment, child: ChildSa): void {
  takeOut(context, attachment, child)
}

function takeOut(context: Context, attachment: Attachment, child: ChildSa): void {
  activateSuccessor(context, attachment, child)
  removeChild(context, attachment, child)
}

function activateSuccessor(context: Context, attachment: Attachment, child: ChildSa): void {
  const successor = attachment.children.find(
    (other) => other.replaces === child.spiIn && other.state.kind === 'installed',
  )
  if (successor === undefined || successor.outboundActive) return
  successor.outboundActive = true
  context.effects.push({ kind: 'activateOutbound', key: attachment.key, spiIn: successor.spiIn })
}
