/**
 * The life of a tunnel as a table: (state, event) to next state. Pure: who stores the state writes it together with the
 * event row in one transaction, and only when `stepTunnel` allowed it.
 *
 *   requested ──▶ waiting_for_device ──▶ opening ──▶ open ──▶ draining ──▶ closed | expired | failed
 *       └────────────────▶───────────────┘
 *
 * Invariants: a state that is not active has no way out; `draining` remembers in its reason where it will end; every
 * end has a reason.
 */
export const tunnelStates = [
  'requested',
  'waiting_for_device',
  'opening',
  'open',
  'draining',
  'closed',
  'expired',
  'failed',
] as const
export type TunnelState = (typeof tunnelStates)[number]

/** Why a tunnel was ended on purpose: it ends in `closed`. */
export const closeReasons = [
  'requested',
  'device_deleted',
  'credential_revoked',
  'lan_removed',
  'grant_ended',
  'opener_revoked',
] as const
/** Why a tunnel ended by itself: it ends in `expired`. */
export const expiryReasons = ['ttl_elapsed', 'quota'] as const
/** Why a tunnel could not be, or could not stay, open: it ends in `failed`. */
export const failureReasons = [
  'device_wait_timeout',
  'no_free_port',
  'listen_failed',
  'gateway_lost',
  'lan_not_carried',
  'no_host_address',
] as const
export type CloseReason = (typeof closeReasons)[number]
export type ExpiryReason = (typeof expiryReasons)[number]
export type FailureReason = (typeof failureReasons)[number]
export type EndReason = CloseReason | ExpiryReason | FailureReason
/** What the `reason` of a stored tunnel can be. */
export const tunnelReasons = ['device_offline', ...closeReasons, ...expiryReasons, ...failureReasons] as const
export type TunnelReason = (typeof tunnelReasons)[number]

export type TunnelEvent =
  /** The device is away and the caller wants to wait for it. */
  | { readonly kind: 'deviceAbsent' }
  /** The device is attached: the gateway shall listen. */
  | { readonly kind: 'deviceReady' }
  /** The gateway listens. */
  | { readonly kind: 'listening' }
  /** Somebody or something ends the tunnel. */
  | { readonly kind: 'end'; readonly reason: EndReason }
  /** The gateway has closed the listener and all flows, or is gone for good. */
  | { readonly kind: 'released' }
export type TunnelEventKind = TunnelEvent['kind']

export interface TunnelStatus {
  readonly state: TunnelState
  readonly reason: TunnelReason | null
}

/** One row: `to` is fixed, or `byReason` where the reason decides between closed, expired and failed. */
export interface TunnelTransition {
  readonly from: TunnelState
  readonly on: TunnelEventKind
  readonly to: TunnelState | 'byReason'
}

export const tunnelTransitions: readonly TunnelTransition[] = [
  { from: 'requested', on: 'deviceAbsent', to: 'waiting_for_device' },
  { from: 'requested', on: 'deviceReady', to: 'opening' },
  { from: 'requested', on: 'end', to: 'byReason' },
  { from: 'waiting_for_device', on: 'deviceReady', to: 'opening' },
  { from: 'waiting_for_device', on: 'end', to: 'byReason' },
  { from: 'opening', on: 'listening', to: 'open' },
  { from: 'opening', on: 'end', to: 'draining' },
  { from: 'open', on: 'end', to: 'draining' },
  { from: 'draining', on: 'released', to: 'byReason' },
]

const rows = new Map(tunnelTransitions.map((row) => [`${row.from} ${row.on}`, row]))

/**
 * @returns the status after `event`, or null when the event means nothing in this state (late, doubled, too early), which
 * callers answer by leaving the tunnel as it is
 */
export function stepTunnel(status: TunnelStatus, event: TunnelEvent): TunnelStatus | null {
  const row = rows.get(`${status.state} ${event.kind}`)
  if (!row) return null
  const reason = event.kind === 'end' ? event.reason : row.from === 'draining' ? status.reason : null
  if (row.to === 'byReason') return reason === null ? null : { state: endStateOf(reason), reason }
  return { state: row.to, reason: row.to === 'waiting_for_device' ? 'device_offline' : reason }
}

/** @returns the final state that a reason leads to */
export function endStateOf(reason: TunnelReason): 'closed' | 'expired' | 'failed' {
  if ((expiryReasons as readonly string[]).includes(reason)) return 'expired'
  if ((closeReasons as readonly string[]).includes(reason)) return 'closed'
  return 'failed'
}

export function isFinalTunnel(state: TunnelState): boolean {
  return state === 'closed' || state === 'expired' || state === 'failed'
}

/** What the gateway shall do with the port of a tunnel in this state. */
export function desiredListener(state: TunnelState): 'listen' | 'close' {
  return state === 'opening' || state === 'open' ? 'listen' : 'close'
}
