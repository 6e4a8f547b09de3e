import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { peer, waitFor } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { startPage } from '../../support/fleet.ts'
import { skipNote, swanMissing } from '../../support/missing.ts'
import { childSpi, ikeSpi, openSwanScene, type SwanScene } from '../../support/swan-scene.ts'

interface Attachment {
  readonly state: string
  readonly detachReason: string | null
  readonly ikeSas: readonly { readonly spiI: string; readonly childSas: readonly { readonly spiIn: number }[] }[]
}

const SERVICE_PREFIX6 = 'fd43:756c:7665:7f00::/64'

describe.skipIf(swanMissing)(`strongSwan as a device${skipNote}`, () => {
  let scene: SwanScene

  beforeAll(async () => {
    scene = await openSwanScene({
      serverUrl: inject('databaseUrl'),
      redisUrl: inject('redisUrl'),
      fileBytes: 100 * 1024 * 1024,
    })
  })
  afterAll(() => scene?.close())

  const attachment = async (): Promise<Attachment> =>
    (await scene.culvert.acme<Attachment>('GET', `/v1/devices/${scene.device.id}/attachment`)).body

  it('attaches with the configuration the API returned and gets its stable address', async () => {
    const [ike] = await scene.swan.listSas()
    expect(ike).toMatchObject({ state: 'ESTABLISHED', localVips: [scene.device.address4, scene.device.address6] })
    expect(ike?.children).toMatchObject([
      {
        state: 'INSTALLED',
        remoteTs: ['10.127.0.0/24', SERVICE_PREFIX6],
        localTs: [`${scene.device.address4}/32`, `${scene.device.address6}/128`],
      },
    ])
    expect(await attachment()).toMatchObject({ state: 'attached', ikeSas: [{ spiI: ike?.spiI }] })
  })

  it('answers curl through a tunnel opened with one call', async () => {
    expect(scene.tunnel.state).toBe('open')
    expect(await scene.curl(scene.url('/'))).toMatchObject({
      code: 0,
      stdout: `hello from the device at ${scene.device.address4}\n`,
    })
  })

  it('answers pings and curl over IPv6 from where gateways dial', async () => {
    const { tun } = scene.culvert
    const { address6 } = scene.device
    const ping = await tun.exec('ping', ['-6', '-c', '2', '-i', '0.2', address6], { env: (await peer('ping')).env })
    expect(ping.stdout).toContain(' 0% packet loss')
    await startPage(scene.host, address6, 8086, scene.file)
    const { env } = await peer('curl')
    const { stdout } = await tun.exec('curl', ['--silent', '--max-time', '20', `http://[${address6}]:8086/`], { env })
    expect(stdout).toBe(`hello from the device at ${address6}\n`)
  })

  it('carries 100 MB both ways unchanged', async () => {
    const file = scene.file
    const expected = createHash('sha256').update(fs.readFileSync(file)).digest('hex')
    const copy = path.join(scene.folder, 'copy')
    expect(await scene.curl('--output', copy, scene.url('/file'))).toMatchObject({ code: 0 })
    expect(createHash('sha256').update(fs.readFileSync(copy)).digest('hex')).toBe(expected)
    fs.rmSync(copy)
    expect(await scene.curl('--upload-file', file, scene.url('/'))).toMatchObject({ code: 0, stdout: expected })
  })

  it('survives a rekey of the Child SA and of the IKE SA by the device', async () => {
    const slow = scene.culvert.customer.spawn('curl', ['--silent', '--no-buffer', scene.url('/slow')])
    await waitFor(() => slow.output().includes('still here'), { message: 'the slow answer' })
    const before = await scene.swan.listSas()
    await scene.swan.rekey({ child: scene.names.child })
    await waitFor(async () => childSpi(await scene.swan.listSas()) !== childSpi(before), {
      message: 'another Child SA',
    })
    expect((await scene.curl(scene.url('/'))).stdout).toContain('hello from the device')
    await scene.swan.rekey({ ike: scene.names.ike })
    await waitFor(async () => ikeSpi(await scene.swan.listSas()) !== ikeSpi(before), { message: 'another IKE SA' })
    await waitFor(async () => (await attachment()).ikeSas[0]?.spiI === ikeSpi(await scene.swan.listSas()), {
      message: 'the API to show it',
    })
    expect(await scene.curl('--upload-file', scene.file, scene.url('/'))).toMatchObject({ code: 0 })
    expect(slow.output()).toBe('still here\n')
    await slow.stop()
  })

  it('refuses the next connection and ends the open one when the tunnel is closed', async () => {
    const slow = scene.culvert.customer.spawn('curl', ['--silent', '--no-buffer', scene.url('/slow')])
    await waitFor(() => slow.output().includes('still here'), { message: 'the slow answer' })
    const closed = await scene.culvert.acme('DELETE', `/v1/tunnels/${scene.tunnel.id}`)
    expect([200, 202, 204]).toContain(closed.status)
    expect(await slow.ended).not.toBe('exit code 0')
    expect((await scene.curl(scene.url('/'))).code).toBe(7)
  })

  it('deletes cleanly: nothing of the attachment is left', async () => {
    await scene.swan.terminate({ ike: scene.names.ike })
    await waitFor(async () => (await attachment()).state === 'detached', { message: 'the device to be detached' })
    expect(await attachment()).toMatchObject({ state: 'detached', ikeSas: [] })
    const { rows } = await scene.culvert.pool.query(`SELECT 1 FROM child_sas WHERE device_id = $1`, [scene.device.id])
    expect(rows).toEqual([])
  })
})
