/**
 * A device that is reached by ESP without UDP while its way to the concentrator changes: it goes behind a NAT and comes back, and a NAT
 * comes before it and goes. What is sent to it meanwhile goes on, over one connection.
 *
 * ```
 *   server 192.0.2.1 ═ bridge ═╦═ eth0 192.0.2.11 ─────────── device
 *                              ╠═ 192.0.2.9 NAT 10.0.0.1 ──── eth1 10.0.0.2 of the same
 *                              ╚═ 192.0.2.8 router or NAT ─── 10.1.0.2 another device
 * ```
 */
import fs from 'node:fs'
import path from 'node:path'
import { createLab, peer, waitFor, type Lab, type Namespace, type Nat } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createClosings } from '../support/closings.ts'
import {
  openTunnel,
  readAttachment,
  registerDevice,
  startPage,
  startStrongswanDevice,
  waitAttached,
  type RegisteredDevice,
} from '../support/fleet.ts'
import { type HeldUpload, startUpload } from '../support/held-upload.ts'
import { startInstallation, type Installation } from '../support/installation.ts'
import { firstMissing, noteOf } from '../support/missing.ts'
import { startSimulatedDevice } from '../support/simulated-device.ts'

const PAGES = 40
const PIECE_BYTES = 3 * 1024 * 1024
const PORTS = { first: 30_000, last: 39_999 }
const PAGE_PORT = 8081
/** How long a device may take to find out; it looks for addresses every second, and for NATs after two of silence. */
const PATIENCE = { timeoutMs: 60_000, intervalMs: 250 }

const missing = await firstMissing('strongswan', 'nftables', 'curl')

