import { createLab, waitFor, type Lab, type Namespace } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { registerDevice, startStrongswanDevice, waitAttached, type RegisteredDevice } from '../../support/fleet.ts'
import { startInstallation, type Installation } from '../../support/installation.ts'
import { skipNote, swanMissing } from '../../support/missing.ts'

describe.skipIf(swanMissing)(`devices that must not get in${skipNote}`, () => {
  let lab: Lab
  let culvert: Installation
  let host: Namespace
  let acme: RegisteredDevice
  let globex: RegisteredDevice

  beforeAll(async () => {
    lab = await createLab()
    culvert = await startInstallation({ lab, serverUrl: inject('databaseUrl'), redisUrl: inject('redisUrl') })
    host = await lab.addHost('dev1', '192.0.2.11/24')
    acme = await registerDevice(culvert.acme, 'router-1')
    globex = await registerDevice(culvert.globex, 'router-1')
  })
  afterAll(async () => {
    await culvert?.stop()
    await lab?.close()
  })

  it.each([
    [
      'a wrong PSK',
      () => ({ ...acme, swanctlConf: acme.swanctlConf.replaceAll(acme.swanctlSecret, `0x${'5a'.repeat(32)}`) }),
    ],
    [
      'an unknown identity',
      () => ({ ...acme, swanctlConf: acme.swanctlConf.replaceAll(acme.ikeIdentity, `nobody.${acme.ikeIdentity}`) }),
    ],
    [
      "another organization's key",
      () => ({ ...acme, swanctlConf: acme.swanctlConf.replaceAll(acme.swanctlSecret, globex.swanctlSecret) }),
    ],
  ])('%s: AUTHENTICATION_FAILED, and nothing is left behind', async (_what, wrong) => {
    const device = wrong()
    const swan = await startStrongswanDevice(device, host, 'wrong')
    try {
      await waitFor(() => swan.log().includes('AUTHENTICATION_FAILED') || swan.log().includes('AUTH_FAILED'), {
        message: `strongSwan to be refused: ${swan.log()}`,
      })
      expect((await swan.listSas()).flatMap((ike) => ike.children)).toEqual([])
      const { rows } = await culvert.pool.query(`SELECT 1 FROM attachments`)
      expect(rows).toEqual([])
      expect(culvert.output('concentrator')).toContain('authenticationFailed')
      for (const secret of [acme.psk, globex.psk]) expect(culvert.output('concentrator')).not.toContain(secret)
    } finally {
      await swan.kill()
    }
  })

  it('the same device with the right key is let in, and a revoked credential ends it at once', async () => {
    const swan = await startStrongswanDevice(acme, host, 'right')
    try {
      await waitAttached(culvert.acme, acme.id)
      const revoked = await culvert.acme('DELETE', `/v1/devices/${acme.id}/credentials/${acme.credentialId}`)
      expect([200, 204]).toContain(revoked.status)
      await waitFor(
        async () => {
          const { body } = await culvert.acme<{ state: string }>('GET', `/v1/devices/${acme.id}/attachment`)
          return body.state === 'detached'
        },
        { message: 'the device to be detached' },
      )
      await waitFor(() => /AUTH(ENTICATION)?_FAILED/.test(swan.log()), { message: 'the next attempt to be refused' })
    } catch (error) {
      throw new Error(`${String(error)}\n${swan.log()}\n${culvert.output('concentrator')}`, { cause: error })
    } finally {
      await swan.kill()
    }
  })

  it('neither organization sees the other in the API', async () => {
    expect((await culvert.globex('GET', `/v1/devices/${acme.id}`)).status).toBe(404)
    expect((await culvert.globex('GET', `/v1/devices/${acme.id}/attachment`)).status).toBe(404)
    expect((await culvert.globex('GET', `/v1/devices/${acme.id}/config?target=swanctl`)).status).toBe(404)
    expect((await culvert.globex('POST', `/v1/devices/${acme.id}/credentials`, { kind: 'psk' })).status).toBe(404)
    const tunnel = await culvert.globex('POST', '/v1/tunnels', { deviceId: acme.id, port: 22, ttlSec: 60 })
    expect([404, 422]).toContain(tunnel.status)
    const list = await culvert.globex<{ data: { id: string }[] }>('GET', '/v1/devices')
    expect(list.text).not.toContain(acme.id)
  })
})
