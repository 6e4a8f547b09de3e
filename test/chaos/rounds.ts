/**
 * Rounds of chaos: customers work, a process dies by SIGKILL at a moment that the seed decides, comes back, and they go on. Meanwhile
 * keys of webhooks change, rules run, and old events are removed.
 *
 * Rounds go on in one world after the other, so that nothing grows without bound and a complaint comes soon. What differs from world
 * to world follows from its seed: jobs in Redis, which forgets everything half-way, or in PostgreSQL. In the end of each every complaint
 * of the verdict is told, with the seed that repeats it.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { waitFor } from '@culvert/testkit'
import { countForgotten, growOld } from './archive.ts'
import { complaintsAboutDeliveries, countReceipts, delivered, rotateKey } from './deliveries.ts'
import { dice, type Dice } from './dice.ts'
import { followFeed, type Follower } from './follower.ts'
import { complaintsAboutRules, ran } from './rules.ts'
import { customer, insist, Ledger, openTunnelsMeanwhile } from './traffic.ts'
import { complaintsAboutEvents, countEvents, settled } from './verdict.ts'
import { openWorld, type Victim, type World } from './world.ts'

export interface ChaosOptions {
  readonly rounds: number
  /** Of the first world; each later one has the next. */
  readonly seed: number
  /** No new round begins after this time. */
  readonly limitMs?: number
  /** No new round begins once it is aborted, and what began is taken down without a verdict. */
  readonly signal?: AbortSignal
  readonly log?: (line: string) => void
}

export interface ChaosReport {
  readonly rounds: number
  readonly acknowledged: number
  readonly killed: Readonly<Partial<Record<Victim, number>>>
  /** Requests with webhooks that receivers accepted, and those of them that came again. */
  readonly webhooks: { readonly accepted: number; readonly repeated: number; readonly refused: number }
  /** Of each type. */
  readonly events: Readonly<Record<string, number>>
  /** Events that retention removed. */
  readonly forgotten: number
  readonly stores: readonly ('redis' | 'postgres')[]
  /** Empty when everything held. */
  readonly complaints: readonly string[]
}

const nothing: ChaosReport = {
  rounds: 0,
  acknowledged: 0,
  killed: {},
  webhooks: { accepted: 0, repeated: 0, refused: 0 },
  events: {},
  forgotten: 0,
  stores: [],
  complaints: [],
}

const customersPerRound = 4
export const roundsPerWorld = 50
/** Of one world that are told. */
const mostComplaints = 50
/** Events are made old so often. */
const roundsToGrowOld = 4

export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  const { rounds, seed, limitMs = Infinity, signal, log = () => {} } = options
  const endMs = performance.now() + limitMs
  let report = nothing
  for (let world = 0; report.rounds < rounds && performance.now() < endMs && !signal?.aborted; world++) {
    const told = await oneWorld(
      { rounds: Math.min(roundsPerWorld, rounds - report.rounds), seed: seed + world, endMs, signal },
      (line) => log(`${line} (seed ${seed + world})`),
    )
    report = {
      rounds: report.rounds + told.rounds,
      acknowledged: report.acknowledged + told.acknowledged,
      killed: sum(report.killed, told.killed),
      webhooks: {
        accepted: report.webhooks.accepted + told.webhooks.accepted,
        repeated: report.webhooks.repeated + told.webhooks.repeated,
        refused: report.webhooks.refused + told.webhooks.refused,
      },
      events: sum(report.events, told.events),
      forgotten: report.forgotten + told.forgotten,
      stores: [...new Set([...report.stores, ...told.stores])],
      complaints: [...report.complaints, ...told.complaints.map((one) => `seed ${seed + world}: ${one}`)],
    }
    for (const complaint of told.complaints) log(`complaint: ${complaint}`)
    if (told.rounds === 0) break // it would be so for ever
  }
  return report
}

type Counts = Readonly<Record<string, number>>

function sum(one: Readonly<Partial<Counts>>, other: Readonly<Partial<Counts>>): Record<string, number> {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)])
  return Object.fromEntries([...keys].map((key) => [key, (one[key] ?? 0) + (other[key] ?? 0)]))
}

interface WorldOptions {
  readonly rounds: number
  readonly seed: number
  /** By `performance.now()`. */
  readonly endMs: number
  readonly signal: AbortSignal | undefined
}

