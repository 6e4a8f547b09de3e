/**
 * Devices with every kind of credential through the whole product: issued over REST, proven by strongSwan, revoked over REST.
 */
import { createLab, findPeer, labMissing, type Lab, type Strongswan, waitFor } from '@culvert/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { createClosings } from '../../support/closings.ts'
import { readAttachment, waitAttached } from '../../support/fleet.ts'
import { startInstallation, type Installation } from '../../support/installation.ts'
import { provision, startProvisioned, type Provisioned } from '../../support/provision.ts'
import { childSpi, ikeSpi } from '../../support/swan-scene.ts'

const missing = labMissing() ?? (await findPeer('strongswan')).reason

interface Attempt {
  readonly stage: string
  readonly reason: string
  readonly matchingTier: string | null
  readonly identified: string
}

describe.skipIf(missing)(`devices with every kind of credential${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const closings = createClosings()
  let culvert: Installation
  let lab: Lab
  let hosts = 10
  let swan: Strongswan | null = null

  beforeAll(async () => {
    lab = await createLab()
    closings.add(() => lab.close())
    const options = { lab, serverUrl: inject('databaseUrl'), redisUrl: inject('redisUrl'), hasSigner: true }
    culvert = await startInstallation(options)
    closings.add(() => culvert.stop())
  })
  afterEach(async () => {
    await swan?.stop()
    swan = null
  })
  afterAll(() => closings.close())

  async function start(device: Provisioned): Promise<Strongswan> {
    hosts++
    const host = await lab.addHost(`dev${hosts}`, `192.0.2.${hosts}/24`)
    swan = await startProvisioned(device, host, `dev${hosts}`)
    return swan
  }

  async function attach(device: Provisioned): Promise<Strongswan> {
    const started = await start(device)
    try {
      await waitAttached(culvert.acme, device.id)
    } catch (error) {
      throw new Error(`${String(error)}\n${started.log()}\n${culvert.output('concentrator')}`)
    }
    return started
  }

  /** What anybody may use is read again every few seconds. */
  function initiateUntilAttached(charon: Strongswan, { id }: Provisioned): Promise<unknown> {
    return waitFor(
      async () => {
        await charon.swanctl('--initiate', ['--child', 'culvert', '--timeout', '2'], { check: false })
        return (await readAttachment(culvert.acme, id)).state === 'attached'
      },
      { timeoutMs: 20_000, message: `${id} to be attached` },
    )
  }

  async function attemptsOf({ id }: Provisioned): Promise<readonly Attempt[]> {
    return (await culvert.acme<{ data: Attempt[] }>('GET', `/v1/devices/${id}/attempts`)).body.data ?? []
  }

  it.each([
    ['psk', {}],
    ['certificate', {}],
    ['eap-mschapv2', {}],
    ['eap-tls', {}],
    ['psk', { ppk: 'required' }],
    ['certificate', { ppk: 'required' }],
    ['eap-mschapv2', { ppk: 'required' }],
  ] as const)('%s %j: attaches, rekeys, and is gone once its credential is revoked', async (kind, more) => {
    const device = await provision(culvert.acme, `${kind}-${hosts}`, { kind, ...more })
    const charon = await attach(device)
    const [sa] = await charon.listSas()
    expect(sa).toMatchObject({ state: 'ESTABLISHED', children: [{ state: 'INSTALLED' }] })
    await charon.rekey({ child: sa?.children[0]?.name ?? '' })
    await settled(charon, (sas) => childSpi(sas) !== sa?.children[0]?.spiIn)
    await charon.rekey({ ike: sa?.name ?? '' })
    await settled(charon, (sas) => ikeSpi(sas) !== sa?.spiI)
    expect((await readAttachment(culvert.acme, device.id)).state).toBe('attached')
    const revoked = await culvert.acme('DELETE', `/v1/devices/${device.id}/credentials/${device.credentialId}`)
    expect(revoked.status).toBeLessThan(300)
    await waitFor(async () => (await readAttachment(culvert.acme, device.id)).state === 'detached', {
      message: `${kind} to be detached`,
    })
    await waitFor(() => /AUTH_FAILED|EAP_MSCHAPV2 failed|EAP_FAILURE/.test(charon.log()), {
      message: `${kind} to be refused when it comes back`,
    })
    expect((await readAttachment(culvert.acme, device.id)).state).toBe('detached')
  })

  it('a device that offers what only tier compat takes is refused, says why, and attaches once that is allowed', async () => {
    const old = (conf: string): string =>
      conf
        .replace(/\bproposals = .*/, 'proposals = aes256-sha1-prfsha1-modp1536')
        .replace(/\besp_proposals = .*/, 'esp_proposals = aes256-sha1')
    const device = await provision(culvert.acme, 'old', { kind: 'psk', edit: old })
    const other = await provision(culvert.acme, 'other', { kind: 'psk', proposalTiers: ['compat'], edit: old })
    await initiateUntilAttached(await start(other), other) // somebody may use compat now: who it is decides
    await swan?.stop()
    const charon = await start(device)
    await waitFor(async () => (await attemptsOf(device)).length > 0, { message: 'the attempt of an old device' })
    expect(await attemptsOf(device)).toMatchObject([
      { reason: 'no_proposal', matchingTier: 'compat', identified: 'proven' },
    ])
    await culvert.acme('PATCH', `/v1/devices/${device.id}`, { proposalTiers: ['compat'] })
    await initiateUntilAttached(charon, device)
    const [ike] = (await readAttachment(culvert.acme, device.id)).ikeSas
    expect(ike).toMatchObject({ integrity: expect.stringContaining('SHA1'), tier: 'compat' })
  })

  /** One IKE SA, and the rekey is over: the old Child SA may still receive. */
  async function settled(
    charon: Strongswan,
    isNew: (sas: Awaited<ReturnType<Strongswan['listSas']>>) => boolean,
  ): Promise<void> {
    await waitFor(
      async () => {
        const sas = await charon.listSas()
        return sas.length === 1 && isNew(sas)
      },
      { message: 'the rekey to be over' },
    )
  }
})
