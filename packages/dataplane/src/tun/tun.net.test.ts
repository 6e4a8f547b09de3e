/**
 * Real namespaces and TUN interfaces: opened, taken over, removed behind our back; every step twice.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, readlinkSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { configureTun, ensureNamespace, namespaceExists, removeNamespace, removeTun } from './namespace.ts'
import { openTun } from './open-tun.ts'
import { TunDevice } from './tun-device.ts'

const PLAIN = { vnetHeader: false }
const namespace = `cvtun-${process.pid}`
const options = { name: 'culvert0', namespace, mtuBytes: 1400 }

const until = (probe: () => void): Promise<void> => vi.waitFor(probe, { timeout: 30_000, interval: 20 })

describe('TUN in a namespace', () => {
  const opened: TunDevice[] = []
  const packets: Uint8Array[] = []
  const failures: Error[] = []

  beforeEach(async () => {
    packets.length = 0
    failures.length = 0
    await ensureNamespace(namespace)
  })
  afterEach(async () => {
    for (const device of opened.splice(0)) await device.close()
    await removeNamespace(namespace)
  })

  const open = (): TunDevice => {
    const device = new TunDevice(openTun(options, PLAIN).fd, {
      onPacket: (bytes, length) => packets.push(bytes.slice(0, length)),
      onFailure: (error) => failures.push(error),
    })
    opened.push(device)
    return device
  }
  const configure = (): Promise<void> =>
    configureTun({ ...options, addresses: ['10.127.0.1/32'], routes: ['10.128.0.0/9'] })
  const ip = (...words: string[]): string => execFileSync('ip', ['-n', namespace, ...words], { encoding: 'utf8' })
  const inside = (command: string): string =>
    execFileSync('ip', ['netns', 'exec', namespace, 'bash', '-c', command], { encoding: 'utf8' }).trim()

  it('leaves this thread in its own namespace', () => {
    const before = readlinkSync('/proc/thread-self/ns/net')
    open()
    expect(readlinkSync('/proc/thread-self/ns/net')).toBe(before)
    expect(ip('-oneline', 'link', 'show')).toContain('culvert0')
    expect(execFileSync('ip', ['-oneline', 'link', 'show'], { encoding: 'utf8' })).not.toContain('culvert0')
  })

  it('is configured by steps that may be repeated', async () => {
    open()
    await ensureNamespace(namespace)
    await configure()
    await configure()
    expect(ip('-oneline', 'address', 'show', 'dev', 'culvert0').match(/10\.127\.0\.1\/32/g)).toHaveLength(1)
    expect(ip('route', 'show')).toContain('10.128.0.0/9 dev culvert0')
    expect(ip('link', 'show', 'culvert0')).toContain('mtu 1400')
    expect(ip('link', 'show', 'lo')).toContain('UP')
    const sysctls = ['net/ipv4/ip_forward', 'net/ipv4/conf/all/rp_filter', 'net/ipv4/conf/culvert0/rp_filter']
    expect(sysctls.map((path) => inside(`cat /proc/sys/${path}`))).toEqual(['0', '0', '0'])
    expect(inside('cat /proc/sys/net/ipv4/tcp_min_snd_mss')).toBe('256')
  })

  it('makes one packet of one read, in order', async () => {
    open()
    await configure()
    inside('for i in 1 22 333 4444; do echo $i > /dev/udp/10.128.0.9/9; done')
    await until(() => expect(packets.filter((packet) => packet[9] === 17)).toHaveLength(4))
    const payloads = packets.filter((packet) => packet[9] === 17).map((packet) => packet.subarray(28))
    expect(payloads.map((payload) => Buffer.from(payload).toString())).toEqual(['1\n', '22\n', '333\n', '4444\n'])
    expect(failures).toEqual([])
  })

  it('survives its owner and is taken over by name', async () => {
    const first = open()
    await configure()
    expect(() => openTun(options, PLAIN)).toThrow(expect.objectContaining({ code: 'name_in_use' }))
    const address = ip('-oneline', 'address', 'show', 'dev', 'culvert0')
    await first.close()
    const second = openTun(options, PLAIN)
    expect(ip('-oneline', 'address', 'show', 'dev', 'culvert0')).toBe(address)
    closeSync(second.fd)
  })

  it('tells when the interface is removed', async () => {
    open()
    await removeTun(namespace, 'culvert0')
    await removeTun(namespace, 'culvert0')
    await until(() => expect(failures).toHaveLength(1))
  })

  it('can be closed at any time, twice, and writes nothing afterwards', async () => {
    const device = open()
    await Promise.all([device.close(), device.close()])
    expect(device.write(new Uint8Array(40))).toBe(false)
  })

  it('goes away with its namespace', async () => {
    open()
    await removeNamespace(namespace)
    await removeNamespace(namespace)
    expect(namespaceExists(namespace)).toBe(false)
  })
})
