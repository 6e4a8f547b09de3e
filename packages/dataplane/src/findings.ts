/** What an examination of this machine says. */
import type { Rung } from './contract.ts'

export interface Finding {
  /** What was looked at: stable, for programs. */
  readonly name: string
  /** `used`: the data plane takes it. `missing`: it does without. `broken`: without it there is no data plane at all. */
  readonly state: 'used' | 'missing' | 'broken'
  /** One sentence for people: what there is, or what its absence costs. */
  readonly detail: string
  /** What to do about it; null when there is nothing to do. */
  readonly remedy: string | null
}

export interface Examination {
  /** The rung that would be opened; null when none can. */
  readonly rung: Rung | null
  readonly findings: readonly Finding[]
}
