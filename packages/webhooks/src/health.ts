/** When an endpoint is given up: after days in which nothing but failures came, and a warning a good while before. */

export interface EndpointHealth {
  /** The first failure that no success has followed; null: the last attempt was good, or there was none. */
  readonly failingSinceMs: number | null
  /** When the warning was given; null: none, since it fails. */
  readonly warnedAtMs: number | null
}

const dayMs = 86_400_000
export const warnAfterMs = dayMs
export const disableAfterMs = 5 * dayMs
/** An endpoint that fails once a month has failed for long as well: between warning and end there is always this. */
export const leastWarningMs = 2 * dayMs

export type HealthStep = { readonly health: EndpointHealth; readonly act: 'none' | 'warn' | 'disable' }

/** @param health as it was before an attempt that failed @param nowMs Unix time */
export function stepHealth(health: EndpointHealth, nowMs: number): HealthStep {
  const failingSinceMs = health.failingSinceMs ?? nowMs
  const failingMs = nowMs - failingSinceMs
  const { warnedAtMs } = health
  if (warnedAtMs === null)
    return failingMs >= warnAfterMs
      ? { health: { failingSinceMs, warnedAtMs: nowMs }, act: 'warn' }
      : { health: { failingSinceMs, warnedAtMs: null }, act: 'none' }
  const isOver = failingMs >= disableAfterMs && nowMs - warnedAtMs >= leastWarningMs
  return { health: { failingSinceMs, warnedAtMs }, act: isOver ? 'disable' : 'none' }
}
