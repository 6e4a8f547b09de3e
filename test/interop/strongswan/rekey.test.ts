import { waitFor } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { skipNote, swanMissing } from '../../support/missing.ts'
import { childSpi, ikeSpi, openSwanScene, type SwanScene } from '../../support/swan-scene.ts'

describe.skipIf(swanMissing)(`rekeys that the concentrator starts${skipNote}`, () => {
  let scene: SwanScene

  beforeAll(async () => {
    scene = await openSwanScene({
      serverUrl: inject('databaseUrl'),
      redisUrl: inject('redisUrl'),
      fileBytes: 20 * 1024 * 1024,
      env: {
        CONCENTRATOR_CHILD_REKEY_SEC: '3',
        CONCENTRATOR_IKE_REKEY_SEC: '7',
        CONCENTRATOR_DIAL_ADDRESS6: 'none',
      },
      edit: (conf) => conf.replaceAll(/rekey_time *= *\S+/g, 'rekey_time = 0'),
    })
  })
  afterAll(() => scene?.close())

  it('strongSwan lives with IPv4 alone where it asked for IPv6 as well and the concentrator has none', async () => {
    const { address4 } = scene.device
    const [ike] = await scene.swan.listSas()
    expect(ike).toMatchObject({ state: 'ESTABLISHED', localVips: [address4] })
    const child = ike?.children.find(({ state }) => state === 'INSTALLED')
    expect(child).toMatchObject({ remoteTs: ['10.127.0.0/24'], localTs: [`${address4}/32`] })
  })

  it('strongSwan follows rekeys of Child and IKE SA while traffic flows and a connection stays open', async () => {
    const slow = scene.culvert.customer.spawn('curl', ['--silent', '--no-buffer', scene.url('/slow')])
    await waitFor(() => slow.output().includes('still here'), { message: 'the slow answer' })
    const children = new Set<string>()
    const ikes = new Set<string>()
    await waitFor(
      async () => {
        expect(await scene.curl('--output', '/dev/null', scene.url('/file'))).toMatchObject({ code: 0 })
        const sas = await scene.swan.listSas()
        children.add(childSpi(sas))
        ikes.add(ikeSpi(sas))
        return children.size >= 4 && ikes.size >= 3
      },
      { timeoutMs: 60_000, message: 'four Child SAs and three IKE SAs in turn' },
    )
    expect(slow.output()).toBe('still here\n')
    await slow.stop()
    const sas = (await scene.swan.listSas()).filter((ike) => ike.state === 'ESTABLISHED')
    expect(sas).toHaveLength(1)
  })
})
