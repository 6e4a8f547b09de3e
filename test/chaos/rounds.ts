/**
 * Rounds of chaos: customers work, a process dies by SIGKILL at a moment that the seed decides, comes back, and they go on.
 * Half-way Redis forgets everything. In the end every complaint of the verdict is told, with the seed that repeats it.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { waitFor } from '@culvert/testkit'
import { dice, type Dice } from './dice.ts'
import { followFeed } from './follower.ts'
import { customer, Ledger } from './traffic.ts'
import { complaintsAboutDeliveries, countReceipts, delivered } from './deliveries.ts'
import { complaintsAboutEvents, settled } from './verdict.ts'
import { openWorld, victims, type Victim, type World } from './world.ts'

export interface ChaosOptions {
  readonly rounds: number
  readonly seed: number
  /** No new round begins after this time. */
  readonly limitMs?: number
  readonly log?: (line: string) => void
}

export interface ChaosReport {
  readonly rounds: number
  readonly acknowledged: number
  readonly killed: Readonly<Partial<Record<Victim, number>>>
  /** Requests with webhooks that receivers accepted, and those of them that came again. */
  readonly webhooks: { readonly accepted: number; readonly repeated: number; readonly refused: number }
  /** Empty when everything held. */
  readonly complaints: readonly string[]
}

const customersPerRound = 4

export async function chaos({ rounds, seed, limitMs = Infinity, log = () => {} }: ChaosOptions): Promise<ChaosReport> {
  const random = dice(seed)
  const ledger = new Ledger()
  const killed: Partial<Record<Victim, number>> = {}
  const world = await openWorld(seed)
  const endMs = performance.now() + limitMs
  const bag: Victim[] = [] // each once before any comes again
  const follower = followFeed(world.culvert.acme)
  let round = 0
  try {
    for (; round < rounds && performance.now() < endMs; round++) {
      if (bag.length === 0) bag.push(...victims)
      const victim = bag.splice(random.below(bag.length), 1)[0] as Victim
      killed[victim] = (killed[victim] ?? 0) + 1
      if (round === Math.floor(rounds / 2)) await world.flush()
      await oneRound(world, victim, ledger, random)
      log(`round ${round + 1}: ${victim} was killed, ${ledger.acknowledged} calls acknowledged`)
    }
    const { pool, organizationIds } = world.culvert
    await settled(pool)
    await delivered(pool, world.endpoints)
    const complaints = [
      ...world.crashes,
      ...(await complaintsAboutEvents(pool, organizationIds.acme, ledger)),
      ...(await complaintsAboutDeliveries(pool, world.endpoints, ledger)),
      ...(await follower.complaints(pool, organizationIds.acme)),
    ]
    const webhooks = countReceipts(world.endpoints)
    return { webhooks, rounds: round, acknowledged: ledger.acknowledged, killed, complaints }
  } catch (error) {
    const told = [
      `seed ${seed}, round ${round + 1}: ${String(error)}`,
      ...world.crashes,
      world.culvert.output('worker').slice(-4_000),
    ]
    throw new Error(told.join('\n'), { cause: error })
  } finally {
    await follower.stop()
    await world.close()
  }
}

async function oneRound(world: World, victim: Victim, ledger: Ledger, random: Dice): Promise<void> {
  const { acme } = world.culvert
  const before = ledger.acknowledged
  const customers = Array.from({ length: customersPerRound }, () => customer(acme, world.deviceId, ledger, random))
  const all = Promise.all(customers)
  all.catch(() => undefined) // it is awaited below
  const moment = before + random.below(customersPerRound * 5)
  await Promise.race([all, waitFor(() => ledger.acknowledged >= moment, { timeoutMs: 60_000, intervalMs: 1 })])
  await world.kill(victim)
  await pause(random.below(200)) // how long it is away is part of the chaos
  await world.revive(victim)
  await all
}
