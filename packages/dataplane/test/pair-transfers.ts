/**
 * What a pair of data planes must carry whole: a TCP stream each way at once, and UDP datagrams that come back intact.
 */
import { expect, vi } from 'vitest'
import type { PlanePair } from './plane-pair.ts'

const until = (probe: () => void): Promise<void> => vi.waitFor(probe, { timeout: 60_000, interval: 20 })

/** Sends `bytes` random octets each way at once and compares their hashes. */
export async function expectStream(pair: PlanePair, port: string, bytes: number): Promise<void> {
  const server = pair.run(2, 'tcp-peer', 'serve', pair.target, port, String(bytes))
  await until(() => expect(server.heard('listening')).toBeDefined())
  const client = pair.run(1, 'tcp-peer', 'connect', pair.target, port, String(bytes))
  await until(() => {
    expect(client.heard('received')).toBe(server.heard('sent') ?? 'nothing')
    expect(server.heard('received')).toBe(client.heard('sent') ?? 'nothing')
  })
}

/** Sends a datagram of each size in octets, and waits until every one of them is back. */
export async function expectDatagrams(pair: PlanePair, port: string, sizes: readonly number[]): Promise<void> {
  const server = pair.run(2, 'udp-peer', 'serve', pair.target, port)
  await until(() => expect(server.heard('listening')).toBeDefined())
  const client = pair.run(1, 'udp-peer', 'send', pair.target, port, sizes.join(','))
  await until(() => expect(client.lines).toEqual([`intact ${sizes.length}`]))
}
