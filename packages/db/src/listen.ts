/**
 * LISTEN on a connection of its own, for ever: a lost connection is rebuilt with back-off, and because notices sent
 * meanwhile are lost, every (re)connection is reported as `reconnected`, so that the caller reads the truth again.
 * A silent death of the connection is noticed by a probe that must be answered.
 */
import pg from 'pg'
import type { DatabaseRole } from './access/roles.ts'
import { connectTimeoutMs, roleOption } from './pool.ts'

export interface Notice {
  readonly channel: string
  readonly payload: string
}

export type ListenHandler = (notice: Notice | 'reconnected') => void

export interface Listener {
  /** Resolves when the channels are heard for the first time. */
  readonly ready: Promise<void>
  /** True while notices arrive. */
  connected(): boolean
  close(): Promise<void>
}

export interface ListenOptions {
  readonly applicationName?: string
  readonly role?: DatabaseRole
  readonly onError?: (error: Error) => void
}

const firstDelayMs = 100
const longestDelayMs = 5_000
const probeIntervalMs = 10_000

/** @param channels names as given to pg_notify, case kept */
export function listen(
  url: string,
  channels: readonly string[],
  handler: ListenHandler,
  options: ListenOptions = {},
): Listener {
  const first = Promise.withResolvers<void>()
  let closed = false
  let delayMs = firstDelayMs
  let current: pg.Client | null = null
  let heard = false
  let timer: NodeJS.Timeout | undefined
  let opening: Promise<void> = Promise.resolve()

  const open = async (): Promise<void> => {
    const client = new pg.Client({
      connectionString: url,
      application_name: options.applicationName ?? 'culvert-listen',
      ...(options.role ? { options: roleOption(options.role) } : {}),
      connectionTimeoutMillis: connectTimeoutMs,
      query_timeout: connectTimeoutMs,
      keepAlive: true,
    })
    const lost = (error: Error): void => {
      if (current === client) retry(error)
    }
    current = client
    client.on('error', lost)
    // A client that is ended while it connects never says what became of that.
    const ended = new Promise<never>((_resolve, reject) => {
      client.on('end', () => reject(new Error('the connection that listens has ended')))
    })
    ended.catch(lost)
    client.on('notification', ({ channel, payload }) => handler({ channel, payload: payload ?? '' }))
    try {
      await Promise.race([client.connect(), ended])
      for (const channel of channels) await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`)
    } catch (error) {
      lost(error as Error)
      return
    }
    if (closed || current !== client) return void client.end().catch(() => {})
    delayMs = firstDelayMs
    heard = true
    first.resolve()
    handler('reconnected')
    probe(client, lost)
  }

  const probe = (client: pg.Client, lost: (error: Error) => void): void => {
    timer = setTimeout(() => {
      client.query('SELECT 1').then(() => current === client && !closed && probe(client, lost), lost)
    }, probeIntervalMs).unref()
  }

  const retry = (error: Error): void => {
    const dead = current
    current = null
    heard = false
    clearTimeout(timer)
    void dead?.end().catch(() => {})
    if (closed) return
    options.onError?.(error)
    timer = setTimeout(() => {
      opening = open()
    }, delayMs)
    delayMs = Math.min(delayMs * 2, longestDelayMs)
  }

  opening = open()
  return {
    ready: first.promise,
    connected: () => heard,
    close: async () => {
      closed = true
      clearTimeout(timer)
      const client = current
      current = null
      heard = false
      await client?.end().catch(() => {})
      await opening
    },
  }
}
