/**
 * An operator wants a concentrator empty: `npm run redirect` sends its devices to another gateway (RFC 5685), and lets them stay again.
 */
import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { createDatabase, createLab, waitFor, type Lab, type Strongswan } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { registerDevice, startStrongswanDevice, waitAttached, type RegisteredDevice } from '../support/fleet.ts'
import { startInstallation, type Installation } from '../support/installation.ts'
import { skipNote, swanMissing } from '../support/missing.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const ELSEWHERE = '192.0.2.99'

describe.skipIf(swanMissing)(`a concentrator that is to be empty${skipNote}`, () => {
  let lab: Lab
  let culvert: Installation
  let device: RegisteredDevice
  let swan: Strongswan
  let databaseUrl: string

  beforeAll(async () => {
    lab = await createLab()
    databaseUrl = await createDatabase(inject('databaseUrl'))
    culvert = await startInstallation({ lab, serverUrl: databaseUrl, databaseUrl, redisUrl: inject('redisUrl') })
    const host = await lab.addHost('device', '192.0.2.11/24')
    device = await registerDevice(culvert.acme, 'router')
    swan = await startStrongswanDevice(device, host, 'device')
    await waitAttached(culvert.acme, device.id)
  })
  afterAll(async () => {
    await swan?.stop()
    await culvert?.stop()
    await lab?.close()
  })

  const redirect = (...words: string[]): Promise<unknown> =>
    promisify(execFile)(process.execPath, ['--conditions=source', 'scripts/redirect.ts', ...words], {
      cwd: ROOT,
      env: { ...process.env, DATABASE_URL: databaseUrl },
    })
  const nodeName = async (): Promise<string> =>
    (await culvert.pool.query<{ id: string }>('SELECT id FROM concentrators')).rows[0]?.id ?? ''
  const attachment = async (): Promise<Record<string, unknown>> =>
    (await culvert.acme<Record<string, unknown>>('GET', `/v1/devices/${device.id}/attachment`)).body

  it('sends a device away that is attached, and newcomers too, until they stay again', async () => {
    const node = await nodeName()
    await expect(redirect(node, '192.0.2.1')).rejects.toMatchObject({ code: 1 }) // itself
    await expect(redirect('con-nobody', ELSEWHERE)).rejects.toMatchObject({ code: 1 })
    await expect(redirect(node, 'not a gateway')).rejects.toMatchObject({ code: 2 })
    await redirect(node, ELSEWHERE)
    await waitFor(() => swan.log().includes(`initiating IKE_SA`) && swan.log().includes(`to ${ELSEWHERE}`), {
      message: 'the device to turn to the other gateway',
      timeoutMs: 20_000,
    })
    await waitFor(async () => (await attachment())['state'] === 'detached', {
      message: 'the device to be gone',
      timeoutMs: 30_000,
    })

    await swan.swanctl('--terminate', ['--ike', '*', '--force', '--timeout', '2'], { check: false })
    await swan.swanctl('--initiate', ['--child', 'culvert', '--timeout', '5'], { check: false })
    expect(swan.log()).toMatch(new RegExp(`redirected to ${ELSEWHERE}`))
    expect(await attachment()).toMatchObject({ state: 'detached' })

    await redirect(node, 'stay')
    await swan.stop()
    swan = await startStrongswanDevice(device, await lab.addHost('again', '192.0.2.12/24'), 'again')
    await waitAttached(culvert.acme, device.id)
  })
})
