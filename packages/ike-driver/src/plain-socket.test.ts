import dgram from 'node:dgram'
import { once } from 'node:events'
import type { Path } from '@culvert/ikev2'
import { expect, it, vi } from 'vitest'
import { openPlainSocket } from './plain-socket.ts'

const until = (probe: () => void): Promise<void> => vi.waitFor(probe, { timeout: 30_000, interval: 10 })

it('hands over datagrams with the path they came along, drops short ones, and answers back', async () => {
  const got: { bytes: Uint8Array; path: Path }[] = []
  const socket = await openPlainSocket(
    { address: '127.0.0.1', port: 0 },
    (bytes, path) => void got.push({ bytes, path }),
  )
  const peer = dgram.createSocket('udp4').bind(0, '127.0.0.1')
  await once(peer, 'listening')
  peer.send(new Uint8Array(27), socket.local.port, '127.0.0.1')
  peer.send(new Uint8Array(28).fill(7), socket.local.port, '127.0.0.1')
  await until(() => expect(got).toHaveLength(1))
  expect(got[0]?.bytes).toHaveLength(28)
  expect(got[0]?.path).toEqual({ local: socket.local, remote: { address: '127.0.0.1', port: peer.address().port } })
  const answer = once(peer, 'message')
  socket.send(Uint8Array.of(1, 2, 3), { address: '127.0.0.1', port: peer.address().port })
  expect([...((await answer)[0] as Buffer)]).toEqual([1, 2, 3])
  await socket.close()
  peer.close()
})

it('survives an answer to port 0, which a forged datagram asks for, and one after it was closed', async () => {
  const socket = await openPlainSocket({ address: '127.0.0.1', port: 0 }, () => {})
  expect(() => socket.send(new Uint8Array(28), { address: '127.0.0.1', port: 0 })).not.toThrow()
  await socket.close()
  expect(() => socket.send(new Uint8Array(28), { address: '127.0.0.1', port: 500 })).not.toThrow()
})
