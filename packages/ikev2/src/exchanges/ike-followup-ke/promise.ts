/**
 * We agreed to what the peer asks for, and additional key exchanges follow (RFC 9370 2.2.4): what is kept, and its name.
 */
import { dropUnfinished } from '../../endpoint/closing.ts'
import type { Context } from '../../endpoint/context.ts'
import type { Payload } from '../../message/model.ts'
import { NOTIFY } from '../../message/numbers.ts'
import { addUnfinished, type Attachment } from '../../sa/attachment.ts'
import { retransmissionSpanMs } from '../../sa/retransmission.ts'
import { type Unfinished, unfinishedChild, unfinishedIke } from '../../sa/unfinished.ts'
import { notify } from '../notify.ts'

const LINK_BYTES = 16

export function drawLink({ env }: Context): Uint8Array {
  return env.rng(LINK_BYTES)
}

export function linkPayload(link: Uint8Array): Payload {
  return notify(NOTIFY.ADDITIONAL_KEY_EXCHANGE, link)
}

/** How long the peer has for all that follows. */
export function promiseEndsAtMs({ env, config }: Context): number {
  return env.nowMs + 2 * retransmissionSpanMs(config.timing)
}

/**
 * Keeps it in place of an earlier one for the same SA. There are never many: one rekey of each SA, and new Child SAs count like those
 * that stand.
 */
export function promise(context: Context, attachment: Attachment, entry: Unfinished): void {
  const { kind, input } = entry
  const isRekey = kind === 'child' && input.replaces !== null
  const earlier = kind === 'ike' ? unfinishedIke(attachment) : isRekey ? rekeyOf(attachment, input.replaces) : null
  if (earlier !== null) dropUnfinished(context, attachment, earlier)
  addUnfinished(attachment, entry)
  if (attachment.current !== null) context.touched.add(attachment.current)
}

function rekeyOf(attachment: Attachment, spiIn: Parameters<typeof unfinishedChild>[2]): Unfinished | null {
  return unfinishedChild(attachment, 'replaces', spiIn)
}
