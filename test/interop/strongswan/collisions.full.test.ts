/**
 * Both sides rekey at nearly the same moment, again and again, over a path so slow that requests cross (RFC 7296 2.8.1, 2.25).
 *
 * ```
 *   customer ── server ── slow path (100 ms each way) ── device
 * ```
 */
import path from 'node:path'
import { waitFor } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { readAttachment } from '../../support/fleet.ts'
import { SERVER_ADDRESS } from '../../support/installation.ts'
import { firstMissing, noteOf } from '../../support/missing.ts'
import { childSpi, ikeSpi, openSwanScene, type SwanScene } from '../../support/swan-scene.ts'

const DURATION_MS = 120_000
const DELAY_MS = 100
const SLOW_PATH_ADDRESS = '192.0.2.50'
const CHILD_REKEY_SEC = 2
const IKE_REKEY_SEC = 5

const missing = await firstMissing('strongswan', 'curl')

describe.skipIf(missing)(`rekeys by both sides at once${noteOf(missing)}`, () => {
  let scene: SwanScene

  beforeAll(async () => {
    scene = await openSwanScene({
      serverUrl: inject('databaseUrl'),
      redisUrl: inject('redisUrl'),
      fileBytes: 256 * 1024,
      env: {
        CONCENTRATOR_CHILD_REKEY_SEC: String(CHILD_REKEY_SEC),
        CONCENTRATOR_IKE_REKEY_SEC: String(IKE_REKEY_SEC),
      },
      charon: { charon: 'delete_rekeyed_delay = 1' },
      edit: sameTimes,
      async prepare(lab) {
        const router = await lab.addHost('slow', `${SLOW_PATH_ADDRESS}/24`)
        const slowPath = path.join(import.meta.dirname, '../../support/slow-path.ts')
        const running = router.spawn(process.execPath, [slowPath, SERVER_ADDRESS, String(DELAY_MS)])
        await waitFor(() => running.output().includes('ready'), { message: 'the slow path' })
      },
    })
  })
  afterAll(() => scene?.close())

  it(
    'lose no connection, and leave one IKE SA with one Child SA on both sides',
    async () => {
      const slow = scene.culvert.customer.spawn('curl', ['--silent', '--no-buffer', scene.url('/slow')])
      await waitFor(() => slow.output().includes('still here'), { message: 'the slow answer' })
      const children = new Set<string>()
      const ikes = new Set<string>()
      const endMs = performance.now() + DURATION_MS
      while (performance.now() < endMs) {
        expect(await scene.curl('--output', '/dev/null', scene.url('/file'))).toMatchObject({ code: 0 })
        expect(await scene.curl('--upload-file', scene.file, scene.url('/'))).toMatchObject({ code: 0 })
        const sas = await scene.swan.listSas()
        children.add(childSpi(sas))
        ikes.add(ikeSpi(sas))
      }
      expect(slow.output()).toBe('still here\n')
      await slow.stop()
      expect(children.size).toBeGreaterThan(20)
      expect(ikes.size).toBeGreaterThan(10)
      expect(scene.swan.log()).toMatch(/detected CHILD_REKEY collision with CHILD_REKEY/)
      expect(scene.swan.log()).toMatch(/detected IKE_REKEY collision with IKE_REKEY/)
      await waitFor(isOneOfEach, { timeoutMs: 30_000, message: 'one IKE SA and one Child SA everywhere' })
      const { epoch } = await readAttachment(scene.culvert.acme, scene.device.id)
      expect(epoch).toBe(1)
    },
    DURATION_MS + 60_000,
  )

  /** Rekeys go on meanwhile: true in the moments between two of them, never with an SA too many. */
  async function isOneOfEach(): Promise<boolean> {
    const sas = await scene.swan.listSas()
    const { ikeSas } = await readAttachment(scene.culvert.acme, scene.device.id)
    const { rows } = await scene.culvert.pool.query('SELECT 1 FROM child_sas')
    return (
      sas.length === 1 &&
      sas[0]?.children.length === 1 &&
      ikeSas.length === 1 &&
      ikeSas[0]?.spiI === ikeSpi(sas) &&
      ikeSas[0].childSas.length === 1 &&
      ikeSas[0].childSas[0]?.spiOut === childSpi(sas) &&
      rows.length === 1
    )
  }
})

/** The device rekeys as often as the concentrator, through the slow path. */
function sameTimes(conf: string): string {
  return conf
    .replace(/remote_addrs *= *\S+/, `remote_addrs = ${SLOW_PATH_ADDRESS}`)
    .replace(/rekey_time *= *4h/, `rekey_time = ${IKE_REKEY_SEC}s\n    rand_time = 0s\n    over_time = 60s`)
    .replace(/rekey_time *= *1h/, `rekey_time = ${CHILD_REKEY_SEC}s\n        rand_time = 0s\n        life_time = 60s`)
}
