/**
 * What the door does differently in the course of one request, so that neither routes nor the functions they call need to
 * know: remember what each transaction came to (a request with an Idempotency-Key), or undo everything (`validateOnly`).
 * It follows the request through its promises; outside of any scope the door does what its own page says.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Drawing } from './drawing.ts'
import type { KeptEffects } from './idempotency/kept-effects.ts'
import type { Rehearsal } from './rehearsal.ts'

export type RequestScope =
  | { readonly kind: 'kept'; readonly effects: KeptEffects; readonly drawing: Drawing }
  | { readonly kind: 'rehearsed'; readonly rehearsal: Rehearsal }

const scopes = new AsyncLocalStorage<RequestScope>()

export function inRequestScope<T>(scope: RequestScope, work: () => T): T {
  return scopes.run(scope, work)
}

export function requestScope(): RequestScope | undefined {
  return scopes.getStore()
}

/** What is done for good whatever becomes of the request, such as a note that it was refused. */
export function apartFromRequest<T>(work: () => T): T {
  return scopes.exit(work)
}

/** Nothing that leaves the database may be done: no hint, no waiting for others. */
export function isRehearsed(): boolean {
  return scopes.getStore()?.kind === 'rehearsed'
}
