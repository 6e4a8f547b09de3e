/**
 * The transitions of an IKE SA as data: which exchange is heard in which phase, what it must carry, who handles it, what follows.
 *
 * A message without a row is dropped: so before authentication nothing but IKE_AUTH is heard (C37), and where additional key
 * exchanges were agreed nothing but those until they are through. Rows are disjoint and every phase is reachable; a test says so.
 * `internal` rows are the transitions made by answers, timers and commands.
 */
import { EXCHANGE } from '../message/numbers.ts'
import type { Payload } from '../message/model.ts'
import type { Phase } from './ike-sa.ts'

/** `listening` is no IKE SA yet, `gone` is none any more. */
export type TablePhase = Phase | 'listening' | 'gone'

export type HandlerName =
  | 'initRequest'
  | 'initResponse'
  | 'intermediateRequest'
  | 'intermediateResponse'
  | 'authRequest'
  | 'resumeRequest'
  | 'resumeResponse'
  | 'resumedAuth'
  | 'eapResponse'
  | 'eapAuth'
  | 'authResponse'
  | 'createChildSaRequest'
  | 'createChildSaResponse'
  | 'followUpKeRequest'
  | 'followUpKeResponse'
  | 'informationalRequest'
  | 'informationalResponse'

export interface MessageRow {
  readonly phase: TablePhase
  readonly exchangeType: number
  readonly role: 'request' | 'response'
  /** Payloads that must be there once (in a response: unless it reports an error). */
  readonly required: readonly Payload['kind'][]
  /** Payloads that may be there once; all others may come in any number and are skipped when not understood. */
  readonly optional: readonly Payload['kind'][]
  readonly handler: HandlerName
  readonly next: readonly TablePhase[]
}

export interface InternalRow {
  readonly phase: TablePhase
  readonly cause:
    | 'initiate'
    | 'credential'
    | 'resume'
    | 'eap'
    | 'trust'
    | 'attach'
    | 'expiry'
    | 'silence'
    | 'delete'
    | 'rekey'
    | 'eviction'
    | 'superseded'
  readonly next: readonly TablePhase[]
}

const { IKE_FOLLOWUP_KE, IKE_SA_INIT, IKE_SESSION_RESUME, IKE_INTERMEDIATE, IKE_AUTH, CREATE_CHILD_SA, INFORMATIONAL } =
  EXCHANGE

