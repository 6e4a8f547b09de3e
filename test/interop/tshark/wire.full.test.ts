/**
 * What really is on the wire between a strongSwan device and a concentrator, read by tshark with the keys of the debug option:
 * every IKE message decrypts, every ICV of IKE and ESP is right, before and after rekeys and a move of the device.
 */
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { peer, waitFor } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createClosings, type Closings } from '../../support/closings.ts'
import { readAttachment } from '../../support/fleet.ts'
import { firstMissing, noteOf } from '../../support/missing.ts'
import { childSpi, ikeSpi, openSwanScene, type SwanScene } from '../../support/swan-scene.ts'

const run = promisify(execFile)
const ELSEWHERE = '192.0.2.12'
const FIELDS = ['isakmp.exchangetype', 'esp.spi', 'esp.icv_good', 'esp.protocol', 'ip.src']
const missing = await firstMissing('strongswan', 'curl', 'tshark', 'tcpdump')

describe.skipIf(missing)(`tshark on the wire between a device and a concentrator${noteOf(missing)}`, () => {
  let closings: Closings
  let scene: SwanScene
  let keys: string

  beforeAll(async () => {
    closings = createClosings()
    keys = path.join(await closings.folder(), 'keys')
    scene = await openSwanScene({
      serverUrl: inject('databaseUrl'),
      redisUrl: inject('redisUrl'),
      fileBytes: 200_000,
      edit: (conf) =>
        conf
          .replace(/^(\s*)proposals *= *.*$/m, '$1proposals = aes256gcm16-prfsha256-x25519')
          .replace(/^(\s*)esp_proposals *= *.*$/m, '$1esp_proposals = aes256gcm16'),
      env: { CONCENTRATOR_KEY_LOG_FOLDER: keys },
    })
    closings.add(() => scene.close())
  })
  afterAll(() => closings?.close())

  it('agrees with every message and every ICV, through rekeys of both SAs and another address of the device', async () => {
    // Else a train of datagrams crosses the veth as one, and the capture shows it so.
    await scene.culvert.server.ip('link', 'set', 'eth0', 'gso_max_segs', '1')
    const capture = path.join(scene.folder, 'wire.pcap')
    const { env } = await peer('tcpdump')
    const filter = ['udp', 'port', '500', 'or', 'udp', 'port', '4500']
    const tcpdump = scene.host.spawn(
      'tcpdump',
      ['-i', 'any', '-Z', 'root', '-U', '--immediate-mode', '-s', '0', '-w', capture, ...filter],
      { env },
    )
    await waitFor(() => tcpdump.output().includes('listening on'), { message: 'tcpdump' }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${tcpdump.output()}`)
    })
    await carry()
    const before = await scene.swan.listSas()
    await scene.swan.rekey({ child: scene.names.child })
    await settled((sas) => childSpi(sas) !== childSpi(before))
    await scene.swan.rekey({ ike: scene.names.ike })
    await settled((sas) => ikeSpi(sas) !== ikeSpi(before))
    await scene.host.ip('addr', 'del', '192.0.2.11/24', 'dev', 'eth0')
    await scene.host.ip('addr', 'add', `${ELSEWHERE}/24`, 'dev', 'eth0')
    const attachment = (): ReturnType<typeof readAttachment> => readAttachment(scene.culvert.acme, scene.device.id)
    await waitFor(async () => (await attachment()).remoteAddress === ELSEWHERE, { message: 'the device elsewhere' })
    await settled((sas) => sas[0]?.localHost === ELSEWHERE)
    await carry()
    const last = Buffer.from(childSpi(await scene.swan.listSas()), 'hex')
    await waitFor(() => fs.readFileSync(capture).includes(last), { message: 'the capture to hold the last SA' })
    await tcpdump.stop('SIGINT')
    const frames = await dissect(capture)
    const esp = frames.filter(([, spi]) => spi !== '')
    const ike = frames.filter(([exchange]) => exchange !== '')
    expect(esp.length).toBeGreaterThan(100)
    expect(esp.filter(([, , good]) => good !== '1' && good !== 'True')).toEqual([])
    expect(new Set(esp.map(([, , , protocol]) => protocol))).toEqual(new Set(['0x04']))
    expect(new Set(esp.map(([, spi]) => spi)).size).toBeGreaterThanOrEqual(4)
    expect(new Set(ike.map(([exchange]) => exchange))).toEqual(new Set(['36', '37']))
    const text = await tshark(capture, ['-V', '-Y', 'isakmp'])
    expect(text).not.toMatch(/Malformed|\[incorrect/)
    expect(text.match(/\[correct\]/g)).toHaveLength(ike.length)
    for (const word of ['UPDATE_SA_ADDRESSES', 'COOKIE2', 'NAT_DETECTION_DESTINATION_IP']) expect(text).toContain(word)
    expect(text).toMatch(/(NO_ADDITIONAL_ADDRESSES|ADDITIONAL_IP4_ADDRESS)/)
  })

  async function carry(): Promise<void> {
    expect(await scene.curl('--output', '/dev/null', scene.url('/file'))).toMatchObject({ code: 0 })
  }

  async function settled(isNew: (sas: Awaited<ReturnType<SwanScene['swan']['listSas']>>) => boolean): Promise<void> {
    await waitFor(
      async () => {
        const sas = await scene.swan.listSas()
        return sas.length === 1 && sas[0]?.children.length === 1 && isNew(sas)
      },
      { message: 'the rekey to be over' },
    )
  }

  async function dissect(capture: string): Promise<string[][]> {
    const fields = FIELDS.flatMap((field) => ['-e', field])
    const text = await tshark(capture, ['-Y', 'isakmp or esp', '-T', 'fields', ...fields])
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split('\t'))
  }

  async function tshark(capture: string, args: readonly string[]): Promise<string> {
    const { env } = await peer('tshark')
    const decode = ['esp.enable_encryption_decode:TRUE', 'esp.enable_authentication_check:TRUE']
    const options = decode.flatMap((option) => ['-o', option])
    const { stdout } = await run('tshark', ['-r', capture, ...options, ...args], {
      env: { ...env, WIRESHARK_CONFIG_DIR: keys },
      maxBuffer: 64 << 20,
      timeout: 60_000,
    })
    return stdout
  }
})
