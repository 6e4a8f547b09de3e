import { migrate } from '@culvert/db'
import { scratchFolder, startPostgres, type Service } from '@culvert/services'
import { waitFor } from '@culvert/testkit'
import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { openTunnel } from '../support/fleet.ts'
import { skipNote, swanMissing } from '../support/missing.ts'
import { openSwanScene, type SwanScene } from '../support/swan-scene.ts'

describe.skipIf(swanMissing)(`PostgreSQL goes away while devices are attached${skipNote}`, () => {
  let folder: string
  let postgres: Service
  let scene: SwanScene

  beforeAll(async () => {
    folder = await scratchFolder()
    postgres = await startPostgres({ dataDir: path.join(folder, 'postgres'), durable: false })
    await migrate(postgres.url)
    scene = await openSwanScene({
      serverUrl: inject('databaseUrl'),
      databaseUrl: postgres.url,
      redisUrl: inject('redisUrl'),
      fileBytes: 1024 * 1024,
    })
  })
  afterAll(async () => {
    await scene?.close()
    await postgres?.stop()
    fs.rmSync(folder, { recursive: true, force: true })
  })

  it('the open tunnel goes on, the API answers 503, a rekey works, and all heals by itself', async () => {
    const slow = scene.culvert.customer.spawn('curl', ['--silent', '--no-buffer', scene.url('/slow')])
    await waitFor(() => slow.output().includes('still here'), { message: 'the slow answer' })
    await postgres.stop()

    expect((await scene.culvert.acme('GET', '/v1/devices')).status).toBe(503)
    expect((await scene.culvert.acme('GET', '/health/ready')).status).toBe(503)
    expect((await scene.culvert.acme('GET', '/health/live')).status).toBe(200)
    expect((await scene.curl(scene.url('/'))).stdout).toContain('hello from the device')
    await scene.swan.rekey({ child: scene.names.child })
    await scene.swan.rekey({ ike: scene.names.ike })
    expect(await scene.curl('--output', '/dev/null', scene.url('/file'))).toMatchObject({ code: 0 })
    expect(slow.output()).toBe('still here\n')

    postgres = await startPostgres({ dataDir: path.join(folder, 'postgres'), durable: false })
    await waitFor(async () => (await scene.culvert.acme('GET', '/v1/devices')).status === 200, {
      timeoutMs: 30_000,
      message: 'the API to answer again',
    })
    const [ike] = await scene.swan.listSas()
    await waitFor(
      async () => {
        const { body } = await scene.culvert.acme<{ ikeSas?: { spiI: string }[] }>(
          'GET',
          `/v1/devices/${scene.device.id}/attachment`,
        )
        return body.ikeSas?.[0]?.spiI === ike?.spiI
      },
      { timeoutMs: 30_000, message: 'the API to show the IKE SA made meanwhile' },
    )
    const second = await openTunnel(scene.culvert.acme, scene.device.id, 8080)
    expect((await scene.curl(`http://${second.host}:${second.port}/`)).stdout).toContain('hello from the device')
    await slow.stop()
  })
})
