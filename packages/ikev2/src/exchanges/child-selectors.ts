/**
 * What a Child SA the peer asks for may carry: mode and selectors (RFC 7296 1.3.1, 2.9, 2.9.2).
 *
 * Transport mode is for a peer that asks for it and was granted it, and only about the outer addresses; else it is declined by not
 * echoing the wish, and tunnel mode remains (C41). A rekey keeps the mode and comes out no narrower than what is in use (C40), but as wide as what was granted since.
 */
import type { TrafficSelector } from '../message/model.ts'
import { type Attachment, selectorsForRekey } from '../sa/attachment.ts'
import type { ChildSa } from '../sa/child-sa.ts'
import { covers, narrow } from '../traffic-selector/narrow.ts'
import { agreeTransport, type TransportSelectors } from './transport-mode.ts'

export interface SelectorRequest {
  readonly tsI: readonly TrafficSelector[]
  readonly tsR: readonly TrafficSelector[]
  /** USE_TRANSPORT_MODE came with it. */
  readonly transportMode: boolean
  /** The Child SA to be rekeyed; null for a new one. */
  readonly replaces: ChildSa | null
}

export interface AgreedSelectors extends TransportSelectors {
  readonly mode: ChildSa['mode']
}

/** @returns null when nothing is left (TS_UNACCEPTABLE). */
export function agreeSelectors(attachment: Attachment, request: SelectorRequest): AgreedSelectors | null {
  const { replaces } = request
  const isTransport = request.transportMode && (replaces?.mode ?? 'transport') === 'transport'
  const transport = isTransport ? inTransportMode(attachment, request) : null
  if (transport !== null) return { ...transport, mode: 'transport' }
  if (replaces?.mode === 'transport') return null
  const allowed = replaces === null ? attachment : selectorsForRekey(attachment, replaces)
  const tsLocal = narrow(request.tsR, allowed.tsLocal)
  const tsRemote = narrow(request.tsI, allowed.tsRemote)
  if (tsLocal === null || tsRemote === null || narrows(replaces, tsLocal, tsRemote)) return null
  return { mode: 'tunnel', tsLocal, tsRemote, tsI: tsRemote, tsR: tsLocal }
}

function inTransportMode(attachment: Attachment, { tsI, tsR, replaces }: SelectorRequest): TransportSelectors | null {
  const agreed = attachment.transportMode ? agreeTransport(attachment.route, tsI, tsR) : null
  return agreed === null || narrows(replaces, agreed.tsLocal, agreed.tsRemote) ? null : agreed
}

function narrows(
  replaces: ChildSa | null,
  tsLocal: readonly TrafficSelector[],
  tsRemote: readonly TrafficSelector[],
): boolean {
  return replaces !== null && !(covers(tsLocal, replaces.tsLocal) && covers(tsRemote, replaces.tsRemote))
}
