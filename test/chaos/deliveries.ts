/** Webhooks in chaos: an endpoint for each temper, and what must hold of what they received. */
import fs from 'node:fs'
import { type Pool } from '@culvert/db'
import { verifyWebhook } from '@culvert/sdk/webhooks'
import { waitFor, type LabProcess } from '@culvert/testkit'
import { type Api, type Installation } from '../support/installation.ts'
import { allEvents } from './archive.ts'
import { type Dice } from './dice.ts'
import { tempers, type Receipt, type Temper } from './temper.ts'
import { insist, type Ledger } from './traffic.ts'

export const RECEIVER_ADDRESS = '192.0.2.200'
export const RECEIVER_PORT = 8090

/** What an endpoint wants; all others want everything. */
const wants: Readonly<Partial<Record<Temper, readonly string[]>>> = { slow: ['tunnel.*'] }

export interface Endpoints {
  readonly ids: Readonly<Record<Temper, string>>
  /** All that were given to each, the newest last. */
  readonly secrets: Readonly<Record<Temper, string[]>>
  readonly receiver: LabProcess
  /** Where it writes what it received. */
  readonly file: string
}

/** The receiver runs in the customer's namespace. */
export async function openEndpoints(culvert: Installation, file: string, seed: number): Promise<Endpoints> {
  const program = `${import.meta.dirname}/receiver.ts`
  const receiver = culvert.customer.spawn(process.execPath, [
    program,
    RECEIVER_ADDRESS,
    String(RECEIVER_PORT),
    file,
    String(seed),
  ])
  await waitFor(() => receiver.output().includes('receiver ready'), { message: `the receiver: ${receiver.output()}` })
  const made = await Promise.all(
    tempers.map(async (temper): Promise<[Temper, Issued]> => {
      const { status, text, body } = await culvert.acme<Issued>('POST', '/v1/webhook-endpoints', {
        name: temper,
        url: `http://${RECEIVER_ADDRESS}:${RECEIVER_PORT}/${temper}`,
        eventTypes: wants[temper] ?? [],
      })
      if (status !== 201) throw new Error(`endpoint: ${status} ${text}`)
      return [temper, body]
    }),
  )
  const ids = Object.fromEntries(made.map(([temper, { id }]) => [temper, id])) as Record<Temper, string>
  const secrets = Object.fromEntries(made.map(([temper, { secret }]) => [temper, [secret]])) as Record<Temper, string[]>
  return { ids, secrets, receiver, file }
}

interface Issued {
  readonly id: string
  readonly secret: string
}

/** Gives one of the endpoints another key. What was signed before and is under way still comes with the old one. */
export async function rotateKey(api: Api, { ids, secrets }: Endpoints, ledger: Ledger, random: Dice): Promise<void> {
  const temper = random.pick(tempers)
  const route = `/v1/webhook-endpoints/${ids[temper]}/rotate-secret`
  // Two keys that sign end with the next rotation that leaves none.
  const overlapSec = secrets[temper].length % 2 === 1 ? 3_600 : 0
  const { secret } = await insist<Issued>(api, { method: 'POST', route, body: { overlapSec } }, ledger)
  secrets[temper].push(secret)
  ledger.add(ids[temper], 'webhook.rotated')
}

/** How long nothing may be delivered before that counts as lost. */
const patienceMs = 60_000

/** No retry waits any more: the clock is moved until nothing is left to deliver, however much that is. */
export async function delivered(pool: Pool, { receiver }: Endpoints): Promise<void> {
  receiver.signal('SIGUSR2')
  for (let left = await pending(pool); left > 0;) {
    const before = left
    await waitFor(
      async () => {
        await pool.query(`UPDATE webhook_courses SET paused_until = NULL WHERE paused_until IS NOT NULL`)
        await pool.query(
          `UPDATE webhook_deliveries SET next_attempt_at = now() - interval '1 ms' WHERE state = 'pending' AND next_attempt_at > now() + interval '1 second'`,
        )
        left = await pending(pool)
        return left < before
      },
      { timeoutMs: patienceMs, intervalMs: 200, message: `one of ${before} deliveries to be made` },
    )
  }
}

async function pending(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ left: number }>(
    `SELECT count(*)::int AS left FROM webhook_deliveries WHERE state = 'pending'`,
  )
  return rows[0]?.left ?? 0
}

