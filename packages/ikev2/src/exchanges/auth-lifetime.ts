/**
 * How long an authentication holds (RFC 4478): the responder tells, the initiator authenticates anew before, the responder ends
 * the IKE SA of one that did not.
 *
 * We wait for `halfOpenMs` beyond what we told: an attempt that began in time has succeeded or is forgotten by then. Then traffic
 * ends at once, and the Delete follows. Rekeys change nothing of it.
 */
import type { AttachGrant } from '../endpoint/contract.ts'
import { type Context, emit } from '../endpoint/context.ts'
import type { Payload } from '../message/model.ts'
import { NOTIFY } from '../message/numbers.ts'
import { readU32, writeU32 } from '../message/octets.ts'
import type { Attachment } from '../sa/attachment.ts'
import { findNotify } from '../sa/payload-shape.ts'
import { notify } from './notify.ts'

const MAX_SECONDS = 0xffff_ffff

/** As responder: the clock starts. @returns what the peer is told, whole seconds rounded down. */
export function startAuthLifetime(
  { env, config }: Context,
  attachment: Attachment,
  grant: AttachGrant | null,
): readonly Payload[] {
  const lifetimeMs = grant?.authLifetimeMs ?? null
  if (lifetimeMs === null) return []
  attachment.authExpiresAtMs = env.nowMs + lifetimeMs + config.timing.halfOpenMs
  const data = new Uint8Array(4)
  writeU32(data, 0, Math.min(MAX_SECONDS, Math.floor(lifetimeMs / 1000)))
  return [notify(NOTIFY.AUTH_LIFETIME, data)]
}

/** As initiator: in IKE_AUTH, or later in an INFORMATIONAL request. */
export function hearAuthLifetime(context: Context, { role, key }: Attachment, payloads: readonly Payload[]): void {
  const told = findNotify(payloads, NOTIFY.AUTH_LIFETIME)
  if (role !== 'initiator' || told?.data.length !== 4) return
  emit(context, { kind: 'authLifetime', key, lifetimeMs: readU32(told.data, 0) * 1000 })
}
