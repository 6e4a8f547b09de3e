/**
 * Writes what a caller was not allowed to do into the audit log: every error with status 403 of somebody known. A caller who
 * is refused the same thing over and over does not fill the log.
 */
import { DomainError, errorRegistry } from '@culvert/contracts'
import { apartFromRequest, appendDenial, inTenantTransaction, type Pool } from '@culvert/db'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { authorOf } from './author.ts'

/** Who throws a 403 may say it in `internalContext`; without it the operation of the route is the target. */
export interface DenialContext {
  readonly targetType?: string
  readonly targetId?: string
  /** Which rule refused it. */
  readonly rule?: string
  /** Permissions of which one would have been enough. */
  readonly missing?: readonly string[]
}

/** One entry for the same denial of the same actor in this time. */
const quietMs = 60_000
const maxRemembered = 10_000

/** An `onError` hook. It resolves when the entry is committed, before the answer goes out. */
export function noteDenials(
  pool: Pool,
  clock: () => number = () => performance.now(),
): (request: FastifyRequest, reply: FastifyReply, error: Error) => Promise<void> {
  /** Denials and until when they are not written again, oldest first. */
  const quiet = new Map<string, number>()
  const isNew = (what: string): boolean => {
    if ((quiet.get(what) ?? 0) > clock()) return false
    quiet.delete(what)
    quiet.set(what, clock() + quietMs)
    for (const oldest of quiet.keys()) {
      if (quiet.size <= maxRemembered) break
      quiet.delete(oldest)
    }
    return true
  }

  return async (request, _reply, error) => {
    if (!(error instanceof DomainError) || errorRegistry[error.code].status !== 403 || !request.actor) return
    const { organizationId } = request.actor
    const by = authorOf(request)
    const target = targetOf(request, error)
    const what = JSON.stringify([organizationId, by.kind, by.id, ...Object.values(target)])
    if (!isNew(what)) return
    try {
      await apartFromRequest(() =>
        inTenantTransaction(pool, organizationId, (tx) => appendDenial(tx, { organizationId, by, ...target })),
      )
    } catch (cause) {
      quiet.delete(what)
      request.log.warn({ err: cause, actor: by.id, ...target }, 'a denial is not in the audit log')
    }
  }
}

function targetOf(request: FastifyRequest, error: DomainError): { targetType: string; targetId: string; rule: string } {
  const { targetType, targetId, rule, missing } = error.internalContext as DenialContext
  const { schema, url } = request.routeOptions
  const operation = (schema as { operationId?: string } | undefined)?.operationId ?? url ?? 'unknown'
  return {
    targetType: targetType ?? 'operation',
    targetId: targetId ?? operation,
    rule: rule ?? (missing ? `permission ${missing.join(' or ')}` : error.code),
  }
}
