/**
 * strongSwan as a device that has IPv6 alone inside its tunnel: everything that reaches it goes over IPv6, through rekeys.
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { peer, waitFor } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { readAttachment } from '../../support/fleet.ts'
import { skipNote, swanMissing } from '../../support/missing.ts'
import { childSpi, openSwanScene, type SwanScene } from '../../support/swan-scene.ts'

const DIAL_ADDRESS6 = 'fd43:756c:7665:7f00::1'
const SERVICE_PREFIX6 = 'fd43:756c:7665:7f00::/64'
const SCAN = path.join(import.meta.dirname, '../../support/scan.ts')

describe.skipIf(swanMissing)(`a device with IPv6 alone inside${skipNote}`, () => {
  let scene: SwanScene

  beforeAll(async () => {
    scene = await openSwanScene({
      serverUrl: inject('databaseUrl'),
      redisUrl: inject('redisUrl'),
      fileBytes: 20 * 1024 * 1024,
      page: 'address6',
      env: { CONCENTRATOR_CHILD_REKEY_SEC: '3' },
      edit: (conf) => conf.replace(/vips *= *.+/, 'vips = ::').replaceAll(/rekey_time *= *\S+/g, 'rekey_time = 0'),
    })
  })
  afterAll(() => scene?.close())

  const ping = async (from: 'device' | 'gateway'): Promise<string> => {
    const { env } = await peer('ping')
    const { address6 } = scene.device
    const [namespace, source, target] =
      from === 'gateway' ? [scene.culvert.tun, DIAL_ADDRESS6, address6] : [scene.host, address6, DIAL_ADDRESS6]
    const words = ['-6', '-c', '3', '-i', '0.2', '-W', '1', '-s', '1300', '-I', source, target]
    return (await namespace.exec('ping', words, { check: false, env })).stdout
  }

  it('RFC 7296 3.15.1: leases the stable IPv6 address with INTERNAL_IP6_ADDRESS, and selectors of that family alone', async () => {
    const { address6, id } = scene.device
    const [ike] = await scene.swan.listSas()
    expect(ike).toMatchObject({ state: 'ESTABLISHED', localVips: [address6] })
    const [child] = ike?.children.filter(({ state }) => state === 'INSTALLED') ?? []
    expect(child).toMatchObject({ remoteTs: [SERVICE_PREFIX6], localTs: [`${address6}/128`] })
    expect(await readAttachment(scene.culvert.acme, id)).toMatchObject({
      address: null,
      address6,
      ikeSas: [
        {
          childSas: expect.arrayContaining([
            expect.objectContaining({ selectorsLocal: [SERVICE_PREFIX6], selectorsRemote: [`${address6}/128`] }),
          ]),
        },
      ],
    })
  })

  it('answers pings over IPv6, and gets no answer to its own', async () => {
    expect(await ping('gateway')).toContain(' 0% packet loss')
    expect(await ping('device')).toContain('100% packet loss')
    const { stdout } = await scene.host.exec(process.execPath, [
      SCAN,
      scene.device.address6,
      DIAL_ADDRESS6,
      'tcp:1-200',
    ])
    expect(JSON.parse(stdout)).toEqual([])
  })

  it('answers curl through a tunnel opened with one call, over rekeys under traffic', async () => {
    expect((await scene.curl(scene.url('/'))).stdout).toBe(`hello from the device at ${scene.device.address6}\n`)
    const expected = createHash('sha256').update(fs.readFileSync(scene.file)).digest('hex')
    const copy = path.join(scene.folder, 'copy')
    const children = new Set<string>()
    await waitFor(
      async () => {
        children.add(childSpi(await scene.swan.listSas()))
        expect(await scene.curl('--output', copy, scene.url('/file'))).toMatchObject({ code: 0 })
        expect(createHash('sha256').update(fs.readFileSync(copy)).digest('hex')).toBe(expected)
        expect(await scene.curl('--upload-file', scene.file, scene.url('/'))).toMatchObject({ stdout: expected })
        return children.size >= 3
      },
      { timeoutMs: 60_000, message: 'three Child SAs in turn' },
    )
  })
})
