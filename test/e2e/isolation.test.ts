import { peer } from '@culvert/testkit'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { openTunnel } from '../support/fleet.ts'
import { skipNote, swanMissing } from '../support/missing.ts'
import { openSwanScene, type SwanScene } from '../support/swan-scene.ts'

const DIAL_ADDRESS = '10.127.0.1'
const SCAN = path.join(import.meta.dirname, '../support/scan.ts')

describe.skipIf(swanMissing)(`what a device can reach${skipNote}`, () => {
  let scene: SwanScene

  beforeAll(async () => {
    scene = await openSwanScene({ serverUrl: inject('databaseUrl'), redisUrl: inject('redisUrl'), fileBytes: 1 })
  })
  afterAll(() => scene?.close())

  const scan = async (address: string, ports: string): Promise<unknown> => {
    const { stdout } = await scene.host.exec(process.execPath, [SCAN, scene.device.address4, address, ports], {
      timeoutMs: 120_000,
    })
    return JSON.parse(stdout)
  }

  it('the tunnel works, so silence below is not a dead path', async () => {
    expect((await scene.curl(scene.url('/'))).stdout).toContain('hello from the device')
  })

  it('no TCP port of the dial address answers, not even with a reset', async () => {
    expect(await scan(DIAL_ADDRESS, 'tcp:1-1024,3306,5432,6379,8080,20000-20100,40000')).toEqual([])
  })

  it('no UDP port answers, not even with an ICMP error', async () => {
    expect(await scan(DIAL_ADDRESS, 'udp:53,67,123,161,500,4500,5353,33434')).toEqual([])
  })

  it('an echo request is not answered', async () => {
    const { env } = await peer('ping')
    const ping = await scene.host.exec('ping', ['-c', '2', '-W', '1', '-I', scene.device.address4, DIAL_ADDRESS], {
      check: false,
      env,
    })
    expect(ping.code).not.toBe(0)
    expect(ping.stdout).toContain('100% packet loss')
  })

  it('other addresses of the service prefix are silent too', async () => {
    expect(await scan('10.127.0.2', 'tcp:22,80')).toEqual([])
  })

  it('a flow that Culvert opens still works after the scan', async () => {
    const tunnel = await openTunnel(scene.culvert.acme, scene.device.id, 8080)
    expect((await scene.curl(`http://${tunnel.host}:${tunnel.port}/`)).stdout).toContain('hello from the device')
  })
})
