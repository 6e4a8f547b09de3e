/**
 * Customers who do not give up: every call is repeated, with the same Idempotency-Key, until it is acknowledged. What was
 * acknowledged goes into the ledger, which later says which events there must be, and how many.
 */
import { randomUUID } from 'node:crypto'
import { waitFor } from '@culvert/testkit'
import { nextIccid } from '../support/fleet.ts'
import { type Api } from '../support/installation.ts'
import { type Dice } from './dice.ts'

/** How many events of which type a resource must have: `dev_... device.created` to 1. */
export class Ledger {
  readonly expected = new Map<string, number>()
  /** Calls that changed something and were acknowledged. */
  acknowledged = 0

  add(resourceId: string, type: string, count = 1): void {
    const key = `${resourceId} ${type}`
    this.expected.set(key, (this.expected.get(key) ?? 0) + count)
  }
}

interface Call {
  readonly method: 'POST' | 'PATCH' | 'DELETE' | 'GET'
  readonly route: string
  readonly body?: unknown
  /** The version of the resource that is changed: repeated after a lost answer, the change is not made again. */
  readonly version?: number
}

/** The answers of a service that is about to serve again. */
const again = new Set([409, 429, 503])
const patienceMs = 120_000

/** @throws for an answer that says it will never be done, and for one that must not be, such as 500 */
export async function insist<T = { readonly id: string }>(api: Api, call: Call, ledger: Ledger): Promise<T> {
  const { method, route, body, version } = call
  const key = { 'idempotency-key': `"${randomUUID()}"` }
  const headers = version === undefined ? key : { ...key, 'if-match': `"${version}"` }
  let repeated = false
  const answer = await waitFor(
    async () => {
      const {
        status,
        text,
        body: answered,
      } = await api<T>(method, route, body, headers).catch(() => ({
        status: 0,
        text: '',
        body: null as T,
      }))
      // What is gone was deleted by the call before, whose answer was lost.
      if ((status >= 200 && status < 300) || (method === 'DELETE' && status === 404 && repeated)) return { answered }
      // And what has changed was changed by it.
      if (method === 'PATCH' && status === 412 && repeated) return { answered }
      if (status !== 0 && !again.has(status)) return { refusal: `${method} ${route}: ${status} ${text}` }
      repeated = true
      return null
    },
    { timeoutMs: patienceMs, intervalMs: 50, message: `${method} ${route}` },
  )
  if ('refusal' in answer) throw new Error(answer.refusal)
  if (method !== 'GET') ledger.acknowledged++
  return answer.answered
}

/** One customer's life of a device and of a tunnel to the device that is attached. */
export async function customer(api: Api, survivorId: string, ledger: Ledger, dice: Dice): Promise<void> {
  const device = await insist(api, { method: 'POST', route: '/v1/devices', body: { iccid: nextIccid() } }, ledger)
  ledger.add(device.id, 'device.created')
  for (let count = 1 + dice.below(3); count > 0; count--) {
    const tags = [randomUUID().slice(0, 8)]
    const route = `/v1/devices/${device.id}`
    const { version } = await insist<{ readonly version: number }>(api, { method: 'GET', route }, ledger)
    await insist(api, { method: 'PATCH', route, body: { tags }, version }, ledger)
    ledger.add(device.id, 'device.updated')
  }
  const body = { deviceId: survivorId, port: 8080, ttlSec: 3_600, allowFrom: ['192.0.2.0/24'], waitForDevice: true }
  const tunnel = await insist(api, { method: 'POST', route: '/v1/tunnels?wait=0', body }, ledger)
  ledger.add(tunnel.id, 'tunnel.requested')
  await insist(api, { method: 'DELETE', route: `/v1/tunnels/${tunnel.id}` }, ledger)
  ledger.add(tunnel.id, 'tunnel.closed')
  await insist(api, { method: 'DELETE', route: `/v1/devices/${device.id}` }, ledger)
  ledger.add(device.id, 'device.deleted')
}

/** States in which no tunnel that nobody closed may end here. */
const final = new Set(['closed', 'expired', 'failed'])

/** Beside the rounds: tunnels that are waited for until they are open, closed, and opened again. */
export function openTunnelsMeanwhile(api: Api, survivorId: string, ledger: Ledger): { stop(): Promise<void> } {
  let isOver = false
  const body = { deviceId: survivorId, port: 8080, ttlSec: 3_600, allowFrom: ['192.0.2.0/24'], waitForDevice: true }
  const work = async (): Promise<void> => {
    while (!isOver) {
      const tunnel = await insist(api, { method: 'POST', route: '/v1/tunnels?wait=0', body }, ledger)
      ledger.add(tunnel.id, 'tunnel.requested')
      const route = `/v1/tunnels/${tunnel.id}`
      const isOpen = await waitFor(
        async () => {
          const { state } = await insist<{ state: string }>(api, { method: 'GET', route }, ledger)
          if (final.has(state)) throw new Error(`${tunnel.id} is ${state}`)
          return state === 'open' ? 'yes' : isOver && 'no'
        },
        { timeoutMs: patienceMs, intervalMs: 250, message: `${tunnel.id} to be open` },
      )
      if (isOpen === 'yes') ledger.add(tunnel.id, 'tunnel.opened')
      await insist(api, { method: 'DELETE', route }, ledger)
      ledger.add(tunnel.id, 'tunnel.closed')
    }
  }
  const working = work()
  working.catch(() => undefined) // it is awaited at the end
  return {
    async stop() {
      isOver = true
      await working
    },
  }
}
