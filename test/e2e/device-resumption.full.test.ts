/**
 * A device of ours with a certificate and a required PPK: attaches, comes back with its ticket, and not once its credential is revoked.
 */
import fs from 'node:fs'
import path from 'node:path'
import { createLab, labMissing, waitFor, type LabProcess } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createClosings } from '../support/closings.ts'
import { readAttachment, waitAttached } from '../support/fleet.ts'
import { SERVER_ADDRESS, startInstallation, type Installation } from '../support/installation.ts'
import { provision, type Provisioned } from '../support/provision.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const missing = labMissing()

describe.skipIf(missing)(`a device with a certificate and a PPK${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const closings = createClosings()
  let culvert: Installation
  let device: Provisioned
  let simulated: LabProcess

  beforeAll(async () => {
    const folder = await closings.folder()
    const lab = await createLab()
    closings.add(() => lab.close())
    const servers = { serverUrl: inject('databaseUrl'), redisUrl: inject('redisUrl') }
    culvert = await startInstallation({ lab, ...servers, hasSigner: true })
    closings.add(() => culvert.stop())
    device = await provision(culvert.acme, 'roamer', { kind: 'certificate', ppk: 'required' })
    const put = (name: string, text = ''): string => {
      const file = path.join(folder, name)
      fs.writeFileSync(file, text, { mode: 0o600 })
      return file
    }
    const host = await lab.addHost('roamer', '192.0.2.11/24')
    simulated = host.spawn(process.execPath, ['--conditions=source', path.join(ROOT, 'apps/device-sim/src/main.ts')], {
      env: {
        ...process.env,
        DEVICE_REMOTE: SERVER_ADDRESS,
        DEVICE_REMOTE_IDENTITY: 'concentrator.fleet.culvert.internal',
        DEVICE_IDENTITY: device.ikeIdentity,
        DEVICE_CERTIFICATE_FILE: put('chain.pem', device.files['x509/culvert-device.pem']),
        DEVICE_KEY_FILE: put('key.pem', device.files['private/culvert-device.key']),
        DEVICE_CA_FILE: put('ca.pem', device.files['x509ca/culvert-ca.pem']),
        DEVICE_PPK_FILE: put('ppk', device.ppk?.secret),
        DEVICE_PPK_ID: device.ppk?.identity ?? '',
        DEVICE_PPK_REQUIRED: 'true',
      },
    })
    closings.add(() => simulated.stop())
  })
  afterAll(() => closings.close())

  const proofs = (): string[] =>
    [...culvert.output('concentrator').matchAll(/"proof":"(\w+)","msg":"device attached"/g)].map(
      ([, proof]) => proof ?? '',
    )

  it('attaches by its signature, and comes back with a ticket', async () => {
    await waitAttached(culvert.acme, device.id).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${simulated.output()}\n${culvert.output('concentrator')}`)
    })
    // What a process says may come after the row that it wrote.
    await waitFor(() => proofs().length === 1, { message: `its log: ${culvert.output('concentrator')}` })
    expect(proofs()).toEqual(['signature'])
    await culvert.acme('DELETE', `/v1/devices/${device.id}/attachment`)
    await waitFor(() => proofs().length === 2, {
      timeoutMs: 20_000,
      message: `it to come back: ${simulated.output()}`,
    })
    expect(proofs()).toEqual(['signature', 'ticket'])
    await waitAttached(culvert.acme, device.id)
  })

  it('RFC 5723 a ticket is worth nothing once its credential is revoked', async () => {
    await culvert.acme('DELETE', `/v1/devices/${device.id}/credentials/${device.credentialId}`)
    await waitFor(async () => (await readAttachment(culvert.acme, device.id)).state === 'detached', {
      message: 'it to be detached',
    })
    const failures = (): number => simulated.output().match(/"reason":"authenticationFailed"/g)?.length ?? 0
    await waitFor(() => failures() > 1, { timeoutMs: 20_000, message: `it to be refused: ${simulated.output()}` })
    expect(proofs()).toHaveLength(2)
    const attempts = await culvert.acme<{ data: { stage: string }[] }>('GET', `/v1/devices/${device.id}/attempts`)
    expect(attempts.body.data.map(({ stage }) => stage)).toContain('auth')
  })
})
