/**
 * Our simulated device at a strongSwan gateway: its host gets another address, on another interface, while something is sent
 * through the tunnel, over one connection.
 *
 * ```
 *   gateway 192.0.2.1 ═ bridge ═╦═ eth0 192.0.2.11 ───────────────── device
 *   10.98.0.1 on lo             ╚═ 192.0.2.77 NAT 192.168.77.1 ───── eth1 192.168.77.11 of the same
 * ```
 */
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import type { IkeEvent } from '@culvert/ikev2'
import { createLab, peer, startStrongswan, waitFor, type Namespace, type Strongswan } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClosings, type Closings } from '../../support/closings.ts'
import { gatewayConf, SECRET } from '../../support/core-scene.ts'
import { startPage } from '../../support/fleet.ts'
import { startUpload } from '../../support/held-upload.ts'
import { firstMissing, noteOf } from '../../support/missing.ts'
import { ikeSpi } from '../../support/swan-scene.ts'

const GATEWAY = '192.0.2.1'
const INNER_ADDRESS = '10.98.0.1'
const FIRST = '192.0.2.11'
const NAT_ADDRESS = '192.0.2.77'
const PIECE_BYTES = 2 * 1024 * 1024
const missing = await firstMissing('strongswan', 'nftables', 'curl')

describe.skipIf(missing).each(['native', 'portable'] as const)(
  `our initiator (%s) on the move at a strongSwan gateway${noteOf(missing)}`,
  (rung) => {
    let closings: Closings
    let gateway: Strongswan
    let host: Namespace
    let socketPath: string

    beforeAll(async () => {
      closings = createClosings()
      const folder = await closings.folder()
      const file = path.join(folder, 'file')
      fs.writeFileSync(file, 'file')
      const lab = await createLab()
      closings.add(() => lab.close())
      const near = await lab.addHost('gateway', `${GATEWAY}/24`)
      await near.ip('addr', 'add', `${INNER_ADDRESS}/32`, 'dev', 'lo')
      host = await lab.addHost('device', `${FIRST}/24`)
      const nat = await lab.addNat('nat', { outside: `${NAT_ADDRESS}/24`, inside: '192.168.77.1/24' })
      await nat.namespace.ip('link', 'add', 'cvr', 'type', 'veth', 'peer', 'name', 'eth1', 'netns', host.name)
      await nat.namespace.ip('link', 'set', 'cvr', 'master', 'br0', 'up')
      await host.ip('link', 'set', 'eth1', 'up')
      const charon = { charon: 'delete_rekeyed_delay = 1' }
      gateway = await startStrongswan({ namespace: near, name: 'gateway', swanctlConf: gatewayConf(), ...charon })
      closings.add(() => gateway.stop())
      await startPage(near, INNER_ADDRESS, 8080, file)
      socketPath = path.join(folder, 'initiator')
      await startInitiator()
    })
    afterAll(() => closings?.close())

    it('RFC 4555 3.5 behind a NAT and back, with the IKE SA it had, and what is sent meanwhile arrives', async () => {
      const spi = ikeSpi(await gateway.listSas())
      const upload = await startUpload(host, `http://${INNER_ADDRESS}:8080`, closings)
      upload.send(PIECE_BYTES)
      await host.ip('addr', 'add', '192.168.77.11/24', 'dev', 'eth1')
      await told(/INFORMATIONAL request \d+ \[ N\(ADD_4_ADDR\) \]/) // 3.6
      await host.ip('addr', 'del', `${FIRST}/24`, 'dev', 'eth0')
      await host.ip('route', 'add', 'default', 'via', '192.168.77.1')
      await seenAt(NAT_ADDRESS)
      await told(/INFORMATIONAL request \d+ \[ N\(UPD_SA_ADDR\) N\(NATD_S_IP\) N\(NATD_D_IP\) N\(COOKIE2\) \]/)
      await told(/INFORMATIONAL request \d+ \[ N\(NO_ADD_ADDR\) \]/)
      upload.send(PIECE_BYTES)
      await host.ip('route', 'del', 'default')
      await host.ip('addr', 'add', `${FIRST}/24`, 'dev', 'eth0')
      await host.ip('addr', 'del', '192.168.77.11/24', 'dev', 'eth1')
      await seenAt(FIRST)
      upload.send(PIECE_BYTES)
      const { sent, arrived } = await upload.end()
      expect(arrived).toBe(sent)
      expect(ikeSpi(await gateway.listSas())).toBe(spi)
      expect((await state()).events.filter(({ kind }) => kind === 'closed')).toEqual([])
    })

    it('RFC 4555 3.8 asks how it is seen, and is where it was', async () => {
      const before = updates()
      await ask('POST', '/checkLiveness')
      await told(/INFORMATIONAL request \d+ \[ N\(NATD_S_IP\) N\(NATD_D_IP\) \]/)
      const { stdout } = await host.exec('curl', ['--silent', '--max-time', '30', `http://${INNER_ADDRESS}:8080/`], {
        env: (await peer('curl')).env,
        timeoutMs: 40_000,
      })
      expect(stdout).toContain('hello')
      expect(updates()).toBe(before)
    })

    async function startInitiator(): Promise<void> {
      const options = {
        remoteAddress: GATEWAY,
        remoteIkePort: 500,
        remoteEspPort: 4500,
        localIkePort: 500,
        localEspPort: 4500,
        localAddress: '0.0.0.0',
        towards: GATEWAY,
        identity: 'one.devices.example',
        remoteIdentity: 'concentrator.example',
        psk: SECRET,
        remotePrefix: '10.98.0.0/24',
        tun: { name: 'culvert-dev0', namespace: null, mtuBytes: 1400 },
        rung,
        livenessMs: 30_000,
        natKeepaliveMs: 5_000,
      }
      const program = path.join(import.meta.dirname, '../../support/initiator.ts')
      const words = ['--conditions=source', program, socketPath, JSON.stringify(options)]
      const running = host.spawn(process.execPath, words)
      closings.add(() => running.stop())
      await waitFor(async () => running.output().includes('initiator ready') && (await state()).address4 !== null, {
        timeoutMs: 30_000,
        message: 'our device to attach',
      }).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${running.output()}\n${gateway.log()}`, { cause: error })
      })
    }

    async function seenAt(address: string): Promise<void> {
      await waitFor(async () => (await gateway.listSas())[0]?.remoteHost === address, {
        timeoutMs: 30_000,
        message: `the device at ${address}`,
      })
    }

    async function told(pattern: RegExp): Promise<void> {
      await waitFor(() => pattern.test(gateway.log()), { message: String(pattern) }).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${gateway.log().split('\n').slice(-40).join('\n')}`, { cause: error })
      })
    }

    function updates(): number {
      return gateway
        .log()
        .split('request')
        .filter((line) => line.includes('N(UPD_SA_ADDR)')).length
    }

    /** It has an address when its TUN has it. */
    async function state(): Promise<{ readonly address4: string | null; readonly events: readonly IkeEvent[] }> {
      return JSON.parse(await ask('GET', '/')) as Awaited<ReturnType<typeof state>>
    }

    function ask(method: string, route: string): Promise<string> {
      return new Promise((resolve, reject) => {
        const request = http.request({ socketPath, method, path: route, timeout: 10_000 }, (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
          response.on('end', () => resolve(text))
        })
        request.on('error', reject)
        request.end()
      })
    }
  },
)
