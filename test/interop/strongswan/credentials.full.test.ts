/**
 * Every kind of credential with every kind of cipher, behind a NAT and not, through the whole product: twelve strongSwan devices at
 * once, issued over REST, with data both ways while either end rekeys.
 *
 * ```
 *   server ── bridge ──┬── 6 devices
 *                      ╰── NAT 192.0.2.77 ── 6 devices
 * ```
 */
import { createHash, randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { createLab, type Lab, type Namespace, peer, startStrongswan, type Strongswan, waitFor } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createClosings } from '../../support/closings.ts'
import { openTunnel, readAttachment, registerDevice, startPage, type TunnelAnswer } from '../../support/fleet.ts'
import { startInstallation, type Installation } from '../../support/installation.ts'
import { firstMissing, noteOf } from '../../support/missing.ts'
import { provision, type Provisioned, type ProvisionOptions, startProvisioned } from '../../support/provision.ts'
import { childSpi, ikeSpi } from '../../support/swan-scene.ts'
import { passive, withProposals } from '../../support/swanctl-edit.ts'

const FILE_BYTES = 500_000
const DEVICE_PORT = 8080
const NAT_ADDRESS = '192.0.2.77'
/** Of the concentrator: each row waits for one of either. */
const CHILD_REKEY_SEC = 4
const IKE_REKEY_SEC = 6

const KINDS: readonly (ProvisionOptions & { readonly name: string; readonly proof: RegExp })[] = [
  { name: 'PSK', kind: 'psk', proof: /\(myself\) with pre-shared key/ },
  { name: 'ECDSA', kind: 'certificate', key: 'ecdsa-p256', proof: /\(myself\) with ECDSA_WITH_SHA256_DER/ },
  { name: 'Ed25519', kind: 'certificate', key: 'ed25519', proof: /\(myself\) with ED25519/ },
  { name: 'RSA', kind: 'certificate', key: 'rsa-2048', proof: /\(myself\) with RSA_EMSA_PKCS1_SHA2_256/ },
  { name: 'EAP-TLS', kind: 'eap-tls', proof: /EAP method EAP_TLS succeeded, MSK established/ },
  { name: 'EAP-MSCHAPv2', kind: 'eap-mschapv2', proof: /EAP method EAP_MSCHAPV2 succeeded, MSK established/ },
]

/** IKE and ESP proposals, and what strongSwan calls their cipher. */
const CIPHERS = [
  ['AES-GCM', 'aes256gcm16-prfsha384-ecp384', 'aes256gcm16-ecp384', 'AES_GCM_16-256'],
  ['ChaCha20', 'chacha20poly1305-prfsha256-x25519', 'chacha20poly1305-x25519', 'CHACHA20_POLY1305'],
  ['AES-CBC', 'aes256-sha256-prfsha256-modp2048', 'aes256-sha256-modp2048', 'AES_CBC-256'],
] as const

interface Member {
  readonly name: string
  readonly proof: RegExp
  readonly isBehindNat: boolean
  readonly device: Provisioned
  readonly swan: Strongswan
}

const missing = await firstMissing('strongswan', 'nftables', 'curl')

