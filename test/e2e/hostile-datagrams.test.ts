import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { SERVER_ADDRESS } from '../support/installation.ts'
import { skipNote, swanMissing } from '../support/missing.ts'
import { openSwanScene, type SwanScene } from '../support/swan-scene.ts'

const DATAGRAMS = 20_000
const GROWTH_LIMIT_KB = 40_000
const FLOOD = path.join(import.meta.dirname, '../support/flood.ts')

describe.skipIf(swanMissing)(`hostile datagrams on both ports${skipNote}`, () => {
  let scene: SwanScene

  beforeAll(async () => {
    scene = await openSwanScene({ serverUrl: inject('databaseUrl'), redisUrl: inject('redisUrl'), fileBytes: 1 })
  })
  afterAll(() => scene?.close())

  const flood = async (seed: number): Promise<void> => {
    const args = ['--conditions=source', FLOOD, SERVER_ADDRESS, String(DATAGRAMS), String(seed)]
    const { stdout } = await scene.culvert.customer.exec(process.execPath, args, { timeoutMs: 120_000 })
    expect(stdout).toContain(`${DATAGRAMS} sent`)
  }
  /** Resident memory of the process that runs the concentrator (a wrapper may stand before it). */
  const residentKb = (): number => {
    const status = fs.readFileSync(`/proc/${scene.culvert.process('concentrator').pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1])
  }

  it('neither end nor block the concentrator, nor grow its memory, and the attached device does not notice', async () => {
    await flood(1)
    const before = residentKb()
    for (const seed of [2, 3, 4]) await flood(seed)
    expect(residentKb() - before).toBeLessThan(GROWTH_LIMIT_KB)
    expect((await scene.curl(scene.url('/'))).stdout).toContain('hello from the device')
    await scene.swan.rekey({ ike: scene.names.ike })
    expect((await scene.curl(scene.url('/'))).stdout).toContain('hello from the device')
    expect(scene.culvert.output('concentrator')).not.toContain('"level":"error"')
  })
})