export const MESSAGE_ROWS: readonly MessageRow[] = [
  {
    phase: 'listening',
    exchangeType: IKE_SA_INIT,
    role: 'request',
    required: ['sa', 'ke', 'nonce'],
    optional: [],
    handler: 'initRequest',
    next: ['listening', 'initAnswered', 'intermediateAwaited'],
  },
  {
    phase: 'listening',
    exchangeType: IKE_SESSION_RESUME,
    role: 'request',
    required: ['nonce'],
    optional: [],
    handler: 'resumeRequest',
    next: ['listening', 'resumeAnswered'],
  },
  {
    phase: 'resumeSent',
    exchangeType: IKE_SESSION_RESUME,
    role: 'response',
    required: [],
    optional: ['nonce'],
    handler: 'resumeResponse',
    next: ['resumeSent', 'authSent', 'gone'],
  },
  {
    phase: 'resumeAnswered',
    exchangeType: IKE_AUTH,
    role: 'request',
    required: ['idI', 'auth'],
    optional: ['idR', 'sa', 'tsI', 'tsR', 'cp', 'eap'],
    handler: 'resumedAuth',
    next: ['resumeAnswered', 'resumeAsked', 'rejected'],
  },
  {
    phase: 'initSent',
    exchangeType: IKE_SA_INIT,
    role: 'response',
    required: [],
    optional: ['sa', 'ke', 'nonce'],
    handler: 'initResponse',
    next: ['initSent', 'intermediateSent', 'authSent', 'gone'],
  },
  {
    phase: 'intermediateAwaited',
    exchangeType: IKE_INTERMEDIATE,
    role: 'request',
    required: ['ke'],
    optional: [],
    handler: 'intermediateRequest',
    next: ['intermediateAwaited', 'initAnswered', 'rejected'],
  },
  {
    phase: 'intermediateSent',
    exchangeType: IKE_INTERMEDIATE,
    role: 'response',
    required: ['ke'],
    optional: [],
    handler: 'intermediateResponse',
    next: ['intermediateSent', 'authSent', 'gone'],
  },
  {
    phase: 'initAnswered',
    exchangeType: IKE_AUTH,
    role: 'request',
    required: ['idI'],
    optional: ['idR', 'auth', 'sa', 'tsI', 'tsR', 'cp', 'eap'],
    handler: 'authRequest',
    next: ['initAnswered', 'credentialAsked', 'rejected'],
  },
  {
    phase: 'eapSent',
    exchangeType: IKE_AUTH,
    role: 'request',
    required: ['eap'],
    optional: ['auth'],
    handler: 'eapResponse',
    next: ['eapSent', 'eapAsked', 'rejected'],
  },
  {
    phase: 'eapProven',
    exchangeType: IKE_AUTH,
    role: 'request',
    required: ['auth'],
    optional: ['eap'],
    handler: 'eapAuth',
    next: ['eapProven', 'attachAsked', 'rejected'],
  },
  {
    phase: 'authSent',
    exchangeType: IKE_AUTH,
    role: 'response',
    required: ['idR', 'auth'],
    optional: ['sa', 'tsI', 'tsR', 'cp', 'eap'],
    handler: 'authResponse',
    next: ['trustAsked', 'established', 'deleting', 'gone'],
  },
  {
    phase: 'established',
    exchangeType: CREATE_CHILD_SA,
    role: 'request',
    required: ['sa', 'nonce'],
    optional: ['ke', 'tsI', 'tsR'],
    handler: 'createChildSaRequest',
    next: ['established', 'replaced', 'closed'],
  },
  {
    phase: 'established',
    exchangeType: CREATE_CHILD_SA,
    role: 'response',
    required: ['sa', 'nonce'],
    optional: ['ke', 'tsI', 'tsR'],
    handler: 'createChildSaResponse',
    next: ['established', 'replaced', 'deleting', 'gone'],
  },
  {
    phase: 'established',
    exchangeType: IKE_FOLLOWUP_KE,
    role: 'request',
    required: ['ke'],
    optional: [],
    handler: 'followUpKeRequest',
    next: ['established', 'replaced', 'closed'],
  },
  {
    phase: 'established',
    exchangeType: IKE_FOLLOWUP_KE,
    role: 'response',
    required: ['ke'],
    optional: [],
    handler: 'followUpKeResponse',
    next: ['established', 'replaced', 'deleting', 'gone'],
  },
  {
    phase: 'replaced',
    exchangeType: IKE_FOLLOWUP_KE,
    role: 'request',
    required: ['ke'],
    optional: [],
    handler: 'followUpKeRequest',
    next: ['replaced', 'closed'],
  },
  {
    phase: 'deleting',
    exchangeType: IKE_FOLLOWUP_KE,
    role: 'request',
    required: ['ke'],
    optional: [],
    handler: 'followUpKeRequest',
    next: ['deleting', 'closed'],
  },
  {
    phase: 'established',
    exchangeType: INFORMATIONAL,
    role: 'request',
    required: [],
    optional: ['cp'],
    handler: 'informationalRequest',
    next: ['established', 'closed'],
  },
  {
    phase: 'established',
    exchangeType: INFORMATIONAL,
    role: 'response',
    required: [],
    optional: ['cp'],
    handler: 'informationalResponse',
    next: ['established', 'gone'],
  },
  {
    phase: 'replaced',
    exchangeType: CREATE_CHILD_SA,
    role: 'request',
    required: ['sa', 'nonce'],
    optional: ['ke', 'tsI', 'tsR'],
    handler: 'createChildSaRequest',
    next: ['replaced', 'closed'],
  },
  {
    phase: 'replaced',
    exchangeType: INFORMATIONAL,
    role: 'request',
    required: [],
    optional: ['cp'],
    handler: 'informationalRequest',
    next: ['replaced', 'closed'],
  },
  {
    phase: 'replaced',
    exchangeType: INFORMATIONAL,
    role: 'response',
    required: [],
    optional: ['cp'],
    handler: 'informationalResponse',
    next: ['replaced', 'gone'],
  },
  {
    phase: 'deleting',
    exchangeType: CREATE_CHILD_SA,
    role: 'request',
    required: ['sa', 'nonce'],
    optional: ['ke', 'tsI', 'tsR'],
    handler: 'createChildSaRequest',
    next: ['deleting', 'closed'],
  },
  {
    phase: 'deleting',
    exchangeType: INFORMATIONAL,
    role: 'request',
    required: [],
    optional: ['cp'],
    handler: 'informationalRequest',
    next: ['deleting', 'closed'],
  },
  {
    phase: 'deleting',
    exchangeType: INFORMATIONAL,
    role: 'response',
    required: [],
    optional: ['cp'],
    handler: 'informationalResponse',
    next: ['gone'],
  },
]

