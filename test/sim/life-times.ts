/** Times of the simulated fleet, in milliseconds. */
import type { Overrides } from './node.ts'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** After a hardship everything works again within this: the silence is noticed, repetitions end, the device tries once more. */
export const HEALING_MS = 45 * MINUTE

export const LIFE_CONFIG: Overrides = {
  maxIkeSas: 4_000,
  maxHalfOpen: 1_000,
  cookieThreshold: 500,
  timing: {
    livenessMs: 30 * MINUTE,
    retransmit: { firstMs: 4_000, factor: 1.8, tries: 5 },
    ikeRekeyMs: DAY,
    childRekeyMs: 8 * HOUR,
  },
}

export const CONCENTRATOR = '203.0.113.1'
