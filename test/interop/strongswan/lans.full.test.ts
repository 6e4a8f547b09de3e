/**
 * LANs behind strongSwan routers, through the whole product: two routers with the same 192.168.1.0/24, a host with the same address
 * behind each, and a router that speaks for a LAN which is not its own.
 *
 *   customer ── gateway ── concentrator ══ router-0 ── 192.168.1.20 "one"
 *                               ╚═════════ router-1 ── 192.168.1.20 "other"
 */
import fs from 'node:fs'
import path from 'node:path'
import { createLab, type Lab, type Namespace, peer, type Strongswan, waitFor } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createClosings } from '../../support/closings.ts'
import {
  openTunnel,
  readAttachment,
  registerDevice,
  type RegisteredDevice,
  startPage,
  startStrongswanDevice,
  type TunnelAnswer,
  waitAttached,
} from '../../support/fleet.ts'
import { startInstallation, type Installation } from '../../support/installation.ts'
import { skipNote, swanMissing } from '../../support/missing.ts'

const HOST = '192.168.1.20'
const LAN = '192.168.1.0/24'

interface Router {
  readonly device: RegisteredDevice
  readonly swan: Strongswan
}

describe.skipIf(swanMissing)(`LANs behind strongSwan routers${skipNote}`, () => {
  const closings = createClosings()
  let lab: Lab
  let culvert: Installation
  let folder: string
  let count = 0
  let routers: readonly Router[]

  beforeAll(async () => {
    folder = await closings.folder()
    lab = await createLab()
    closings.add(() => lab.close())
    culvert = await startInstallation({ lab, serverUrl: inject('databaseUrl'), redisUrl: inject('redisUrl') })
    closings.add(() => culvert.stop())
    routers = [
      await addRouter({ lanPrefixes: [LAN] }, 'one'),
      await addRouter({ lanPrefixes: ['172.20.0.0/16', LAN] }, 'other'),
    ]
  })
  afterAll(() => closings.close())

  /** A router with a host behind it that says `word`. */
  async function addRouter(
    more: object,
    word: string,
    edit: (swanctlConf: string) => string = (conf) => conf,
  ): Promise<Router> {
    const name = `router${count++}`
    const namespace = await lab.addHost(name, `192.0.2.${20 + count}/24`)
    const host = await lab.addNamespace(`${name}lan`)
    await layLan(namespace, host)
    const file = path.join(folder, word)
    fs.writeFileSync(file, word)
    await startPage(host, HOST, 8080, file)
    const registered = await registerDevice(culvert.acme, name, more)
    const device = { ...registered, swanctlConf: edit(registered.swanctlConf) }
    const swan = await startStrongswanDevice(device, namespace, name)
    closings.add(() => swan.stop())
    try {
      await waitAttached(culvert.acme, device.id)
    } catch (error) {
      throw new Error(`${String(error)}\n${swan.log()}\n${culvert.output('concentrator')}`)
    }
    return { device, swan }
  }

  async function fetchFrom({ host, port }: TunnelAnswer): Promise<string> {
    const { env } = await peer('curl')
    const args = ['--silent', '--show-error', '--max-time', '20', `http://${host}:${port}/file`]
    const answer = await culvert.customer.exec('curl', args, { timeoutMs: 30_000, check: false, env })
    return answer.stdout || answer.stderr
  }

  const hostTunnel = ({ device }: Router): Promise<TunnelAnswer> =>
    openTunnel(culvert.acme, device.id, 8080, { host: HOST })

  it('reaches the right one of two hosts with the same address, both at once', async () => {
    const tunnels = await Promise.all(routers.map(hostTunnel))
    expect(await Promise.all(tunnels.map(fetchFrom))).toEqual(['one', 'other'])
    expect(tunnels).toMatchObject([{ deviceHost: HOST, devicePort: 8080 }, { deviceHost: HOST }])
    await waitFor(async () => {
      const { body } = await culvert.acme<{ data: object[] }>('GET', `/v1/tunnels/${tunnels[0]?.id}/connections`)
      return body.data.some((row) => 'deviceHost' in row && row.deviceHost === HOST)
    })
    const { ikeSas } = await readAttachment(culvert.acme, routers[0]!.device.id)
    expect(ikeSas[0]?.childSas[0]?.selectorsRemote).toContain(LAN)
  })

  it('says so when there is no such host, and when it is on no LAN of the device', async () => {
    const [router] = routers
    const absent = await openTunnel(culvert.acme, router!.device.id, 8080, { host: '192.168.1.77' })
    expect(await fetchFrom(absent)).toMatch(/reset|refused/)
    const outside = { deviceId: router!.device.id, port: 8080, host: '172.20.0.1' }
    expect(await culvert.acme('POST', '/v1/tunnels', outside)).toMatchObject({
      status: 422,
      body: { code: 'host_outside_lans', errors: [{ pointer: '/host' }] },
    })
  })

  it('keeps a tunnel through a restart of the concentrator', async () => {
    const tunnel = await hostTunnel(routers[0]!)
    await culvert.process('concentrator').stop('SIGKILL')
    await culvert.restart('concentrator')
    for (const { swan, device } of routers) {
      await swan.swanctl('--terminate', ['--ike', 'culvert', '--force'], { check: false })
      await swan.swanctl('--initiate', ['--child', 'culvert', '--timeout', '10'], { check: false })
      await waitAttached(culvert.acme, device.id)
    }
    await waitFor(async () => (await fetchFrom(tunnel)) === 'one', { timeoutMs: 60_000, message: 'the host again' })
    const { body } = await culvert.acme<TunnelAnswer>('GET', `/v1/tunnels/${tunnel.id}`)
    expect(body).toMatchObject({ state: 'open', port: tunnel.port })
  })

  it('C63 gives a router nothing of a LAN that is not registered for it, whatever it offers, and all of it once it is', async () => {
    const edit = (conf: string): string => conf.replace('remote_ts', `local_ts = dynamic, ${LAN}\n        remote_ts`)
    const router = await addRouter({}, 'third', edit)
    const { ikeSas } = await readAttachment(culvert.acme, router.device.id)
    const { address4 } = router.device
    const { selectorsRemote = [] } = ikeSas[0]?.childSas[0] ?? {}
    expect(selectorsRemote).toContain(`${address4}/32`)
    expect(selectorsRemote).not.toContain(LAN)
    const body = { deviceId: router.device.id, port: 8080, host: HOST }
    const refused = await culvert.acme<{ code: string }>('POST', '/v1/tunnels', body)
    expect(refused.body).not.toHaveProperty('host')
    const { epoch } = await readAttachment(culvert.acme, router.device.id)
    await culvert.acme('PATCH', `/v1/devices/${router.device.id}`, { lanPrefixes: [LAN] })
    const tunnel = await waitFor(
      async () => {
        const opened = await culvert.acme<TunnelAnswer>('POST', '/v1/tunnels', { ...body, allowFrom: ['0.0.0.0/0'] })
        return opened.status === 201 ? opened.body : null
      },
      { timeoutMs: 30_000, message: 'the LAN to be carried' },
    )
    expect(await fetchFrom(tunnel)).toBe('third')
    // RFC 7296 2.9.2: by a rekey, on the same IKE SA.
    expect(await readAttachment(culvert.acme, router.device.id)).toMatchObject({ epoch, state: 'attached' })
  })

  it('C63 ends tunnels and attachment when the LAN is taken from the device', async () => {
    const { device } = routers[1]!
    const tunnel = await hostTunnel(routers[1]!)
    const { epoch } = await readAttachment(culvert.acme, device.id)
    await culvert.acme('PATCH', `/v1/devices/${device.id}`, { lanPrefixes: [] })
    await waitFor(async () => {
      const { body } = await culvert.acme<TunnelAnswer>('GET', `/v1/tunnels/${tunnel.id}`)
      return body.state === 'closed' && body.reason === 'lan_removed'
    })
    const fresh = await waitFor(
      async () => {
        const attachment = await readAttachment(culvert.acme, device.id)
        return attachment.epoch > epoch && attachment.state === 'attached' ? attachment : null
      },
      { timeoutMs: 60_000, message: 'the router to be attached anew' },
    )
    const { selectorsRemote = [] } = fresh.ikeSas[0]?.childSas[0] ?? {}
    expect(selectorsRemote).toContain(`${device.address4}/32`)
    expect(selectorsRemote).not.toContain(LAN)
  })
})

async function layLan(router: Namespace, host: Namespace): Promise<void> {
  await router.ip('link', 'add', 'lan0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', host.name)
  for (const address of ['192.168.1.1/24', '172.20.0.1/16']) await router.ip('addr', 'add', address, 'dev', 'lan0')
  await router.ip('link', 'set', 'lan0', 'up')
  await host.ip('addr', 'add', `${HOST}/24`, 'dev', 'eth0')
  await host.ip('link', 'set', 'eth0', 'up')
  await host.ip('route', 'add', 'default', 'via', '192.168.1.1')
  await router.exec('sysctl', ['-qw', 'net.ipv4.ip_forward=1'])
}