export const INTERNAL_ROWS: readonly InternalRow[] = [
  { phase: 'listening', cause: 'initiate', next: ['initSent', 'resumeSent'] },
  { phase: 'listening', cause: 'rekey', next: ['established'] },
  { phase: 'initSent', cause: 'silence', next: ['gone'] },
  { phase: 'resumeSent', cause: 'silence', next: ['gone'] },
  { phase: 'resumeAnswered', cause: 'expiry', next: ['gone'] },
  { phase: 'resumeAnswered', cause: 'eviction', next: ['gone'] },
  { phase: 'resumeAsked', cause: 'resume', next: ['attachAsked', 'rejected'] },
  { phase: 'resumeAsked', cause: 'expiry', next: ['gone'] },
  { phase: 'resumeAsked', cause: 'eviction', next: ['gone'] },
  { phase: 'initAnswered', cause: 'expiry', next: ['gone'] },
  { phase: 'initAnswered', cause: 'eviction', next: ['gone'] },
  { phase: 'intermediateAwaited', cause: 'expiry', next: ['gone'] },
  { phase: 'intermediateAwaited', cause: 'eviction', next: ['gone'] },
  { phase: 'intermediateSent', cause: 'silence', next: ['gone'] },
  { phase: 'credentialAsked', cause: 'credential', next: ['attachAsked', 'eapAsked', 'rejected'] },
  { phase: 'credentialAsked', cause: 'expiry', next: ['gone'] },
  { phase: 'credentialAsked', cause: 'eviction', next: ['gone'] },
  { phase: 'eapAsked', cause: 'eap', next: ['eapSent', 'eapProven', 'rejected'] },
  { phase: 'eapAsked', cause: 'expiry', next: ['gone'] },
  { phase: 'eapAsked', cause: 'eviction', next: ['gone'] },
  { phase: 'eapSent', cause: 'expiry', next: ['gone'] },
  { phase: 'eapSent', cause: 'eviction', next: ['gone'] },
  { phase: 'eapProven', cause: 'expiry', next: ['gone'] },
  { phase: 'eapProven', cause: 'eviction', next: ['gone'] },
  { phase: 'attachAsked', cause: 'attach', next: ['established', 'rejected'] },
  { phase: 'attachAsked', cause: 'expiry', next: ['gone'] },
  { phase: 'attachAsked', cause: 'eviction', next: ['gone'] },
  { phase: 'rejected', cause: 'expiry', next: ['gone'] },
  { phase: 'rejected', cause: 'eviction', next: ['gone'] },
  { phase: 'authSent', cause: 'silence', next: ['gone'] },
  { phase: 'trustAsked', cause: 'trust', next: ['established', 'deleting', 'gone'] },
  { phase: 'trustAsked', cause: 'expiry', next: ['gone'] },
  { phase: 'established', cause: 'delete', next: ['deleting'] },
  { phase: 'established', cause: 'rekey', next: ['replaced'] },
  { phase: 'established', cause: 'silence', next: ['gone'] },
  { phase: 'established', cause: 'superseded', next: ['gone'] },
  { phase: 'replaced', cause: 'expiry', next: ['gone'] },
  { phase: 'deleting', cause: 'silence', next: ['gone'] },
  { phase: 'closed', cause: 'expiry', next: ['gone'] },
]

const ROWS_BY_PHASE = Map.groupBy(MESSAGE_ROWS, ({ phase }) => phase)

/** The row for a message heard in this phase, null when such a message is not heard there. */
export function findRow(phase: TablePhase, exchangeType: number, role: 'request' | 'response'): MessageRow | null {
  for (const row of ROWS_BY_PHASE.get(phase) ?? []) {
    if (row.exchangeType === exchangeType && row.role === role) return row
  }
  return null
}
