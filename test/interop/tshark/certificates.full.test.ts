/**
 * tshark reads what strongSwan and our responder say to each other with certificates, EAP and fragments: it opens every message
 * and every fragment, puts them together, and finds every checksum right.
 */
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { type LabProcess, peer, waitFor } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CoreScene, deviceConf, openCoreScene } from '../../support/core-scene.ts'
import { firstMissing, noteOf } from '../../support/missing.ts'
import type { ResponderOptions } from '../../support/responder-program.ts'

const run = promisify(execFile)
const FRAGMENT_BYTES = 500
const USER = 'one.user'
const PASSWORD = 'a password of a device'
const missing = await firstMissing('strongswan', 'openssl', 'tshark', 'tcpdump')

describe.skipIf(missing)(`tshark reads certificates and EAP in fragments${noteOf(missing)}`, () => {
  let scene: CoreScene
  beforeAll(async () => {
    scene = await openCoreScene()
  })
  afterAll(() => scene?.close())

  it.each([
    ['certificates', 'auth = pubkey\n certs = own.pem', undefined, 'Authentication Method: Digital Signature (14)'],
    [
      'EAP-TLS',
      'auth = eap-tls\n certs = own.pem\n eap_id = one.devices.example',
      { method: 'tls' },
      'Type: TLS EAP (EAP-TLS) (13)',
    ],
    [
      'EAP-MSCHAPv2',
      `auth = eap-mschapv2\n eap_id = ${USER}`,
      { method: 'mschapv2', user: USER, password: PASSWORD },
      'EAP-MS-CHAP-v2 OpCode: Success (3)',
    ],
  ] as const)('%s', async (_, local, eap, words) => {
    const pair = await scene.certified('rsa-2048')
    const options: ResponderOptions = {
      certificates: { ca: pair.ca.certificate, own: pair.concentrator },
      ...(eap && { eap }),
      config: { fragmentBytes: FRAGMENT_BYTES, exposeKeys: true },
    }
    const responder = await scene.respond(options)
    const secrets = `eap-one { id = ${USER}\n secret = "${PASSWORD}" }`
    await scene.strongswan(deviceConf({ local, remote: 'auth = pubkey', secrets }), {
      files: pair.files('device'),
      charon: `fragment_size = ${FRAGMENT_BYTES}`,
    })
    const place = fs.mkdtempSync(path.join(scene.folder, 'tshark-'))
    const capture = path.join(place, 'capture.pcap')
    const tcpdump = await listen(capture)
    await scene.swan.initiate({ child: 'net' })
    await responder.expectEvent('childEstablished')
    await scene.swan.rekey({ child: 'net' })
    await responder.expectEvent('childRekeyed')
    await scene.swan.rekey({ ike: 'one' })
    await responder.expectEvent('ikeRekeyed')
    await scene.swan.terminate({ ike: 'one' })
    await responder.expectEvent('closed')
    await tcpdump.stop('SIGINT')
    const keys = [...responder.output().matchAll(/^keys (.*)$/gm)].map(([, line]) => line)
    expect(keys).toHaveLength(2)
    fs.writeFileSync(path.join(place, 'ikev2_decryption_table'), `${keys.join('\n')}\n`)
    const text = await dissect(place, capture)
    expect(text).not.toMatch(/Malformed|\[incorrect|Decryption failed/)
    expect(text).toMatch(/Message fragment/)
    const sealed = text.match(
      /Payload: (?:Encrypted and Authenticated|Encrypted and Authenticated Fragment) \((?:46|53)\)/g,
    )
    expect(sealed?.length).toBeGreaterThan(10)
    expect(text.match(/\[correct\]/g)).toHaveLength(sealed?.length ?? 0)
    expect(text).toContain(words)
  })

  async function listen(capture: string): Promise<LabProcess> {
    const { env } = await peer('tcpdump')
    const filter = ['udp', 'port', '500', 'or', 'udp', 'port', '4500']
    const options = ['-i', 'eth0', '-Z', 'root', '-U', '--immediate-mode', '-s', '0', '-w', capture, ...filter]
    const tcpdump = scene.ours.spawn('tcpdump', options, { env })
    await waitFor(() => tcpdump.output().includes('listening on'), { message: 'tcpdump' })
    return tcpdump
  }

  async function dissect(place: string, capture: string): Promise<string> {
    const { env } = await peer('tshark')
    const options = { env: { ...env, WIRESHARK_CONFIG_DIR: place }, maxBuffer: 64 << 20, timeout: 60_000 }
    return (await run('tshark', ['-r', capture, '-V', '-Y', 'isakmp'], options)).stdout
  }
})
