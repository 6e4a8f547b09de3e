/** What a caller may write and what it gets, as the compiler sees it, and what the package brings along. */
import fs from 'node:fs'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { createClient, type Device, type OpenTunnel, type Operation, type Tunnel, type WebhookEvent } from './index.ts'

const culvert = createClient({ baseUrl: 'http://127.0.0.1:1', key: 'none', retries: 0 })
const deviceId = 'dev_1'

/** Never called: the compiler judges it. */
async function calls(): Promise<void> {
  const params = { path: { deviceId } }
  expectTypeOf(await culvert.post('/v1/devices', { body: { iccid: '1' } })).toEqualTypeOf<Device>()
  expectTypeOf(await culvert.get('/v1/devices/{deviceId}', { params })).toEqualTypeOf<Device>()
  expectTypeOf(await culvert.delete('/v1/devices/{deviceId}', { params })).toEqualTypeOf<undefined>()
  expectTypeOf(await culvert.delete('/v1/tunnels/{tunnelId}', { params: { path: { tunnelId: '' } } })).toEqualTypeOf<
    Tunnel | undefined
  >()
  expectTypeOf(await culvert.tunnels.open({ deviceId, port: 22 })).toEqualTypeOf<OpenTunnel>()
  expectTypeOf(await culvert.operations.wait('op_1')).toEqualTypeOf<Operation>()
  for await (const device of culvert.list('/v1/devices', { params: { query: { limit: 9 } } }))
    expectTypeOf(device).toEqualTypeOf<Device>()
  // @ts-expect-error a body is needed
  await culvert.post('/v1/devices')
  // @ts-expect-error there is no such field
  await culvert.post('/v1/devices', { body: { iccid: '1', colour: 'red' } })
  // @ts-expect-error there is no such path
  await culvert.get('/v1/colours')
  // @ts-expect-error it is read, not posted
  await culvert.post('/v1/organization')
  // @ts-expect-error it is no list
  culvert.list('/v1/organization')
}

describe('the SDK', () => {
  it('has the types of the API', () => {
    expect(calls).toBeInstanceOf(Function)
    const portOf = (event: WebhookEvent): number | undefined =>
      event.type === 'tunnel.opened' ? event.data.ports[0]?.port : undefined
    expectTypeOf(portOf).returns.toEqualTypeOf<number | undefined>()
  })

  it('uses nothing of Node but for webhooks, and no package but openapi-fetch', () => {
    const files = fs.readdirSync(import.meta.dirname).filter((file) => /^[a-z-]+\.ts$/.test(file))
    const imports = files.flatMap((file) =>
      [...fs.readFileSync(`${import.meta.dirname}/${file}`, 'utf8').matchAll(/ from '([^.'][^']*)'/g)].map(
        ([, name]) => `${file} ${name}`,
      ),
    )
    expect(imports.toSorted()).toEqual(['calls.ts openapi-fetch', 'client.ts openapi-fetch', 'webhooks.ts node:crypto'])
    const { dependencies } = JSON.parse(fs.readFileSync(`${import.meta.dirname}/../package.json`, 'utf8'))
    expect(Object.keys(dependencies as object)).toEqual(['openapi-fetch'])
  })
})
