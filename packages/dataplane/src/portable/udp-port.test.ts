import { afterEach, describe, expect, it, vi } from 'vitest'
import { UdpPort } from './udp-port.ts'

const until = (probe: () => void): Promise<void> => vi.waitFor(probe, { timeout: 30_000, interval: 20 })

describe('UDP port', () => {
  const opened: UdpPort[] = []
  afterEach(async () => {
    for (const port of opened.splice(0)) await port.close()
  })
  const received: { bytes: string; port: number }[] = []
  let failedSends = 0
  const open = async (address: string, port = 0): Promise<UdpPort> => {
    const handlers = {
      onDatagram: (bytes: Uint8Array, _from: string, fromPort: number) =>
        received.push({ bytes: Buffer.from(bytes).toString('latin1'), port: fromPort }),
      onSendFailed: () => failedSends++,
      onFailure: () => {},
    }
    const udp = await UdpPort.open({ address, port }, 64, handlers)
    opened.push(udp)
    return udp
  }

  it.each(['127.0.0.1', '::1'])('carries datagrams of a ring of buffers, in order, on %s', async (address) => {
    received.length = 0
    const [a, b] = [await open(address), await open(address)]
    expect(a.local.port).toBeGreaterThan(0)
    for (let i = 0; i < 200; i++) {
      const buffer = a.acquire()!
      const text = `packet ${i}`
      buffer.set(Buffer.from(text))
      a.send(buffer, text.length, b.local)
    }
    await until(() => expect(received).toHaveLength(200))
    expect(received.map(({ bytes }) => bytes)).toEqual(Array.from({ length: 200 }, (_, i) => `packet ${i}`))
    expect(received[0]?.port).toBe(a.local.port)
  })

  it('rejects with the bind error of the system', async () => {
    const first = await open('127.0.0.1')
    await expect(open('127.0.0.1', first.local.port)).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await expect(open('192.0.2.77')).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' })
  })

  it('counts what the kernel refuses', async () => {
    failedSends = 0
    const udp = await open('127.0.0.1')
    udp.send(new Uint8Array(70_000), 70_000, udp.local)
    await until(() => expect(failedSends).toBe(1))
  })

  it('does not send to port 0, and does not throw either', async () => {
    const udp = await open('127.0.0.1')
    expect(() => udp.send(new Uint8Array(1), 1, { address: '127.0.0.1', port: 0 })).not.toThrow()
  })

  it('gives no buffer and sends nothing once it is closed', async () => {
    const udp = await open('127.0.0.1')
    await Promise.all([udp.close(), udp.close()])
    expect(udp.acquire()).toBeNull()
    expect(() => udp.send(new Uint8Array(1), 1, { address: '127.0.0.1', port: 9 })).not.toThrow()
  })
})
