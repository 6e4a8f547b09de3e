/** What the log keeps of an answer. */
import type { Egress } from '@culvert/egress'
import { expect, it } from 'vitest'
import { attemptDelivery } from './attempt.ts'

const event = {
  id: 'evt_1',
  type: 'network.created',
  resourceId: 'net_1',
  sequence: 1,
  data: {},
  createdAt: new Date(0),
}
const delivery = { id: 'whd_1', organizationId: 'org_1', endpointId: 'whe_1', eventId: 'evt_1', step: 0, event }
const signers = [{ scheme: 'v1' as const, sign: () => new Uint8Array(32) }]

it('has no half of a pair where a header is cut', async () => {
  const sent = {
    ok: true,
    status: 204,
    headers: { 'x-note': `${'a'.repeat(499)}😀` },
    body: Buffer.alloc(0),
    truncated: false,
    address: '192.0.2.1',
    durations: { totalMs: 1 },
  }
  const egress = { send: () => Promise.resolve(sent) } as unknown as Egress
  const means = { egress, random: () => 0.5, timeoutMs: 1_000, signal: new AbortController().signal }
  const outcome = await attemptDelivery({ url: 'https://hooks.example.com/', delivery, signers }, means)
  expect(outcome?.result.responseHeaders).toEqual({ 'x-note': `${'a'.repeat(499)}\uFFFD` })
})
