/**
 * Devices that reach the concentrator at its IPv6 address: strongSwan and our own, each through rekeys.
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { waitFor, type LabProcess } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { openTunnel, readAttachment, registerDevice, waitAttached } from '../../support/fleet.ts'
import { addAddress6, SERVER_ADDRESS, SERVER_ADDRESS6 } from '../../support/installation.ts'
import { skipNote, swanMissing } from '../../support/missing.ts'
import { childSpi, DEVICE_ADDRESS6, ikeSpi, openSwanScene, type SwanScene } from '../../support/swan-scene.ts'

const ROOT = path.resolve(import.meta.dirname, '../../..')
/** Outer addresses of our own device. */
const SIMULATED = {
  native: { address: '192.0.2.12/24', address6: '2001:db8::12' },
  portable: { address: '192.0.2.13/24', address6: '2001:db8::13' },
} as const

describe.skipIf(swanMissing)(`devices that come over IPv6${skipNote}`, () => {
  let scene: SwanScene
  let given = ''

  beforeAll(async () => {
    scene = await openSwanScene({
      serverUrl: inject('databaseUrl'),
      redisUrl: inject('redisUrl'),
      fileBytes: 2 * 1024 * 1024,
      isReachedOverIpv6: true,
      env: { CONCENTRATOR_CHILD_REKEY_SEC: '2', CONCENTRATOR_IKE_REKEY_SEC: '5' },
      edit(conf) {
        given = conf
        return conf
          .replace(/remote_addrs *= *.+/, `remote_addrs = ${SERVER_ADDRESS6}`)
          .replaceAll(/rekey_time *= *\S+/g, 'rekey_time = 0')
      },
    })
  })
  afterAll(() => scene?.close())

  it('the configuration of a device names both addresses of the concentrator', () => {
    expect(given).toContain(`remote_addrs = ${SERVER_ADDRESS}, ${SERVER_ADDRESS6}\n`)
  })

  it('strongSwan attaches, with ESP in UDP over IPv6 and IPv4 inside', async () => {
    const [ike] = await scene.swan.listSas()
    expect(ike).toMatchObject({ state: 'ESTABLISHED', remoteHost: SERVER_ADDRESS6 })
    expect(ike?.localVips).toContain(scene.device.address4)
    expect(ike?.children.find(({ state }) => state === 'INSTALLED')).toMatchObject({ encap: true })
    expect(await readAttachment(scene.culvert.acme, scene.device.id)).toMatchObject({
      state: 'attached',
      remoteAddress: DEVICE_ADDRESS6,
      remotePort: 4500,
      address: scene.device.address4,
    })
  })

  it('curl reaches strongSwan through a tunnel while Child and IKE SA are rekeyed', async () => {
    expect((await scene.curl(scene.url('/'))).stdout).toBe(`hello from the device at ${scene.device.address4}\n`)
    const expected = createHash('sha256').update(fs.readFileSync(scene.file)).digest('hex')
    const copy = path.join(scene.folder, 'copy')
    const children = new Set<string>()
    const ikes = new Set<string>()
    await waitFor(
      async () => {
        expect(await scene.curl('--output', copy, scene.url('/file'))).toMatchObject({ code: 0 })
        expect(createHash('sha256').update(fs.readFileSync(copy)).digest('hex')).toBe(expected)
        expect(await scene.curl('--upload-file', scene.file, scene.url('/'))).toMatchObject({ stdout: expected })
        const sas = await scene.swan.listSas()
        children.add(childSpi(sas))
        ikes.add(ikeSpi(sas))
        return children.size >= 3 && ikes.size >= 2
      },
      { timeoutMs: 60_000, message: 'three Child SAs and two IKE SAs in turn' },
    )
  })

  describe.each(['native', 'portable'] as const)('our own device on the %s rung', (rung) => {
    let simulated: LabProcess
    let device: Awaited<ReturnType<typeof registerDevice>>

    beforeAll(async () => {
      const { lab, culvert, folder } = scene
      device = await registerDevice(culvert.acme, `sim-${rung}`)
      const host = await lab.addHost(`sim-${rung}`, SIMULATED[rung].address)
      await addAddress6(host, SIMULATED[rung].address6)
      const pskFile = path.join(folder, `psk-${rung}`)
      fs.writeFileSync(pskFile, device.psk, { mode: 0o600 })
      simulated = host.spawn(
        process.execPath,
        ['--conditions=source', path.join(ROOT, 'apps/device-sim/src/main.ts')],
        {
          env: {
            ...process.env,
            DEVICE_REMOTE: SERVER_ADDRESS6,
            ...(rung === 'portable' && { DEVICE_LOCAL: '::' }),
            DEVICE_REMOTE_IDENTITY: 'concentrator.fleet.culvert.internal',
            DEVICE_IDENTITY: device.ikeIdentity,
            DEVICE_PSK_FILE: pskFile,
            DEVICE_HTTP_PORT: '8080',
            DEVICE_RUNG: rung,
          },
        },
      )
    })
    afterAll(() => simulated?.stop())

    it('attaches, and curl reaches it through a tunnel over rekeys', async () => {
      const { acme } = scene.culvert
      await waitAttached(acme, device.id).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${simulated.output()}\n${scene.culvert.output('concentrator')}`)
      })
      // Its page comes after the attachment.
      const page = `"address":"${device.address4}","port":8080`
      await waitFor(() => simulated.output().includes(page), { message: `its page: ${simulated.output()}` })
      const first = await readAttachment(acme, device.id)
      expect(first).toMatchObject({ remoteAddress: SIMULATED[rung].address6, remotePort: 4500 })
      const tunnel = await openTunnel(acme, device.id, 8080)
      const seen = new Set<string>()
      await waitFor(
        async () => {
          const page = await scene.curl('--fail', `http://${tunnel.host}:${tunnel.port}/`)
          expect(page, simulated.output()).toMatchObject({ code: 0 })
          const { ikeSas } = await readAttachment(acme, device.id)
          for (const { spiIn } of ikeSas.flatMap(({ childSas }) => childSas)) seen.add(spiIn)
          return seen.size >= 2
        },
        { timeoutMs: 30_000, message: 'two Child SAs in turn' },
      )
    })
  })
})
