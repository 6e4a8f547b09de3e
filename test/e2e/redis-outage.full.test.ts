import { findRedis, scratchFolder, startRedis, type Service } from '@culvert/services'
import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { openTunnel } from '../support/fleet.ts'
import { skipNote, swanMissing } from '../support/missing.ts'
import { openSwanScene, type SwanScene } from '../support/swan-scene.ts'

const missing = swanMissing ?? (findRedis() ? null : 'there is no redis-server')
const note = missing === null ? '' : skipNote || ` (skipped: ${missing})`

describe.skipIf(missing)(`Redis goes away while devices are attached${note}`, () => {
  let folder: string
  let redis: Service | null
  let scene: SwanScene

  beforeAll(async () => {
    folder = await scratchFolder()
    redis = await startRedis({ dataDir: path.join(folder, 'redis'), durable: false })
    scene = await openSwanScene({ serverUrl: inject('databaseUrl'), redisUrl: redis?.url ?? null, fileBytes: 1 })
  })
  afterAll(async () => {
    await scene?.close()
    await redis?.stop()
    fs.rmSync(folder, { recursive: true, force: true })
  })

  it('tunnels open and close without the queue, and with it again when it is back', async () => {
    await redis?.stop()
    const without = await openTunnel(scene.culvert.acme, scene.device.id, 8080)
    expect((await scene.curl(`http://${without.host}:${without.port}/`)).stdout).toContain('hello from the device')
    expect((await scene.culvert.acme('DELETE', `/v1/tunnels/${without.id}`)).status).toBe(204)
    expect((await scene.curl(`http://${without.host}:${without.port}/`)).code).toBe(7)

    redis = await startRedis({ dataDir: path.join(folder, 'redis'), durable: false })
    const again = await openTunnel(scene.culvert.acme, scene.device.id, 8080)
    expect((await scene.curl(`http://${again.host}:${again.port}/`)).stdout).toContain('hello from the device')
  })
})
