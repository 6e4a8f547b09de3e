/**
 * The contract between the IKEv2 core and whoever drives it: real UDP, the simulator, a fuzzer.
 *
 * Driver: hand in one input, apply all effects in order, arm `wakeAtMs`, hand in the next input. The core never waits, never
 * reads a clock and draws randomness only from `env.rng`. Slow things leave as `ask` and come back as `answer` with the
 * ticket; answers that are late, doubled or for nobody are ignored.
 */
import type { MonotonicMs, Path, Env } from './contract/environment.ts'
import type { Command } from './contract/command.ts'
import type { Answer } from './contract/question.ts'
import type { Effect } from './contract/effect.ts'

export type * from './contract/environment.ts'
export type * from './contract/configuration.ts'
export type * from './contract/credential.ts'
export type * from './contract/attachment.ts'
export type * from './contract/command.ts'
export type * from './contract/question.ts'
export type * from './contract/event.ts'
export type * from './contract/effect.ts'

export type Input =
  | { readonly kind: 'datagram'; readonly bytes: Uint8Array; readonly path: Path }
  | { readonly kind: 'wake' }
  | { readonly kind: 'answer'; readonly ticket: number; readonly answer: Answer }
  | { readonly kind: 'command'; readonly command: Command }

export interface StepResult {
  readonly effects: readonly Effect[]
  /** When the driver must hand in `wake` at the latest; null when nothing is due. */
  readonly wakeAtMs: MonotonicMs | null
}

/** All IKE SAs of one node behind one pure `step`. Created by `createEndpoint(config)`. */
export interface IkeEndpoint {
  step(input: Input, env: Env): StepResult
  readonly size: { readonly established: number; readonly halfOpen: number }
  /** Entries of every table that grows with peers, for a gauge of memory: at rest, one IKE SA, attachment and timer for each peer. */
  readonly tableSizes: {
    readonly ikeSas: number
    readonly attachments: number
    readonly asks: number
    readonly timers: number
  }
}
