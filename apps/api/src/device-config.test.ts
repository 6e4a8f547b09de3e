/** Configurations through the API: every target, what it refuses, and to whom. */
import { DeviceConfiguration } from '@culvert/contracts'
import { configTargets } from '@culvert/device-config'
import { Value } from 'typebox/value'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { newConcentrator, newDevice, openHarness, type Harness } from './testing/harness.ts'

let harness: Harness
let deviceId: string

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
  await newConcentrator(harness.pool, 'con-1', 1)
  deviceId = await newDevice(harness.call)
})
afterAll(() => harness?.close())

const config = (query: string, id = deviceId) => harness.call('GET', `/v1/devices/${id}/config?${query}`)

describe('the configuration of a device', () => {
  it.each(configTargets)('is there for %s, for at least one way to prove itself', async (target) => {
    const answers = [
      await config(`target=${target}&auth=psk`),
      await config(`target=${target}&auth=eap`),
      await config(`target=${target}&auth=certificate`),
    ]
    const given = answers.filter(({ status }) => status === 200)
    expect(given.length).toBeGreaterThan(0)
    for (const { headers, text } of given) {
      expect(headers['content-disposition']).toMatch(new RegExp(`^inline; filename="culvert-${deviceId}\\.\\w+"$`))
      expect(text).toContain('192.0.2.1')
    }
    for (const { status, body } of answers.filter((answer) => !given.includes(answer))) {
      expect([status, body]).toMatchObject([422, { code: 'config_not_possible', errors: [{ pointer: '/target' }] }])
      expect(body['detail']).toMatch(/Targets that can: .*swanctl/)
    }
  })

  it('as JSON is what OpenAPI says', async () => {
    await harness.call('PATCH', `/v1/devices/${deviceId}`, {
      body: { name: 'Pump "7"; $(reboot)', tags: ['a=b'], lanPrefixes: ['192.168.7.0/24'] },
    })
    const { body } = await config('target=generic-json')
    expect([...Value.Errors(DeviceConfiguration, body)]).toEqual([])
    expect(body).toMatchObject({
      device: { id: deviceId, name: 'Pump "7"; $(reboot)' },
      authentication: { kind: 'psk', psk: '@CULVERT-PSK@', eap: null, ppk: null },
      remotePrefixes: ['10.127.0.0/24', 'fd43:756c:7665:7f00::/64'],
      lanPrefixes: ['192.168.7.0/24'],
    })
    expect(Value.Check(DeviceConfiguration, { ...body, more: 1 })).toBe(false)
  })

  it('keeps the UUID by which a client replaces the profile it has', async () => {
    const uuid = async (id: string) =>
      (JSON.parse((await config('target=sswan&auth=eap', id)).text) as { uuid: string }).uuid
    expect(await uuid(deviceId)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(await uuid(deviceId)).toBe(await uuid(deviceId))
    expect(await uuid(deviceId)).not.toBe(await uuid(await newDevice(harness.call)))
  })

  it('of another organization is not there', async () => {
    for (const target of configTargets) {
      const answer = await harness.call('GET', `/v1/devices/${deviceId}/config?target=${target}`, {
        key: harness.other.key,
      })
      expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } })
    }
  })
})
