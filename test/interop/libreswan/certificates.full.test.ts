/**
 * libreswan as a device with a certificate of a CA made by OpenSSL: both ends prove themselves with digital signatures.
 */
import { createLab, type Lab, type Libreswan, type LabProcess, startLibreswan, waitFor } from '@culvert/testkit'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createClosings, type Closings } from '../../support/closings.ts'
import { firstMissing, noteOf } from '../../support/missing.ts'
import { createOpensslCa, type OpensslKey } from '../../support/openssl-ca.ts'
import type { ResponderOptions } from '../../support/responder-program.ts'

const CONCENTRATOR = '192.0.2.1'
const DEVICE = '192.0.2.11'
const KINDS: readonly OpensslKey[] = ['rsa-2048', 'ecdsa-p256', 'ecdsa-p384']
const missing = await firstMissing('libreswan', 'openssl')

describe.skipIf(missing)(`libreswan with a certificate${noteOf(missing)}`, () => {
  let closings: Closings
  let lab: Lab
  beforeEach(async () => {
    closings = createClosings()
    lab = await createLab()
    closings.add(() => lab.close())
  })
  afterEach(() => closings.close())

  it.each(KINDS)('authenticates with %s and checks our signature', async (kind) => {
    const ca = await createOpensslCa(await closings.folder())
    const own = await ca.issue('concentrator.example', kind)
    const device = await ca.issue('one.devices.example', kind)
    const near = await lab.addHost('responder', `${CONCENTRATOR}/24`)
    const far = await lab.addHost('device', `${DEVICE}/24`)
    const options: ResponderOptions = { certificates: { ca: ca.certificate, own } }
    const program = path.join(import.meta.dirname, '../../support/responder-program.ts')
    const responder = near.spawn(process.execPath, [
      '--conditions=source',
      program,
      CONCENTRATOR,
      JSON.stringify(options),
    ])
    await waitFor(() => responder.output().includes('"ready"'), { message: 'our responder' })
    const pluto = await startLibreswan({
      namespace: far,
      name: 'device',
      address: DEVICE,
      pkcs12: [await ca.pkcs12(device, 'one')],
      trusted: { ca: fs.readFileSync(ca.certificate, 'utf8') },
      connections: `conn concentrator
  ikev2=insist
  left=${DEVICE}
  leftid=@one.devices.example
  leftcert=one
  leftsendcert=always
  leftsubnet=0.0.0.0/0
  leftmodecfgclient=yes
  narrowing=yes
  right=${CONCENTRATOR}
  rightid=@concentrator.example
  rightca=%same
  rightsubnet=0.0.0.0/0
  authby=${kind === 'rsa-2048' ? 'rsa-sha2' : 'ecdsa'}
  auto=add`,
    })
    closings.add(() => pluto.stop())
    await pluto.initiate('concentrator')
    await told(pluto, responder, () => responder.output().includes('"established"'))
    expect(responder.output()).toContain('"credential":"crd_certificate"')
    await told(pluto, responder, () => pluto.log().includes('10.128.0.10'))
    expect(pluto.log()).toMatch(/authenticated/)
  })

  /** Waits; when it is in vain, the error holds what both sides said. */
  async function told(pluto: Libreswan, responder: LabProcess, predicate: () => boolean): Promise<void> {
    await waitFor(predicate, { message: 'the exchange' }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${responder.output()}\n${pluto.log().split('\n').slice(-25).join('\n')}`)
    })
  }
})
