import dgram, { type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Path } from '@culvert/ikev2'
import { expect, test, vi } from 'vitest'
import { NativeIkePort } from './ike-port.ts'

const until = (probe: () => void): Promise<void> => vi.waitFor(probe, { timeout: 30_000, interval: 10 })
const NOTIFY = 41
const SECURITY_ASSOCIATION = 33

interface Scene {
  readonly port: NativeIkePort
  readonly peer: Socket
  readonly got: { bytes: Uint8Array; path: Path }[]
  /** Says which came, by their first octet. */
  readonly marks: () => (number | undefined)[]
  readonly send: (bytes: Uint8Array) => void
}

async function withPort(run: (scene: Scene) => Promise<void>): Promise<void> {
  const got: Scene['got'] = []
  const port = NativeIkePort.open({ address: '127.0.0.1', port: 0 }, (bytes, path) => void got.push({ bytes, path }))
  const peer = dgram.createSocket('udp4').bind(0, '127.0.0.1')
  await once(peer, 'listening')
  const send = (bytes: Uint8Array): void => peer.send(bytes, port.local.port, '127.0.0.1')
  const marks = (): (number | undefined)[] => got.map(({ bytes }) => bytes[0])
  await run({ port, peer, got, marks, send })
  await port.close()
  peer.close()
}

/** Something with the shape of an IKE_SA_INIT request. @param mark its first octet */
function request(mark: number, change: { readonly cookie?: boolean; readonly spiR?: number } = {}): Uint8Array {
  const bytes = new Uint8Array(80)
  bytes[0] = mark
  bytes[15] = change.spiR ?? 0
  bytes[16] = change.cookie === true ? NOTIFY : SECURITY_ASSOCIATION
  bytes[18] = 34
  if (change.cookie === true) bytes.set([16_390 >>> 8, 16_390 & 0xff], 34)
  return bytes
}

test('hands over datagrams with the path they came along, drops short ones, and answers back', () =>
  withPort(async ({ port, peer, got, send }) => {
    send(new Uint8Array(27))
    send(new Uint8Array(28).fill(7))
    await until(() => expect(got).toHaveLength(1))
    expect(got[0]?.bytes).toHaveLength(28)
    expect(got[0]?.path).toEqual({ local: port.local, remote: { address: '127.0.0.1', port: peer.address().port } })
    const answer = once(peer, 'message')
    port.send(Uint8Array.of(1, 2, 3), { address: '127.0.0.1', port: peer.address().port })
    expect([...((await answer)[0] as Buffer)]).toEqual([1, 2, 3])
  }))

test('survives an answer to port 0, one of the other family, and one after it was closed', () =>
  withPort(async ({ port }) => {
    const sendTo = (address: string, to: number) => () => port.send(new Uint8Array(28), { address, port: to })
    expect(sendTo('127.0.0.1', 0)).not.toThrow()
    expect(sendTo('::1', 500)).not.toThrow()
    await port.close()
    expect(sendTo('127.0.0.1', 500)).not.toThrow()
  }))

test('refuses an address that another process has', () =>
  withPort(async ({ peer }) => {
    expect(() => NativeIkePort.open({ address: '127.0.0.1', port: peer.address().port }, () => {})).toThrow(
      'EADDRINUSE',
    )
  }))

test('N19 in a crowd who brings a cookie, or has an IKE SA already, is heard first', () =>
  withPort(async ({ port, marks, got, send }) => {
    for (let count = 0; count < 500; count += 1) send(request(1))
    await until(() => expect(port.isCrowded).toBe(true))
    await until(() => expect(got).toHaveLength(500))
    for (let count = 0; count < 60; count += 1) send(request(2))
    send(request(3, { cookie: true }))
    send(request(4, { spiR: 9 }))
    await until(() => expect(got).toHaveLength(562))
    expect(marks().slice(500, 502)).toEqual([3, 4])
    expect(marks().slice(502)).toEqual(Array.from({ length: 60 }, () => 2))
  }))

test('ends a crowd when few come, and loses nothing that came meanwhile', () =>
  withPort(async ({ port, got, send }) => {
    for (let count = 0; count < 500; count += 1) send(request(1))
    await until(() => expect(port.isCrowded).toBe(true))
    await until(() => expect(port.isCrowded).toBe(false))
    for (let count = 0; count < 50; count += 1) send(request(1))
    await until(() => expect(got).toHaveLength(550))
  }))
