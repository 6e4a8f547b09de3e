/**
 * strongSwan as a device with every transform and option it and we have in common, one attach after the other.
 *
 * Each row attaches, carries data both ways, rekeys Child and IKE SA, carries data again and deletes; both sides must name the
 * transforms of the row.
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { waitFor, type IkeSaReport } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { readAttachment, type AttachmentAnswer } from '../../support/fleet.ts'
import { firstMissing, noteOf } from '../../support/missing.ts'
import { passive, withProposals } from '../../support/swanctl-edit.ts'
import { childSpi, ikeSpi, openSwanScene, type SwanScene } from '../../support/swan-scene.ts'

const FILE_BYTES = 5 * 1024 * 1024
const FRAGMENT_BYTES = 300
const SERVICE_PREFIX6 = 'fd43:756c:7665:7f00::/64'

/** A row: IKE proposal and ESP proposal, as swanctl.conf writes them; the group in the ESP one is that of the rekey (PFS). */
const ROWS = [
  ['aes128gcm16-prfsha256-x25519', 'aes128gcm16'],
  ['aes256gcm16-prfsha384-ecp256', 'aes256gcm16-x25519'],
  ['chacha20poly1305-prfsha512-ecp384', 'chacha20poly1305'],
  ['aes128-sha256-prfsha256-ecp521', 'aes128-sha256'],
  ['aes256-sha384-prfsha384-modp2048', 'aes256-sha512'],
  ['aes256-sha512-prfsha512-modp3072', 'aes256-sha384-ecp256'],
  ['aes256gcm16-prfsha256-modp4096', 'aes128gcm16-ecp384'],
  ['aes128gcm16-prfsha512-x25519', 'chacha20poly1305-ecp521'],
  ['chacha20poly1305-prfsha256-x25519', 'aes128-sha256-modp2048'],
  ['aes128-sha384-prfsha256-ecp256', 'aes256-sha512-modp3072'],
  ['aes256-sha256-prfsha512-ecp384', 'aes256gcm16-modp4096'],
] as const

/** Other settings of the device, each changing its configuration and expecting what follows. */
const OPTIONS: readonly { title: string; edit: (conf: string) => string; log?: RegExp; notLog?: RegExp }[] = [
  {
    title: 'a first KE payload of a group that is not accepted (INVALID_KE_PAYLOAD)',
    edit: (conf) => withProposals(conf, 'aes256gcm16-prfsha256-modp1536-x25519', 'aes256gcm16'),
    log: /didn't accept \S+ group MODP_1536, it requested CURVE_25519/,
  },
  {
    title: 'remote_ts = 0.0.0.0/0, ::/0 is narrowed to the service prefixes',
    edit: (conf) => conf.replace(/remote_ts *= *.+/, 'remote_ts = 0.0.0.0/0, ::/0'),
  },
  {
    title: `messages in fragments of ${FRAGMENT_BYTES} bytes`,
    edit: (conf) => conf.replace('fragmentation = yes', 'fragmentation = force'),
    log: /splitting IKE message \(\d+ bytes\) into \d+ fragments/,
  },
  {
    title: 'no fragmentation',
    edit: (conf) => conf.replace('fragmentation = yes', 'fragmentation = no'),
    notLog: /splitting IKE message/,
  },
  { title: 'mobike = yes', edit: (conf) => conf.replace('fragmentation', 'mobike = yes\n    fragmentation') },
  { title: 'mobike = no', edit: (conf) => conf.replace('fragmentation', 'mobike = no\n    fragmentation') },
]

const missing = await firstMissing('strongswan', 'curl')

