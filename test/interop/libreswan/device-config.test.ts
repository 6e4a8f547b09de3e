/**
 * The configuration that the API gives for libreswan, loaded by the real pluto as it is: with its secret it attaches by itself.
 * IKE only, as in psk.test.ts.
 */
import { markers, renderConfig, usualTiming, type DeviceConfigModel } from '@culvert/device-config'
import { createLab, type Lab, type LabProcess, type Libreswan, startLibreswan, waitFor } from '@culvert/testkit'
import fs from 'node:fs'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createClosings, type Closings } from '../../support/closings.ts'
import { firstMissing, noteOf } from '../../support/missing.ts'
import { createOpensslCa } from '../../support/openssl-ca.ts'
import type { ResponderOptions } from '../../support/responder-program.ts'

const SECRET = 'k7Qd0vZtL2mXr8WpYc5NhA"\'$(reboot)'
const CONCENTRATOR = '192.0.2.1'
const DEVICE = '192.0.2.11'
const IDENTITY = 'one.devices.example'
const missing = await firstMissing('libreswan', 'openssl')

const model = (changes: Partial<DeviceConfigModel>): DeviceConfigModel => ({
  device: {
    id: 'dev_aaaaaaaaaaaaaaaaaaaa',
    name: 'Pump\n conn evil\n  auto=start\n# @x @y : PSK "z"',
    tags: ['include /etc/passwd'],
  },
  uuid: '6f1c2b1e-98a4-8d1e-8c55-0b6f3f6b7a10',
  concentrator: { addresses: [CONCENTRATOR], identity: 'concentrator.example' },
  identity: IDENTITY,
  proof: { kind: 'psk' },
  ppk: null,
  tiers: ['modern', 'standard'],
  asksFor: { ip4: true, ip6: true },
  remotePrefixes: ['10.127.0.0/24', 'fd7f::/64'],
  lanPrefixes: ['192.168.1.0/24'],
  authorities: [],
  timing: usualTiming,
  mobike: true,
  secrets: {},
  ...changes,
})

function configOf(changes: Partial<DeviceConfigModel>): string {
  const rendered = renderConfig('libreswan', model(changes))
  if (!rendered.ok) throw new Error(rendered.reason)
  return rendered.text
}

/** As the head of the file says: the lines for the secrets, without the comment sign. */
const secretsOf = (config: string): string => config.match(/(?<=^# )@.*$/gm)?.join('\n') ?? ''

describe.skipIf(missing)(`libreswan with the configuration of the API${noteOf(missing)}`, () => {
  let closings: Closings
  let lab: Lab
  let responder: LabProcess | null = null
  let pluto: Libreswan | null = null
  let hosts = 0

  beforeAll(async () => {
    lab = await createLab()
  })
  afterEach(async () => {
    await pluto?.stop()
    await responder?.stop()
    await closings?.close()
    pluto = null
    responder = null
  })
  afterAll(() => lab?.close())

  async function attach(
    config: string,
    options: ResponderOptions,
    peer: Partial<Parameters<typeof startLibreswan>[0]>,
  ) {
    hosts++
    const near = await lab.addHost(`responder${hosts}`, `${CONCENTRATOR}/24`)
    const device = await lab.addHost(`device${hosts}`, `${DEVICE}/24`)
    await device.ip('route', 'add', 'default', 'via', CONCENTRATOR)
    const program = path.join(import.meta.dirname, '../../support/responder-program.ts')
    const arguments_ = ['--conditions=source', program, CONCENTRATOR, JSON.stringify(options)]
    const ours = near.spawn(process.execPath, arguments_)
    responder = ours
    await waitFor(() => ours.output().includes('"ready"'), { message: 'our responder' })
    const theirs = await startLibreswan({
      namespace: device,
      name: `device${hosts}`,
      address: DEVICE,
      connections: config,
      secrets: secretsOf(config),
      ...peer,
    })
    pluto = theirs
    const isUp = () => ours.output().includes('"established"') && theirs.log().includes('10.128.0.10')
    await waitFor(isUp, { message: 'the exchange' }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${ours.output()}\n${theirs.log().split('\n').slice(-25).join('\n')}`)
    })
    expect(theirs.log()).not.toContain('evil')
    return ours.output()
  }

  it('attaches with a shared key, once the marker is replaced', async () => {
    closings = createClosings()
    const config = configOf({})
    expect(secretsOf(config)).toContain(markers.psk)
    const hex = Buffer.from(SECRET).toString('hex')
    const output = await attach(config.replaceAll(markers.psk, `0x${hex}`), { secret: SECRET }, {})
    expect(output).toContain(`"subject":"${IDENTITY}"`)
    expect(configOf({ secrets: { psk: SECRET } })).toContain(`: PSK 0x${hex}`)
  })

  it('attaches with a shared key and a post-quantum key that is required', async () => {
    closings = createClosings()
    const ppk = { name: 'abcdefgh.ppk', secret: 'Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE', isRequired: true }
    const secrets = { psk: SECRET, ppk: ppk.secret }
    const config = configOf({ secrets, ppk: { identity: ppk.name, isRequired: true } })
    const output = await attach(config, { secret: SECRET, ppk, config: { features: { ppk: true } } }, {})
    expect(output).not.toContain('attemptFailed')
  })

  it.each(['rsa-2048', 'ecdsa-p256'] as const)('attaches with a certificate on %s', async (kind) => {
    closings = createClosings()
    const ca = await createOpensslCa(await closings.folder())
    const own = await ca.issue('concentrator.example', kind)
    const device = await ca.issue(IDENTITY, kind)
    const output = await attach(
      configOf({ proof: { kind: 'certificate', key: kind === 'rsa-2048' ? 'rsa' : 'ecdsa' } }),
      { certificates: { ca: ca.certificate, own } },
      {
        pkcs12: [await ca.pkcs12(device, 'culvert-device')],
        trusted: { ca: fs.readFileSync(ca.certificate, 'utf8') },
      },
    )
    expect(output).toContain('"credential":"crd_certificate"')
  })

  it.each([['modern'], ['standard'], ['compat']] as const)('is loaded with the proposals of %s alone', async (tier) => {
    closings = createClosings()
    hosts++
    const device = await lab.addHost(`device${hosts}`, `${DEVICE}/24`)
    await device.ip('route', 'add', 'default', 'via', CONCENTRATOR)
    const connections = configOf({ tiers: [tier] })
    pluto = await startLibreswan({ namespace: device, name: `device${hosts}`, address: DEVICE, connections })
    expect(pluto.log()).toContain('"culvert": added')
  })
})