describe.skipIf(missing)(`every credential with every cipher${noteOf(missing)}`, () => {
  const closings = createClosings()
  const tunnels = new Map<string, TunnelAnswer>()
  let lab: Lab
  let culvert: Installation
  let members: readonly Member[]
  let hosts: ReadonlyMap<string, Namespace>
  let folder: string
  let file: string
  let hash: string
  let curlEnv: NodeJS.ProcessEnv

  beforeAll(async () => {
    folder = await closings.folder()
    file = path.join(folder, 'file')
    fs.writeFileSync(file, randomBytes(FILE_BYTES))
    hash = sha256Of(file)
    curlEnv = (await peer('curl')).env
    lab = await createLab()
    closings.add(() => lab.close())
    const env = {
      CONCENTRATOR_CHILD_REKEY_SEC: String(CHILD_REKEY_SEC),
      CONCENTRATOR_IKE_REKEY_SEC: String(IKE_REKEY_SEC),
    }
    const servers = { serverUrl: inject('databaseUrl'), redisUrl: inject('redisUrl') }
    culvert = await startInstallation({ lab, ...servers, hasSigner: true, env })
    closings.add(() => culvert.stop())
    const nat = await lab.addNat('nat', { outside: `${NAT_ADDRESS}/24`, inside: '192.168.77.1/24' })
    const places = [false, true].flatMap((isBehindNat) => KINDS.map((kind, index) => ({ isBehindNat, kind, index })))
    const found = new Map<string, Namespace>()
    members = await Promise.all(
      places.map(async ({ isBehindNat, kind: { name, proof, ...options }, index }) => {
        const label = `${isBehindNat ? 'n' : 'd'}${index}`
        const host = isBehindNat
          ? await nat.addHost(label, `192.168.77.${11 + index}/24`)
          : await lab.addHost(label, `192.0.2.${11 + index}/24`)
        const device = await provision(culvert.acme, `${name}-${label}`, { ...options, edit: passive })
        const swan = await startProvisioned(device, host, label, { charon: 'delete_rekeyed_delay = 1' })
        closings.add(() => swan.kill())
        found.set(device.id, host)
        return { name, proof, isBehindNat, device, swan }
      }),
    )
    hosts = found
  })
  afterAll(() => closings.close())

  it.each(CIPHERS)('%s: all attach, carry data and survive rekeys of both ends', async (_, ike, esp, encryption) => {
    const results = await Promise.allSettled(members.map((member) => live(member, { ike, esp, encryption })))
    const failures = results.flatMap((result, index) => {
      const { name, isBehindNat } = members[index] ?? {}
      return result.status === 'rejected' ? [`${name} ${isBehindNat ? 'behind NAT' : 'direct'}: ${result.reason}`] : []
    })
    expect(failures).toEqual([])
  })

  it('of two credentials each is good, and the end of one ends only what it began', async () => {
    const first = await registerDevice(culvert.acme, 'rotating')
    const credentials = `/v1/devices/${first.id}/credentials`
    const issued = await culvert.acme<{ id: string; swanctl: { secret: string } }>('POST', credentials, { kind: 'psk' })
    const second = first.swanctlConf.replaceAll(first.swanctlSecret, issued.body.swanctl.secret)
    const host = await lab.addHost('rotating', '192.0.2.90/24')
    const start = async (conf: string): Promise<Strongswan> => {
      const swan = await startStrongswan({ namespace: host, name: 'rotating', swanctlConf: passive(conf) })
      closings.add(() => swan.kill())
      return swan
    }
    const isAttached = async (): Promise<boolean> => (await readAttachment(culvert.acme, first.id)).state === 'attached'
    const old = await start(first.swanctlConf)
    await old.initiate({ child: 'culvert' })
    await waitFor(isAttached, { message: 'the device to be attached with its first secret' })
    await old.stop()
    const swan = await start(second)
    await swan.initiate({ child: 'culvert' })
    await waitFor(isAttached, { message: 'the device to be attached with its second secret' })
    expect((await culvert.acme('DELETE', `${credentials}/${first.credentialId}`)).status).toBeLessThan(300)
    const stranger = await lab.addHost('stranger', '192.0.2.91/24')
    const refused = await startStrongswan({ namespace: stranger, name: 'old', swanctlConf: passive(first.swanctlConf) })
    closings.add(() => refused.kill())
    await expect(refused.initiate({ child: 'culvert' })).rejects.toThrow('AUTHENTICATION_FAILED')
    await swan.rekey({ ike: 'culvert' })
    expect(await isAttached()).toBe(true)
    expect((await culvert.acme('DELETE', `${credentials}/${issued.body.id}`)).status).toBeLessThan(300)
    await waitFor(async () => !(await isAttached()), { message: 'the device to be detached' })
    await waitFor(() => /received DELETE for IKE_SA/.test(swan.log()), { message: 'strongSwan to hear of it' })
  })

  interface Row {
    readonly ike: string
    readonly esp: string
    readonly encryption: string
  }

  async function live(member: Member, { ike, esp, encryption }: Row): Promise<void> {
    const { swan, device, proof, isBehindNat } = member
    const begin = swan.log().length
    const story = (): string => swan.log().slice(begin)
    await swan.reload(withProposals(device.swanctlConf, ike, esp))
    await swan.initiate({ child: 'culvert' }, 20)
    await waitFor(async () => (await readAttachment(culvert.acme, device.id)).state === 'attached', {
      timeoutMs: 20_000,
      message: `${device.id} to be attached`,
    })
    expect(story()).toMatch(proof)
    const { remoteAddress } = await readAttachment(culvert.acme, device.id)
    expect(remoteAddress === NAT_ADDRESS).toBe(isBehindNat)
    const before = await swan.listSas()
    expect(before).toMatchObject([{ encryption, children: [{ encryption }] }])
    await carry(device)
    const carried = carry(device)
    await swan.rekey({ child: 'culvert' })
    await waitFor(async () => childSpi(await swan.listSas()) !== childSpi(before), { message: 'another Child SA' })
    await swan.rekey({ ike: 'culvert' })
    await carried
    await waitFor(() => THEIR_CHILD_REKEY.test(story()) && THEIR_IKE_REKEY.test(story()), {
      timeoutMs: 60_000,
      message: () => `rekeys of both SAs by the concentrator in\n${story()}`,
    })
    await carry(device)
    const after = await waitFor(async () => oneOf(await swan.listSas()), {
      message: async () =>
        `one IKE SA with one Child SA instead of ${JSON.stringify(await swan.listSas())}, which the concentrator knows as ${JSON.stringify(await readAttachment(culvert.acme, device.id))}, after\n${story()}`,
    })
    expect(ikeSpi(after)).not.toBe(ikeSpi(before))
    expect(after).toMatchObject([{ encryption, children: [{ encryption }] }])
    await swan.terminate({ ike: 'culvert' })
    await waitFor(async () => (await readAttachment(culvert.acme, device.id)).state === 'detached', {
      message: `${device.id} to be detached`,
    })
  }

  async function carry(device: Provisioned): Promise<void> {
    const { host, port } = await tunnelOf(device)
    const copy = path.join(folder, `copy-${device.id}`)
    const curl = async (...args: string[]): Promise<string> => {
      const bounded = ['--silent', '--show-error', '--max-time', '60', ...args, `http://${host}:${port}/file`]
      return (await culvert.customer.exec('curl', bounded, { env: curlEnv, timeoutMs: 70_000 })).stdout
    }
    await curl('--output', copy)
    expect(sha256Of(copy)).toBe(hash)
    expect(await curl('--upload-file', file)).toBe(hash)
  }

  /** The page and the tunnel outlive an attachment: the address stays the same. */
  async function tunnelOf({ id, address4 }: Provisioned): Promise<TunnelAnswer> {
    const known = tunnels.get(id)
    const host = hosts.get(id)
    if (known !== undefined || host === undefined) return known as TunnelAnswer
    await startPage(host, address4, DEVICE_PORT, file)
    const opened = await openTunnel(culvert.acme, id, DEVICE_PORT)
    tunnels.set(id, opened)
    return opened
  }
})

/** Requests of the concentrator as charon writes them. */
const THEIR_CHILD_REKEY = /parsed CREATE_CHILD_SA request \d+ \[ (?:N\(\S+\) )*N\(REKEY_SA\)/
const THEIR_IKE_REKEY = /parsed CREATE_CHILD_SA request \d+ \[ SA No KE \]/

function oneOf<T extends { readonly children: readonly unknown[] }>(sas: readonly T[]): readonly T[] | null {
  return sas.length === 1 && sas[0]?.children.length === 1 ? sas : null
}

function sha256Of(place: string): string {
  return createHash('sha256').update(fs.readFileSync(place)).digest('hex')
}