describe.skipIf(missing)(`every transform in common with strongSwan${noteOf(missing)}`, () => {
  let scene: SwanScene
  let hash: string

  beforeAll(async () => {
    scene = await openSwanScene({
      serverUrl: inject('databaseUrl'),
      redisUrl: inject('redisUrl'),
      fileBytes: FILE_BYTES,
      charon: { charon: `fragment_size = ${FRAGMENT_BYTES}\n  delete_rekeyed_delay = 1` },
    })
    hash = createHash('sha256').update(fs.readFileSync(scene.file)).digest('hex')
    await detach()
  })
  afterAll(() => scene?.close())

  it.each(ROWS)('%s with ESP %s', async (ike, esp) => {
    await attach((conf) => withProposals(conf, ike, esp))
    await expectNegotiated(ike, esp, null)
    await exercise(async () => expectNegotiated(ike, esp, keyExchangeOf(esp)))
  })

  it.each(OPTIONS)('$title', async ({ edit, log, notLog }) => {
    const before = scene.swan.log().length
    await attach(edit)
    const [ike] = await scene.swan.listSas()
    const { address4, address6 } = scene.device
    expect(ike?.children).toMatchObject([
      { remoteTs: ['10.127.0.0/24', SERVICE_PREFIX6], localTs: [`${address4}/32`, `${address6}/128`] },
    ])
    await exercise(async () => {})
    const story = scene.swan.log().slice(before)
    if (log) expect(story).toMatch(log)
    if (notLog) expect(story).not.toMatch(notLog)
  })

  it('several Child SAs: packets take the one whose selectors hold them', async () => {
    const { names } = scene
    await attach((conf) => secondChild(conf, names.child))
    await scene.swan.initiate({ child: 'second' })
    const sas = await scene.swan.listSas()
    expect(sas).toHaveLength(1)
    const children = sas[0]?.children.toSorted((one, other) => one.name.localeCompare(other.name)) ?? []
    expect(children.map(({ remoteTs }) => remoteTs)).toEqual([['10.127.0.0/25'], ['10.127.0.128/25']])
    await carry()
    const after = (await scene.swan.listSas())[0]?.children.find(({ name }) => name === 'second')
    expect(after).toMatchObject({ packetsIn: 0, packetsOut: 0 })
    await waitFor(async () => (await attachment()).ikeSas[0]?.childSas.length === 2, { message: 'both in the API' })
    await scene.swan.terminate({ child: 'second' })
    await waitFor(async () => (await attachment()).ikeSas[0]?.childSas.length === 1, { message: 'one in the API' })
    await carry()
    await detach()
  })

  it.each(['aes256gcm8', 'aes256gcm12'])('%s: a short ICV is refused, and nothing is attached', async (esp) => {
    await scene.swan.reload(passive(withProposals(scene.device.swanctlConf, 'aes256gcm16-prfsha256-x25519', esp)))
    await expect(scene.swan.initiate({ child: scene.names.child }, 5)).rejects.toThrow('NO_PROPOSAL_CHOSEN')
    expect((await scene.swan.listSas()).flatMap(({ children }) => children)).toEqual([])
    await inTheApi() // rows are written behind: detached could still be the state before
    await detach()
  })

  const attachment = (): Promise<AttachmentAnswer> => readAttachment(scene.culvert.acme, scene.device.id)

  async function attach(edit: (conf: string) => string): Promise<void> {
    await scene.swan.reload(passive(edit(scene.device.swanctlConf)))
    await scene.swan.initiate({ child: scene.names.child })
    await inTheApi()
  }

  /** Waits until the API shows the IKE SA and the Child SAs that strongSwan shows. */
  async function inTheApi(): Promise<void> {
    await waitFor(
      async () => {
        const sas = await scene.swan.listSas()
        const { state, ikeSas } = await attachment()
        const shown = ikeSas.flatMap(({ childSas }) => childSas.map(({ spiIn }) => spiIn)).toSorted()
        const installed = sas.flatMap(({ children }) => children.map(({ spiOut }) => spiOut)).toSorted()
        return state === 'attached' && ikeSas[0]?.spiI === ikeSpi(sas) && shown.join() === installed.join()
      },
      { message: 'the API to show the same SAs as strongSwan' },
    )
  }

  /** Data, both rekeys by the device, data again, and the end. */
  async function exercise(check: () => Promise<void>): Promise<void> {
    await carry()
    const before = await scene.swan.listSas()
    await scene.swan.rekey({ child: scene.names.child })
    await settled((sas) => childSpi(sas) !== childSpi(before))
    await scene.swan.rekey({ ike: scene.names.ike })
    await settled((sas) => ikeSpi(sas) !== ikeSpi(before))
    await inTheApi()
    await check()
    await carry()
    await detach()
  }

  async function settled(isNew: (sas: readonly IkeSaReport[]) => boolean): Promise<void> {
    await waitFor(
      async () => {
        const sas = await scene.swan.listSas()
        return sas.length === 1 && sas[0]?.children.length === 1 && isNew(sas)
      },
      { message: 'the rekey to be over' },
    )
  }

  async function carry(): Promise<void> {
    const copy = path.join(scene.folder, 'copy')
    expect(await scene.curl('--output', copy, scene.url('/file'))).toMatchObject({ code: 0, stderr: '' })
    expect(createHash('sha256').update(fs.readFileSync(copy)).digest('hex')).toBe(hash)
    const sent = await scene.curl('--upload-file', scene.file, scene.url('/'))
    expect(sent).toMatchObject({ code: 0, stdout: hash })
  }

  async function detach(): Promise<void> {
    await scene.swan.terminate({ ike: scene.names.ike })
    await waitFor(async () => (await attachment()).state === 'detached', { message: 'the device to be detached' })
    expect(await attachment()).toMatchObject({ ikeSas: [], detachReason: 'deletedByPeer' })
    expect(await scene.swan.listSas()).toEqual([])
  }

  /** @param pfs token of the group that made the Child SA's keys, null for the first one (RFC 7296 1.2) */
  async function expectNegotiated(ike: string, esp: string, pfs: string | null): Promise<void> {
    const wanted = parsed(ike)
    const wantedChild = parsed(esp)
    const [theirs] = await scene.swan.listSas()
    expect(theirs).toMatchObject(wanted)
    const { encryption, integrity } = wantedChild
    const keyExchange = pfs === null ? null : NAMES[pfs]
    expect(theirs?.children).toMatchObject([{ encryption, integrity, keyExchange }])
    const { ikeSas } = await attachment()
    expect(ikeSas).toMatchObject([ours(wanted)])
    expect(ikeSas[0]?.childSas).toMatchObject([{ ...ours({ encryption, integrity }), esn: false }])
  }
})

