/**
 * Answers "is this process alive" and "can it do its work now". Live: the event loop turns. Ready: every registered check
 * passes within its time; a check that hangs counts as failed, so an answer always comes. Who asks while an answer is being
 * made gets the same one: asking costs no more however often it is done.
 */
export type HealthCheck = () => Promise<void> | void

export interface HealthReport {
  readonly ok: boolean
  /** Per check `ok`, or one sentence on what is wrong, fit for an operator and free of secrets. */
  readonly checks: Readonly<Record<string, string>>
}

export interface HealthRegistry {
  /** `failure` is what is told when the check throws or takes longer than `timeoutMs`. */
  register(name: string, check: HealthCheck, failure?: string): void
  ready(): Promise<HealthReport>
}

export function createHealthRegistry(timeoutMs = 1_000): HealthRegistry {
  const checks = new Map<string, { check: HealthCheck; failure: string }>()
  let asking: Promise<HealthReport> | null = null
  const ask = async (): Promise<HealthReport> => {
    const results = await Promise.all(
      [...checks].map(async ([name, { check, failure }]) => {
        const ok = await passes(check, timeoutMs)
        return [name, ok ? 'ok' : failure] as const
      }),
    )
    return { ok: results.every(([, result]) => result === 'ok'), checks: Object.fromEntries(results) }
  }
  return {
    register: (name, check, failure = 'not available') => {
      checks.set(name, { check, failure })
    },
    ready: () => {
      asking ??= ask().finally(() => {
        asking = null
      })
      return asking
    },
  }
}

async function passes(check: HealthCheck, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  try {
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), timeoutMs)
    })
    return await Promise.race([Promise.resolve(check()).then(() => true), late])
  } catch {
    return false
  } finally {
    clearTimeout(timer)
  }
}
