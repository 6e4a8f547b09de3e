/**
 * A long run of the endpoint fuzzer: a million hostile datagrams from other seeds than the short one has, in processes side by
 * side, because each datagram may cost a key exchange.
 */
import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const INPUTS = 1_000_000
const FIRST_SEED = 0x7296_0101
const SEEDS_APART = 10_000
const LIMIT_MS = 40 * 60_000

const FUZZER = new URL('ikev2-endpoint.ts', import.meta.url).pathname
const run = promisify(execFile)

test(
  'an endpoint with several IKE SAs survives 10^6 hostile datagrams',
  async () => {
    const processes = Math.min(4, availableParallelism())
    const tallies = await Promise.all(
      Array.from({ length: processes }, (_, index) =>
        fuzz(FIRST_SEED + index * SEEDS_APART, Math.ceil(INPUTS / processes)),
      ),
    )
    expect(tallies.reduce((sum, { inputs }) => sum + inputs, 0)).toBeGreaterThanOrEqual(INPUTS)
  },
  LIMIT_MS,
)

/** @throws with the seed and the broken rule in the message. */
async function fuzz(seed: number, inputs: number): Promise<{ inputs: number }> {
  const args = [
    '--conditions=source',
    '--max-semi-space-size=64',
    FUZZER,
    '--seed',
    String(seed),
    '--inputs',
    String(inputs),
  ]
  const { stdout } = await run(process.execPath, args, { timeout: LIMIT_MS })
  return JSON.parse(stdout) as { inputs: number }
}
