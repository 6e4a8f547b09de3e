/**
 * A device with a certificate that OpenSSL's authority made long before it came to us: registered over REST, proven by strongSwan,
 * revoked by the authority's own list, and with the authority itself.
 */
import fs from 'node:fs'
import path from 'node:path'
import { createLab, findPeer, labMissing, type Lab, type Strongswan, waitFor } from '@culvert/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { createClosings } from '../../support/closings.ts'
import { readAttachment, waitAttached } from '../../support/fleet.ts'
import { startInstallation, type Api, type Installation } from '../../support/installation.ts'
import { createOpensslCa, type IssuedCertificate, type OpensslCa } from '../../support/openssl-ca.ts'
import { provision, startProvisioned, type Provisioned } from '../../support/provision.ts'

/** Where the authority of OpenSSL publishes its list. */
const LIST_HOST = '192.0.2.200:8081'

interface Revocation {
  readonly number: string | null
  readonly revokedCount: number
  readonly fetchedAt: string | null
  readonly fault: string | null
}

const missing = labMissing() ?? (await findPeer('strongswan')).reason ?? (await findPeer('openssl')).reason

describe.skipIf(missing)(
  `devices with certificates of other authorities${missing ? ` (skipped: ${missing})` : ''}`,
  () => {
    const closings = createClosings()
    let culvert: Installation
    let lab: Lab
    let ca: OpensslCa
    let authorityId: string
    /** What the authority publishes. */
    let list: string
    let lists = 0
    let hosts = 10
    let swan: Strongswan | null = null

    beforeAll(async () => {
      lab = await createLab()
      closings.add(() => lab.close())
      culvert = await startInstallation({
        lab,
        serverUrl: inject('databaseUrl'),
        redisUrl: inject('redisUrl'),
        hasSigner: true,
        env: { CRL_HOSTS: LIST_HOST, EGRESS_ALLOW: '192.0.2.0/24' },
      })
      closings.add(() => culvert.stop())
      const folder = await closings.folder()
      ca = await createOpensslCa(folder)
      list = path.join(folder, 'published.crl')
      fs.writeFileSync(list, await ca.revoke())
      await publish()
      authorityId = await register(culvert.acme)
    })
    afterEach(async () => {
      await swan?.stop()
      swan = null
    })
    afterAll(() => closings.close())

    async function register(api: Api): Promise<string> {
      const certificate = fs.readFileSync(ca.certificate, 'utf8')
      const made = await api<{ id: string }>('POST', '/v1/device-authorities', { name: 'Factory', certificate })
      if (made.status !== 201) throw new Error(made.text)
      return made.body.id
    }

    async function publish(): Promise<void> {
      const [address, port] = LIST_HOST.split(':')
      const serve = `require('http').createServer((_, answer) => answer.end(require('fs').readFileSync('${list}')))`
      const program = `${serve}.listen(${port}, '${address}', () => console.log('published'))`
      const server = culvert.customer.spawn(process.execPath, ['-e', program])
      closings.add(() => server.stop())
      await waitFor(() => server.output().includes('published'), { message: `the list: ${server.output()}` })
    }

    async function made(
      name: string,
      issued: Promise<IssuedCertificate> = ca.issue(`${name}.factory.example`, 'ecdsa-p256'),
    ): Promise<Provisioned> {
      const files = await issued
      const [certificate, key] = [fs.readFileSync(files.certificate, 'utf8'), fs.readFileSync(files.key, 'utf8')]
      return provision(culvert.acme, name, { kind: 'certificate', foreign: { authorityId, certificate, key } })
    }

    async function start(device: Provisioned): Promise<Strongswan> {
      hosts++
      const host = await lab.addHost(`dev${hosts}`, `192.0.2.${hosts}/24`)
      swan = await startProvisioned(device, host, `dev${hosts}`)
      return swan
    }

    async function attach(device: Provisioned): Promise<Strongswan> {
      const charon = await start(device)
      try {
        await waitAttached(culvert.acme, device.id)
      } catch (error) {
        throw new Error(`${String(error)}\n${charon.log()}\n${culvert.output('concentrator')}`)
      }
      return charon
    }

    async function goneAndRefused(device: Provisioned, charon: Strongswan): Promise<void> {
      const isDetached = async (): Promise<boolean> =>
        (await readAttachment(culvert.acme, device.id)).state === 'detached'
      await waitFor(isDetached, { message: `${device.id} to be detached` })
      await waitFor(() => charon.log().includes('AUTH_FAILED'), {
        message: 'the device to be refused when it comes back',
      })
      expect(await isDetached()).toBe(true)
    }

    it('RFC 7296 3.5: attaches by a certificate that does not name its identity, and is gone with the credential', async () => {
      const device = await made('one')
      const charon = await attach(device)
      expect(charon.log()).toContain(`authentication of '${device.ikeIdentity}' (myself)`)
      await culvert.acme('DELETE', `/v1/devices/${device.id}/credentials/${device.credentialId}`)
      await goneAndRefused(device, charon)
    })

    it('another organization with the same authority and the same name has another device', async () => {
      const device = await made('two')
      const theirs = await register(culvert.globex)
      expect(theirs).not.toBe(authorityId)
      const issued = await ca.issue('thief.factory.example', 'ecdsa-p256')
      const [certificate, key] = [fs.readFileSync(issued.certificate, 'utf8'), fs.readFileSync(issued.key, 'utf8')]
      const foreign = { authorityId: theirs, certificate, key }
      const thief = await provision(culvert.globex, 'thief', { kind: 'certificate', foreign })
      const disguised = thief.swanctlConf.replaceAll(thief.ikeIdentity, device.ikeIdentity)
      const charon = await start({ ...thief, swanctlConf: disguised })
      await waitFor(() => charon.log().includes('AUTH_FAILED'), { message: 'the device of another to be refused' })
      expect((await readAttachment(culvert.acme, device.id)).state).not.toBe('attached')
      await swan?.stop()
      await attach(device)
    })

    /** Has its list fetched now. */
    async function useList(mode: 'soft' | 'hard'): Promise<Revocation> {
      // One that was asked for a moment ago is not asked for again: it is another place each time.
      const url = `http://${LIST_HOST}/${lists++}`
      const before = (await revocation()).fetchedAt
      // As if the last look had been a while ago.
      await culvert.pool.query('UPDATE device_authorities SET crl_looked_at = NULL WHERE id = $1', [authorityId])
      const changed = await culvert.acme('PATCH', `/v1/device-authorities/${authorityId}`, {
        revocation: { mode, url },
      })
      if (changed.status !== 200) throw new Error(changed.text)
      const isFetched = async (): Promise<boolean> => (await revocation()).fetchedAt !== before
      await waitFor(isFetched, { timeoutMs: 30_000, message: 'the list to be fetched' }).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${culvert.output('worker')}`)
      })
      return revocation()
    }

    async function revocation(): Promise<Revocation> {
      const read = await culvert.acme<{ revocation: Revocation }>('GET', `/v1/device-authorities/${authorityId}`)
      return read.body.revocation
    }

    it('C31 RFC 5280 5: is gone while attached once the list of its authority names its certificate; another one stays', async () => {
      const issued = ca.issue('four.factory.example', 'ecdsa-p256')
      const [device, other] = [await made('four', issued), await made('five')]
      const stays = await attach(other)
      try {
        const charon = await attach(device)
        expect(await useList('soft')).toMatchObject({ fault: null, number: '1', revokedCount: 0 })
        expect((await readAttachment(culvert.acme, device.id)).state).toBe('attached')
        fs.writeFileSync(list, await ca.revoke(await issued))
        expect(await useList('hard')).toMatchObject({ fault: null, number: '2', revokedCount: 1 })
        await goneAndRefused(device, charon)
        expect((await readAttachment(culvert.acme, other.id)).state).toBe('attached')
        const again = await culvert.acme<{ code: string }>('POST', `/v1/devices/${device.id}/credentials`, {
          kind: 'certificate',
          authorityId,
          certificate: fs.readFileSync((await issued).certificate, 'utf8'),
        })
        expect(again.body.code).toBe('certificate_refused')
        // As if its host had been silent since.
        await culvert.pool.query('UPDATE device_authorities SET crl_next_update = now() WHERE id = $1', [authorityId])
        await goneAndRefused(other, stays)
      } finally {
        await stays.stop()
        const revocation = { mode: 'off' }
        await culvert.acme('PATCH', `/v1/device-authorities/${authorityId}`, { revocation })
      }
    })

    it('is gone at once with its authority, which people hear when it comes again; who has another credential stays', async () => {
      const device = await made('three')
      const other = await provision(culvert.acme, 'six', { kind: 'psk' })
      const stays = await attach(other)
      try {
        const charon = await attach(device)
        expect((await culvert.acme('DELETE', `/v1/device-authorities/${authorityId}`)).status).toBe(204)
        await goneAndRefused(device, charon)
        expect((await readAttachment(culvert.acme, other.id)).state).toBe('attached')
      } finally {
        await stays.stop()
      }
      const why = async (): Promise<object | undefined> =>
        (await culvert.acme<{ data: object[] }>('GET', `/v1/devices/${device.id}/attempts`)).body.data[0]
      await waitFor(async () => (await why()) !== undefined, { message: 'the attempt to be told' })
      expect(await why()).toMatchObject({
        reason: 'credential_revoked',
        detail: 'the authority of its certificate was deleted',
      })
      authorityId = await register(culvert.acme)
    })
  },
)
