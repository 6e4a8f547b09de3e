/** Tells "the database cannot be reached now" from every other failure, through the wrappers that pg and Prisma put around it. */
const unavailableCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  // SQLSTATE: connection exceptions, shutdown, crash, start-up, too many connections, read-only after a failover
  '08000',
  '08001',
  '08003',
  '08004',
  '08006',
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '25006',
  // Prisma: cannot reach, timed out, closed, no connection from the pool, transaction not started in time
  'P1001',
  'P1002',
  'P1008',
  'P1017',
  'P2024',
])
const unavailableMessages = [
  'Connection terminated',
  'timeout exceeded when trying to connect',
  'Client has encountered a connection error',
  'Query read timeout',
  'server closed the connection',
]
const unavailableKinds = new Set(['DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout', 'TooManyConnections'])

/** @returns true when a later attempt may succeed without anybody changing the request */
export function isDatabaseUnavailable(error: unknown, depth = 0): boolean {
  if (typeof error !== 'object' || error === null || depth > 5) return false
  const { code, message, kind, cause, errors, originalCode } = error as Record<string, unknown>
  if (typeof code === 'string' && unavailableCodes.has(code)) return true
  if (typeof originalCode === 'string' && unavailableCodes.has(originalCode)) return true
  if (typeof kind === 'string' && unavailableKinds.has(kind)) return true
  if (typeof message === 'string' && unavailableMessages.some((start) => message.includes(start))) return true
  if (Array.isArray(errors) && errors.some((inner) => isDatabaseUnavailable(inner, depth + 1))) return true
  return isDatabaseUnavailable(cause, depth + 1)
}

/** @returns the name of the constraint that a statement broke, or null when the failure is of another kind */
export function brokenConstraint(error: unknown): string | null {
  const { code, constraint } = (error ?? {}) as { code?: unknown; constraint?: unknown }
  return typeof code === 'string' && code.startsWith('23') && typeof constraint === 'string' ? constraint : null
}

/** Host and port of a URL, without its password. */
export function databasePlace(url: string): string {
  const { hostname, port } = new URL(url)
  return `${hostname}:${port === '' ? 5432 : port}`
}

/** One sentence for whoever starts a program while its database is away. @param program such as `The worker` */
export function unreachableSentence(program: string, url: string): string {
  return `${program} cannot reach PostgreSQL at ${databasePlace(url)}: check DATABASE_URL and that the server runs.`
}