export async function complaintsAboutDeliveries(pool: Pool, endpoints: Endpoints, ledger: Ledger): Promise<string[]> {
  const receipts = readReceipts(endpoints)
  const events = await eventsById(pool)
  return [
    ...receipts.flatMap((receipt) => wrongWith(receipt, endpoints, events)),
    ...lost(receipts, events, endpoints, ledger),
    ...changed(receipts),
    ...(await unfinished(pool)),
  ]
}

export function countReceipts(endpoints: Endpoints): { accepted: number; repeated: number; refused: number } {
  const receipts = readReceipts(endpoints)
  const accepted = receipts.filter(({ isAccepted }) => isAccepted)
  const distinct = new Set(accepted.map(({ temper, headers }) => `${temper} ${headers['webhook-id']}`))
  return {
    accepted: accepted.length,
    repeated: accepted.length - distinct.size,
    refused: receipts.length - accepted.length,
  }
}

function readReceipts({ file }: Endpoints): Delivered[] {
  const lines = fs.readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return lines.map((line) => JSON.parse(line) as Receipt).filter((receipt) => receipt.temper !== 'rule') as Delivered[]
}

type Delivered = Receipt & { readonly temper: Temper }

interface EventRow {
  readonly id: string
  readonly type: string
  readonly resource_id: string
  readonly sequence: number
  readonly position: number | null
}

async function eventsById(pool: Pool): Promise<Map<string, EventRow>> {
  const { rows } = await pool.query<EventRow>(
    `SELECT id, type, resource_id, sequence::int, position::int FROM ${allEvents}`,
  )
  return new Map(rows.map((row) => [row.id, row]))
}

/** Signed by the endpoint's key, under the id of an event that was committed, and saying the same as it. */
function wrongWith(
  { temper, headers, body }: Delivered,
  { secrets }: Endpoints,
  events: ReadonlyMap<string, EventRow>,
): string[] {
  const id = headers['webhook-id'] ?? ''
  const nowMs = Number(headers['webhook-timestamp']) * 1_000
  try {
    const told = verifyWebhook({ body, headers }, { keys: secrets[temper], nowMs }) as Record<string, unknown>
    const event = events.get(id)
    const same = event && told['id'] === id && told['type'] === event.type && told['sequence'] === event.sequence
    return same && told['resourceId'] === event.resource_id ? [] : [`${temper} got ${body}, which was not committed`]
  } catch (error) {
    return [`${temper} got ${id} with a wrong signature: ${String(error)}`]
  }
}

/** Every event since the endpoints are there, and all of what customers did, was accepted by every endpoint that wants it. */
function lost(
  receipts: readonly Delivered[],
  events: ReadonlyMap<string, EventRow>,
  { ids }: Endpoints,
  { expected }: Ledger,
): string[] {
  const accepted = new Set(
    receipts.filter(({ isAccepted }) => isAccepted).map(({ temper, headers }) => `${temper} ${headers['webhook-id']}`),
  )
  const all = [...events.values()]
  const endpoints = new Set(Object.values(ids))
  const made = all.filter(({ resource_id: id, type }) => type === 'webhook.created' && endpoints.has(id))
  const since = Math.max(...made.map(({ position }) => position ?? 0))
  const due = all.filter(
    ({ resource_id: id, type, position }) => (position ?? 0) > since || expected.has(`${id} ${type}`),
  )
  return due.flatMap(({ id, type }) =>
    tempers
      .filter((temper) => wants[temper]?.every((pattern) => type.startsWith(pattern.replace('*', ''))) ?? true)
      .filter((temper) => !accepted.has(`${temper} ${id}`))
      .map((temper) => `${temper} never got ${id} (${type})`),
  )
}

/** What comes twice under one id is the same to the byte. */
function changed(receipts: readonly Delivered[]): string[] {
  const bodies = Map.groupBy(receipts, ({ headers }) => headers['webhook-id'])
  return [...bodies]
    .filter(([, all]) => new Set(all.map(({ body }) => body)).size > 1)
    .map(([id]) => `${id} came with different bodies`)
}

async function unfinished(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ id: string; state: string }>(
    `SELECT id, state FROM webhook_deliveries WHERE state <> 'delivered'`,
  )
  return rows.map(({ id, state }) => `${id} is ${state}`)
}
