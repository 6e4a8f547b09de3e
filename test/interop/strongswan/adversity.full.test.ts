/**
 * A device that dies, a path that loses packets, a concentrator that dies: what has to be noticed, and what has to heal.
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { waitFor } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { readAttachment, startStrongswanDevice, waitAttached } from '../../support/fleet.ts'
import { firstMissing, noteOf } from '../../support/missing.ts'
import { childSpi, ikeSpi, openSwanScene, type SwanScene } from '../../support/swan-scene.ts'
import { makeWeather, type Weather } from '../../support/weather.ts'

const LIVENESS_SEC = 2
/** 4 s, then 1.8 times longer, five times: 165 s until a silent device counts as gone, and room for a slow machine. */
const RETRANSMISSIONS_MS = 200_000

const missing = await firstMissing('strongswan', 'nftables', 'curl')

describe.skipIf(missing)(`devices, paths and concentrators that fail${noteOf(missing)}`, () => {
  let scene: SwanScene
  let weather: Weather
  let hash: string

  beforeAll(async () => {
    scene = await openSwanScene({
      serverUrl: inject('databaseUrl'),
      redisUrl: inject('redisUrl'),
      fileBytes: 2 * 1024 * 1024,
      env: { CONCENTRATOR_LIVENESS_SEC: String(LIVENESS_SEC) },
      charon: { retransmitTimeoutSec: 0.5, retransmitTries: 6, charon: 'delete_rekeyed_delay = 1' },
      edit: (conf) => conf.replace(/dpd_delay *= *\S+/, 'dpd_delay = 3s'),
    })
    hash = createHash('sha256').update(fs.readFileSync(scene.file)).digest('hex')
    weather = await makeWeather(scene.lab)
  })
  afterAll(() => scene?.close())

  it.each([0.05, 0.1])(
    'rekeys and carries data while %d of all datagrams are lost',
    async (share) => {
      await weather.drop(share)
      await carry()
      for (let round = 0; round < 3; round++) {
        const before = await scene.swan.listSas()
        await scene.swan.rekey({ child: scene.names.child })
        await settled(() => childSpi(before), childSpi)
        await scene.swan.rekey({ ike: scene.names.ike })
        await settled(() => ikeSpi(before), ikeSpi)
        await carry()
      }
      expect(await weather.droppedCount()).toBeGreaterThan(0)
      await weather.clear()
      await expectSameSas()
    },
    170_000,
  )

  it('attaches again and again while a third of all datagrams is lost', async () => {
    await weather.drop(1 / 3)
    for (let round = 0; round < 5; round++) {
      const { epoch } = await attachment()
      await scene.swan.swanctl('--terminate', ['--ike', scene.names.ike, '--force'], { check: false })
      // The end of the SA was perhaps lost as well: a new attachment replaces it.
      await scene.swan.swanctl('--initiate', ['--child', scene.names.child, '--timeout', '30'], {
        check: false,
        timeoutMs: 60_000,
      })
      await waitFor(async () => (await attachment()).state === 'attached' && (await attachment()).epoch > epoch, {
        timeoutMs: 60_000,
        message: 'another attachment',
      })
    }
    expect(await weather.droppedCount()).toBeGreaterThan(0)
    await weather.clear()
    await expectSameSas()
    await carry()
  })

  it('a concentrator killed with SIGKILL comes back, the device attaches by itself, the same tunnel works', async () => {
    const before = ikeSpi(await scene.swan.listSas())
    await scene.culvert.restart('concentrator')
    await waitFor(async () => ![before, ''].includes(ikeSpi(await scene.swan.listSas())), {
      timeoutMs: 60_000,
      message: 'the device to attach by itself',
    })
    await expectSameSas()
    await carry()
  })

  it('a device killed with SIGKILL is replaced at once when it starts again', async () => {
    const { epoch } = await attachment()
    await scene.swan.kill()
    const swan = await startStrongswanDevice(scene.device, scene.host, 'again')
    try {
      await waitFor(async () => (await attachment()).epoch > epoch, { message: 'another attachment' })
      await waitAttached(scene.culvert.acme, scene.device.id)
      expect((await attachment()).ikeSas.map(({ spiI }) => spiI)).toEqual([ikeSpi(await swan.listSas())])
      await carry()
    } finally {
      await swan.kill()
    }
  })

  // Nobody tells the concentrator of the end of the charon above.
  it(
    'a device killed with SIGKILL is detached after the last retransmission',
    async () => {
      expect((await attachment()).state).toBe('attached')
      await waitFor(async () => (await attachment()).state === 'detached', {
        timeoutMs: RETRANSMISSIONS_MS,
        intervalMs: 500,
        message: 'the silent device to be detached',
      })
      expect(await attachment()).toMatchObject({ detachReason: 'peerSilent', ikeSas: [] })
    },
    RETRANSMISSIONS_MS + 10_000,
  )

  const attachment = (): ReturnType<typeof readAttachment> => readAttachment(scene.culvert.acme, scene.device.id)

  async function settled(before: () => string, read: typeof childSpi): Promise<void> {
    await waitFor(
      async () => {
        const sas = await scene.swan.listSas()
        return sas.length === 1 && sas[0]?.children.length === 1 && read(sas) !== before()
      },
      { timeoutMs: 40_000, message: 'the rekey to be over' },
    )
  }

  /** One IKE SA and one Child SA, the same on both sides. */
  async function expectSameSas(): Promise<void> {
    await waitFor(
      async () => {
        const sas = await scene.swan.listSas()
        const { state, ikeSas } = await attachment()
        expect(state).toBe('attached')
        expect(sas.map(({ spiI }) => spiI)).toEqual(ikeSas.map(({ spiI }) => spiI))
        expect(sas.flatMap(({ children }) => children.map(({ spiIn }) => spiIn))).toEqual([
          ikeSas[0]?.childSas[0]?.spiOut,
        ])
        expect(ikeSas[0]?.childSas).toHaveLength(1)
        return true
      },
      { timeoutMs: 40_000, intervalMs: 200, message: 'the same SAs on both sides' },
    )
  }

  async function carry(): Promise<void> {
    const copy = path.join(scene.folder, 'copy')
    expect(await scene.curl('--output', copy, scene.url('/file'))).toMatchObject({ code: 0, stderr: '' })
    expect(createHash('sha256').update(fs.readFileSync(copy)).digest('hex')).toBe(hash)
    const sent = await scene.curl('--upload-file', scene.file, scene.url('/'))
    expect(sent).toMatchObject({ code: 0, stdout: hash })
  }
})