/** strongSwan's names for the words of its proposals. */
const NAMES: Readonly<Record<string, string>> = {
  aes128gcm16: 'AES_GCM_16-128',
  aes256gcm16: 'AES_GCM_16-256',
  chacha20poly1305: 'CHACHA20_POLY1305',
  aes128: 'AES_CBC-128',
  aes256: 'AES_CBC-256',
  sha256: 'HMAC_SHA2_256_128',
  sha384: 'HMAC_SHA2_384_192',
  sha512: 'HMAC_SHA2_512_256',
  prfsha256: 'PRF_HMAC_SHA2_256',
  prfsha384: 'PRF_HMAC_SHA2_384',
  prfsha512: 'PRF_HMAC_SHA2_512',
  x25519: 'CURVE_25519',
  ecp256: 'ECP_256',
  ecp384: 'ECP_384',
  ecp521: 'ECP_521',
  modp2048: 'MODP_2048',
  modp3072: 'MODP_3072',
  modp4096: 'MODP_4096',
}

interface Transforms {
  readonly encryption: string
  readonly integrity: string | null
  readonly prf?: string
  readonly keyExchange?: string
}

function parsed(proposal: string): Transforms {
  const [encryption = '', ...others] = proposal.split('-')
  const named = (test: RegExp): string | null => NAMES[others.find((word) => test.test(word)) ?? ''] ?? null
  const prf = named(/^prf/)
  const group = named(/^(x25519|ecp|modp)/)
  return {
    encryption: NAMES[encryption] ?? encryption,
    integrity: named(/^sha/),
    ...(prf ? { prf } : {}),
    ...(prf && group ? { keyExchange: group } : {}),
  }
}

/** The same transforms as the API names them. */
function ours({ encryption, integrity, prf, keyExchange }: Transforms): Record<string, string | null> {
  return {
    encryption: `ENCR_${encryption}`,
    integrity: integrity && `INTEG_${integrity}`,
    ...(prf ? { prf } : {}),
    ...(keyExchange ? { keyExchange: `KE_${keyExchange.replace('CURVE_', 'CURVE')}` } : {}),
  }
}

function keyExchangeOf(esp: string): string | null {
  return /(x25519|ecp\d+|modp\d+)$/.exec(esp)?.[0] ?? null
}

function secondChild(conf: string, first: string): string {
  const halved = conf.replace(/remote_ts *= *.+/, 'remote_ts = 10.127.0.0/25')
  const second = `second { remote_ts = 10.127.0.128/25
        esp_proposals = aes128gcm16 }`
  return halved.replace(new RegExp(`(children *\\{\\s*)(${first} *\\{)`), `$1${second}\n      $2`)
}
