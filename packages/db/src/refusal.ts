/**
 * Refusals that say more than a word. A write function gives one back instead of what it did: nothing of it is in the database,
 * and a request with an Idempotency-Key that comes again asks anew.
 */
const refusals = new WeakSet<object>()

/** @returns the same object, known for a refusal from now on */
export function refusal<T extends object>(why: T): T {
  refusals.add(why)
  return why
}

export function isRefusalObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && refusals.has(value)
}
