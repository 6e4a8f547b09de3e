/**
 * tshark as an independent reader: with the keys our debug option writes it decrypts every IKE message two cores exchange, agrees
 * with each integrity check value, and finds the payloads we say we sent.
 */
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { decodeMessage, defaultEspSuites, defaultIkeSuites, type EndpointConfig } from '@culvert/ikev2'
import { ikeKeyLines } from '@culvert/ike-driver'
import { peer } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPair, initiate, type Pair } from '../../sim/pair.ts'
import { createClosings, type Closings } from '../../support/closings.ts'
import { firstMissing, noteOf } from '../../support/missing.ts'
import { pcapOf } from '../../support/pcap.ts'

const run = promisify(execFile)
const missing = await firstMissing('tshark')
const [aead, cbc] = defaultIkeSuites
if (aead === undefined || cbc === undefined) throw new Error('the defaults hold two suites')

describe.skipIf(missing)(`tshark reads what we write${noteOf(missing)}`, () => {
  let closings: Closings
  let folder: string
  beforeAll(async () => {
    closings = createClosings()
    folder = await closings.folder()
  })
  afterAll(() => closings.close())

  it.each([
    ['AES-GCM', { proposals: { ike: [aead] } }],
    ['AES-CBC with HMAC-SHA2', { proposals: { ike: [cbc] } }],
    ['AES-GCM in fragments', { proposals: { ike: [aead] }, fragmentBytes: 300 }],
  ] as const)('through attach, both rekeys and the end: %s', async (name, { proposals, ...config }) => {
    const pair = wholeLife({ ...config, exposeKeys: true }, proposals.ike)
    const datagrams = [...pair.device.sent, ...pair.concentrator.sent]
    const lines = pair.concentrator.eventsOf('ikeKeys').flatMap(({ keys }) => ikeKeyLines(keys))
    expect(lines).toHaveLength(2)
    const text = await dissect(name, pcapOf(datagrams), lines)
    expect(text).not.toMatch(/Malformed|\[incorrect|Decryption failed/)
    const sealed = datagrams.filter(({ bytes }) => {
      const decoded = decodeMessage(bytes)
      return decoded.ok && decoded.value.sealed !== null
    })
    expect(text.match(/\[correct\]/g)).toHaveLength(sealed.length)
  })

  async function dissect(name: string, pcap: Buffer, lines: readonly string[]): Promise<string> {
    const { env } = await peer('tshark')
    const place = path.join(folder, name.replaceAll(/\W/g, '-'))
    fs.mkdirSync(place)
    fs.writeFileSync(path.join(place, 'ikev2_decryption_table'), `${lines.join('\n')}\n`)
    fs.writeFileSync(path.join(place, 'capture.pcap'), pcap)
    const { stdout } = await run('tshark', ['-r', path.join(place, 'capture.pcap'), '-V'], {
      env: { ...env, WIRESHARK_CONFIG_DIR: place },
      maxBuffer: 64 << 20,
      timeout: 60_000,
    })
    return stdout
  }
})

function wholeLife(config: Partial<EndpointConfig>, ike: EndpointConfig['proposals']['ike']): Pair {
  const all = { ...config, proposals: { ike, esp: defaultEspSuites } }
  const pair = createPair({ device: all, concentrator: all })
  initiate(pair)
  pair.network.runUntil(() => pair.concentrator.children.size === 1)
  pair.network.run(1_000)
  const { key, child } = pair.device
  pair.device.command({ kind: 'rekeyChild', key, spiIn: child.spiIn })
  pair.network.run(5_000)
  pair.device.command({ kind: 'rekeyIke', key })
  pair.network.run(5_000)
  pair.concentrator.command({ kind: 'checkLiveness', key: pair.concentrator.key })
  pair.network.run(1_000)
  pair.device.command({ kind: 'deleteIke', key, reason: 'shutdown' })
  pair.network.run(5_000)
  return pair
}
