/**
 * The one way to open connections: errors of idle connections are listened to (an unheard 'error' event would end the
 * process), a dead server is noticed within two seconds, and every connection says who it is.
 */
import pg from 'pg'
import type { DatabaseRole } from './access/roles.ts'

export interface PoolOptions {
  readonly max?: number
  /** What its connections may do; without it whatever the user of the URL may. */
  readonly role?: DatabaseRole
  /** Shown in pg_stat_activity, such as `api` or `con-1`. */
  readonly applicationName?: string
  /** Longest wait for one statement's answer; a server that is frozen and not dead is noticed by it. */
  readonly queryTimeoutMs?: number
  /** Told about idle connections that broke; the pool replaces them by itself. */
  readonly onError?: (error: Error) => void
}

export const connectTimeoutMs = 2_000

/** For `options` of a connection: it begins and, also after RESET ROLE, stays in this role. */
export function roleOption(role: DatabaseRole): string {
  return `-c role=${role}`
}

/** Opens nothing yet: the first query connects. Close with `end()`. */
export function openPool(url: string, options: PoolOptions = {}): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max ?? 10,
    ...(options.role ? { options: roleOption(options.role) } : {}),
    application_name: options.applicationName ?? 'culvert',
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: 60_000,
    query_timeout: options.queryTimeoutMs ?? 15_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  })
  pool.on('error', (error) => options.onError?.(error))
  // The pool listens only to idle connections: one that breaks between two statements of a transaction would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined))
  return pool
}