async function oneWorld(
  { rounds, seed, endMs, signal }: WorldOptions,
  log: (line: string) => void,
): Promise<ChaosReport> {
  const random = dice(seed)
  const ledger = new Ledger()
  const killed: Partial<Record<Victim, number>> = {}
  const beganMs = performance.now()
  const world = await openWorld(seed)
  log(`a world with jobs in ${world.store}, open after ${since(beganMs)}`)
  const bag: Victim[] = [] // each once before any comes again
  const { acme } = world.culvert
  const follower = followFeed(acme)
  const meanwhile = openTunnelsMeanwhile(acme, world.deviceId, ledger)
  let round = 0
  try {
    for (; round < rounds && performance.now() < endMs && !signal?.aborted; round++) {
      if (bag.length === 0) bag.push(...world.victims)
      const victim = bag.splice(random.below(bag.length), 1)[0] as Victim
      killed[victim] = (killed[victim] ?? 0) + 1
      if (round === Math.floor(rounds / 2)) await world.flush()
      const roundMs = performance.now()
      await oneRound(world, victim, ledger, random)
      if (round % roundsToGrowOld === 0) await growOld(world.culvert.pool, follower.last())
      log(`round ${round + 1}: ${victim} was killed, ${ledger.acknowledged} calls acknowledged, ${since(roundMs)}`)
    }
    if (signal?.aborted) return { ...nothing, rounds: round, acknowledged: ledger.acknowledged, killed }
    return await judged(world, { ledger, follower, meanwhile, round, killed }, log)
  } catch (error) {
    const told = [
      `round ${round + 1}: ${String(error)}`,
      ...world.crashes,
      world.culvert.output('worker').slice(-4_000),
    ]
    return { ...nothing, rounds: round, acknowledged: ledger.acknowledged, killed, complaints: [told.join('\n')] }
  } finally {
    await follower.stop()
    await meanwhile.stop().catch(() => undefined)
    await world.close()
  }
}

const since = (beganMs: number): string => `${((performance.now() - beganMs) / 1_000).toFixed(1)} s`

interface Played {
  readonly ledger: Ledger
  readonly follower: Follower
  readonly meanwhile: { stop(): Promise<void> }
  readonly round: number
  readonly killed: Readonly<Partial<Record<Victim, number>>>
}

/** What holds when the dust has settled. */
async function judged(world: World, played: Played, log: (line: string) => void): Promise<ChaosReport> {
  const { culvert, deviceId, endpoints } = world
  const { pool } = culvert
  const { ledger, follower } = played
  const beganMs = performance.now()
  const steps = {
    customers: () => played.meanwhile.stop(),
    device: () => world.attached(),
    rules: () => ran(pool),
    events: () => settled(pool),
    deliveries: () => delivered(pool, endpoints),
  }
  for (const [name, settle] of Object.entries(steps)) {
    await settle()
    log(`${name} settled after ${since(beganMs)}`)
  }
  const complaints: string[] = [
    ...world.crashes,
    ...(await complaintsAboutEvents(pool, { organizationId: culvert.organizationIds.acme, deviceId, ledger })),
    ...(await complaintsAboutDeliveries(pool, endpoints, ledger)),
    ...(await complaintsAboutRules(pool, world.rules, deviceId, endpoints.file)),
    ...(await follower.complaints(pool, culvert.organizationIds.acme)),
  ]
  return {
    rounds: played.round,
    acknowledged: ledger.acknowledged,
    killed: played.killed,
    webhooks: countReceipts(endpoints),
    events: await countEvents(pool),
    forgotten: await countForgotten(pool),
    stores: [world.store],
    complaints: complaints.slice(0, mostComplaints),
  }
}

async function oneRound(world: World, victim: Victim, ledger: Ledger, random: Dice): Promise<void> {
  const { acme } = world.culvert
  const before = ledger.acknowledged
  const route = `/v1/devices/${world.deviceId}`
  const renamed = async (): Promise<void> => {
    const { version } = await insist<{ readonly version: number }>(acme, { method: 'GET', route }, ledger)
    await insist(acme, { method: 'PATCH', route, body: { name: `survivor of ${before} calls` }, version }, ledger)
    ledger.add(world.deviceId, 'device.updated')
  }
  const work = Array.from({ length: customersPerRound }, () => customer(acme, world.deviceId, ledger, random))
  if (random.below(3) === 0) work.push(rotateKey(acme, world.endpoints, ledger, random))
  const all = Promise.all([...work, renamed()])
  all.catch(() => undefined) // it is awaited below
  const moment = before + random.below(customersPerRound * 5)
  await Promise.race([all, waitFor(() => ledger.acknowledged >= moment, { timeoutMs: 60_000, intervalMs: 1 })])
  await world.kill(victim)
  await pause(random.below(200)) // how long it is away is part of the chaos
  await world.revive(victim)
  await world.letLeasesEnd(victim)
  await all
}
