/**
 * Another certificate authority takes the place of the one that devices rely on; strongSwan devices of both attach, the former one's
 * with RSA of 3072 bits. The keys of both lie sealed.
 */
import fs from 'node:fs'
import path from 'node:path'
import { createLab, type Lab, waitFor } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createClosings } from '../support/closings.ts'
import { waitAttached } from '../support/fleet.ts'
import { startInstallation, type Installation } from '../support/installation.ts'
import { firstMissing, noteOf } from '../support/missing.ts'
import { provision, startProvisioned } from '../support/provision.ts'

const missing = await firstMissing('strongswan')

describe.skipIf(missing)(`an authority in the place of another${noteOf(missing)}`, () => {
  const closings = createClosings()
  let lab: Lab
  let culvert: Installation
  let folder: string
  const file = (name: string): string => path.join(folder, name)

  beforeAll(async () => {
    folder = await closings.folder()
    fs.writeFileSync(file('passphrase'), 'a passphrase of more than 32 characters\n', { mode: 0o600 })
    fs.chmodSync(folder, 0o755)
    lab = await createLab()
    closings.add(() => lab.close())
    const env = { SIGNER_KEY_FILE: file('authority.pem'), SIGNER_PASSPHRASE_FILE: file('passphrase') }
    const servers = { serverUrl: inject('databaseUrl'), redisUrl: inject('redisUrl') }
    culvert = await startInstallation({ lab, ...servers, hasSigner: true, env })
    closings.add(() => culvert.stop())
  })
  afterAll(() => closings.close())

  const certificates = async (): Promise<number> => {
    const { rows } = await culvert.pool.query<{ certificates: string | null }>(
      `SELECT certificates FROM gateway_certificates WHERE issuance = 'issued' AND key_kind = 'rsa2048'`,
    )
    return rows[0]?.certificates?.match(/BEGIN CERTIFICATE/g)?.length ?? 0
  }

  it('lets devices of both attach, each shown a certificate that it can check', async () => {
    const old = await provision(culvert.acme, 'old', { kind: 'certificate', key: 'rsa-3072' })
    await culvert.restart('signer', {
      SIGNER_KEY_FILE: file('next.pem'),
      SIGNER_FORMER_KEY_FILE: file('authority.pem'),
    })
    await waitFor(() => fs.existsSync(file('next.pem')), { message: 'another authority', timeoutMs: 40_000 })
    for (const name of ['authority.pem', 'next.pem'])
      expect(fs.readFileSync(file(name), 'utf8')).toContain('BEGIN ENCRYPTED PRIVATE KEY')
    await waitFor(async () => (await certificates()) === 2, {
      message: 'the concentrator to be certified by both',
      timeoutMs: 150_000,
    })
    const young = await provision(culvert.acme, 'young', { kind: 'certificate' })
    const { rows } = await culvert.pool.query<{ certificate: string }>(
      'SELECT certificate FROM certificate_authorities ORDER BY created_at DESC',
    )
    const [next = '', former = ''] = rows.map(({ certificate }) => certificate)
    expect(rows).toHaveLength(2)
    const devices = [
      { device: old, authority: former },
      { device: young, authority: next },
    ]
    for (const [index, { device, authority }] of devices.entries()) {
      const host = await lab.addHost(`d${index}`, `192.0.2.${11 + index}/24`)
      const files = { ...device.files, 'x509ca/culvert-ca.pem': authority }
      const swan = await startProvisioned({ ...device, files }, host, `d${index}`)
      closings.add(() => swan.kill())
      await waitAttached(culvert.acme, device.id).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${swan.log()}`)
      })
    }
  })
})