describe.skipIf(missing)(`a device in the open moves${noteOf(missing)}`, () => {
  const closings = createClosings()
  let lab: Lab
  let culvert: Installation
  let folder: string
  let file: string

  beforeAll(async () => {
    folder = await closings.folder()
    file = path.join(folder, 'file')
    fs.writeFileSync(file, 'file')
    lab = await createLab()
    closings.add(() => lab.close())
    const servers = { serverUrl: inject('databaseUrl'), redisUrl: inject('redisUrl') }
    culvert = await startInstallation({
      lab,
      ...servers,
      rung: 'native',
      env: { CONCENTRATOR_NATIVE_ESP: 'true', CONCENTRATOR_LIVENESS_SEC: '5' },
    })
    closings.add(() => culvert.stop())
  })
  afterAll(() => closings.close())

  describe.each(['native', 'portable', 'strongSwan'] as const)('as %s', (kind) => {
    let device: Reached
    let nat: Nat
    let host: Namespace

    beforeAll(async () => {
      host = await lab.addHost(`mov-${kind}`, '192.0.2.11/24')
      nat = await lab.addNat(`nat-${kind}`, { outside: '192.0.2.9/24', inside: '10.0.0.1/24' })
      await nat.namespace.ip('link', 'add', 'cvr', 'type', 'veth', 'peer', 'name', 'eth1', 'netns', host.name)
      await nat.namespace.ip('link', 'set', 'cvr', 'master', 'br0', 'up')
      await host.ip('link', 'set', 'eth1', 'up')
      device = await reach(`mover-${kind}`, host, kind)
    })
    afterAll(async () => {
      await host?.remove()
      await nat?.namespace.remove()
    })

    it('RFC 4555 3.5 behind a NAT and back, and what is sent to it meanwhile arrives', async () => {
      const inUdp = kind !== 'native' // and it says so with a hash as from behind a NAT
      expect(await device.way()).toEqual({ remoteAddress: '192.0.2.11', behindNat: inUdp, inUdp })
      const upload = await device.upload()
      upload.send(PIECE_BYTES)
      await host.ip('addr', 'add', '10.0.0.2/24', 'dev', 'eth1')
      await host.ip('addr', 'del', '192.0.2.11/24', 'dev', 'eth0')
      await host.ip('route', 'add', 'default', 'via', '10.0.0.1')
      await device.isAt('192.0.2.9')
      expect(await device.way()).toEqual({ remoteAddress: '192.0.2.9', behindNat: true, inUdp: true })
      upload.send(PIECE_BYTES)
      await host.ip('route', 'del', 'default')
      await host.ip('addr', 'add', '192.0.2.11/24', 'dev', 'eth0')
      await host.ip('addr', 'del', '10.0.0.2/24', 'dev', 'eth1')
      await device.isAt('192.0.2.11')
      upload.send(PIECE_BYTES)
      expectWhole(await upload.end())
      expect(await device.way()).toEqual({ remoteAddress: '192.0.2.11', behindNat: inUdp, inUdp })
      expect(await device.epoch()).toBe(1) // one attachment all the time
    })
  })

  describe('that stays where it is', () => {
    let device: Reached
    let gate: Nat

    beforeAll(async () => {
      gate = await lab.addNat('gate', { outside: '192.0.2.8/24', inside: '10.1.0.1/24' })
      const host = await gate.addHost('behind', '10.1.0.2/24')
      await openWay()
      device = await reach('stayer', host, 'native')
    })

    it('RFC 4555 3.8 a NAT that comes before it is found, and ESP goes into UDP', async () => {
      expect(await device.way()).toEqual({ remoteAddress: '10.1.0.2', behindNat: false, inUdp: false })
      const upload = await device.upload()
      upload.send(PIECE_BYTES)
      await culvert.server.ip('route', 'del', '10.1.0.0/24')
      await gate.rebind(PORTS)
      await device.isAt('192.0.2.8')
      upload.send(PIECE_BYTES)
      expectWhole(await upload.end())
      expect(await device.way()).toEqual({ remoteAddress: '192.0.2.8', behindNat: true, inUdp: true })
    })

    it('RFC 4555 3.8 and when it goes, ESP goes without UDP again', async () => {
      const upload = await device.upload()
      upload.send(PIECE_BYTES)
      await openWay()
      await device.isAt('10.1.0.2')
      upload.send(PIECE_BYTES)
      expectWhole(await upload.end())
      await waitFor(async () => !(await device.way()).inUdp, { ...PATIENCE, message: 'ESP without UDP' })
      expect(await device.way()).toEqual({ remoteAddress: '10.1.0.2', behindNat: false, inUdp: false })
      expect(await device.epoch()).toBe(1)
    })

    async function openWay(): Promise<void> {
      await gate.lift()
      await culvert.server.ip('route', 'add', '10.1.0.0/24', 'via', '192.0.2.8')
    }
  })

  interface Reached {
    /** How it is reached now, and whether ESP is in UDP. */
    way(): Promise<{ remoteAddress: string; behindNat: boolean; inUdp: boolean }>
    isAt(remoteAddress: string): Promise<unknown>
    epoch(): Promise<number>
    upload(): Promise<HeldUpload>
  }

  async function reach(name: string, host: Namespace, kind: 'native' | 'portable' | 'strongSwan'): Promise<Reached> {
    const device = await registerDevice(culvert.acme, name)
    const story = kind === 'strongSwan' ? await startSwan(device, host) : await startOurs(device, host, kind)
    await startPage(host, device.address4, PAGE_PORT, file)
    const tunnel = await openTunnel(culvert.acme, device.id, PAGE_PORT)
    const url = `http://${tunnel.host}:${tunnel.port}`
    const { env } = await peer('curl')
    const curl = (...words: string[]): ReturnType<Namespace['exec']> =>
      culvert.customer.exec('curl', ['--silent', '--show-error', '--fail', '--max-time', '90', ...words], {
        env,
        timeoutMs: 100_000,
      })
    const attachment = (): ReturnType<typeof readAttachment> => readAttachment(culvert.acme, device.id)
    return {
      async way() {
        const before = await datagramsOf(host)
        const { stdout } = await curl(`${url}/[1-${PAGES}]`)
        expect(stdout.split('hello from the device')).toHaveLength(PAGES + 1)
        const inUdp = (await datagramsOf(host)) - before >= PAGES
        const { remoteAddress, behindNat } = await attachment()
        return { remoteAddress, behindNat, inUdp }
      },
      isAt: (remoteAddress) =>
        waitFor(async () => (await attachment()).remoteAddress === remoteAddress, {
          ...PATIENCE,
          message: `the device at ${remoteAddress}`,
        }).catch((error: unknown) => {
          throw new Error(`${String(error)}\n${story()}\n${culvert.output('concentrator')}`)
        }),
      epoch: async () => (await attachment()).epoch,
      upload: () => startUpload(culvert.customer, url, closings),
    }
  }

  /** @returns what it has said */
  async function startOurs(device: RegisteredDevice, host: Namespace, rung: string): Promise<() => string> {
    const settings = { DEVICE_NATIVE_ESP: String(rung === 'native'), DEVICE_RUNG: rung, DEVICE_LIVENESS_SEC: '2' }
    const simulated = startSimulatedDevice({ host, folder, culvert, closings }, device, settings)
    await simulated.ready()
    return () => simulated.output()
  }

  async function startSwan(device: RegisteredDevice, host: Namespace): Promise<() => string> {
    const swan = await startStrongswanDevice(device, host, 'mover', { charon: 'delete_rekeyed_delay = 1' })
    closings.add(() => swan.kill())
    await waitAttached(culvert.acme, device.id)
    return () => swan.log()
  }
})

function expectWhole({ sent, arrived }: Awaited<ReturnType<HeldUpload['end']>>): void {
  expect(arrived).toBe(sent)
}

/** UDP datagrams that a host received. */
async function datagramsOf(host: Namespace): Promise<number> {
  const { stdout } = await host.exec('cat', ['/proc/net/snmp'])
  return Number(/^Udp: (\d+)/mu.exec(stdout)?.[1])
}
