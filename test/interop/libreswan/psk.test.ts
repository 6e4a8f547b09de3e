/**
 * libreswan as a device with a shared key. IKE only: its kernel half is missing here, so it ends the Child SA it cannot install,
 * after the whole exchange has been agreed upon by both.
 */
import {
  createLab,
  type Lab,
  type LabProcess,
  type Libreswan,
  type Namespace,
  startLibreswan,
  waitFor,
} from '@culvert/testkit'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClosings, type Closings } from '../../support/closings.ts'
import { firstMissing, noteOf } from '../../support/missing.ts'

const SECRET = 'a secret of a libreswan router, long enough'
const CONCENTRATOR = '192.0.2.1'
const DEVICE = '192.0.2.11'
const missing = await firstMissing('libreswan')

describe.skipIf(missing)(`libreswan with a shared key${noteOf(missing)}`, () => {
  let closings: Closings
  let lab: Lab
  let device: Namespace
  let responder: LabProcess

  beforeAll(async () => {
    closings = createClosings()
    lab = await createLab()
    closings.add(() => lab.close())
    const near = await lab.addHost('responder', `${CONCENTRATOR}/24`)
    device = await lab.addHost('device', `${DEVICE}/24`)
    const program = path.join(import.meta.dirname, '../../support/responder-program.ts')
    responder = near.spawn(process.execPath, [
      '--conditions=source',
      program,
      CONCENTRATOR,
      JSON.stringify({ secret: SECRET }),
    ])
    closings.add(() => responder.stop())
    await waitFor(() => responder.output().includes('"ready"'), { message: 'our responder' })
  })
  afterAll(() => closings?.close())

  it('authenticates, is given an address and narrows its selectors', async () => {
    const pluto = await startPluto('one', SECRET)
    await told(pluto, () => responder.output().includes('"established"'))
    expect(responder.output()).toContain('"subject":"one.devices.example"')
    await told(pluto, () => pluto.log().includes('10.128.0.10'))
    expect(pluto.log()).toContain('authenticated')
    await pluto.stop()
  })

  it('is refused with a wrong secret, and says so', async () => {
    const pluto = await startPluto('wrong', 'another secret, which is wrong as well')
    await told(pluto, () => pluto.log().includes('AUTHENTICATION_FAILED'))
    expect(responder.output()).toContain('"reason":"authenticationFailed"')
    await pluto.stop()
  })

  /** Waits; when it is in vain, the error holds what both sides said. */
  async function told(pluto: Libreswan, predicate: () => boolean): Promise<void> {
    await waitFor(predicate, { message: 'the exchange' }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${responder.output()}\n${pluto.log().split('\n').slice(-25).join('\n')}`)
    })
  }

  function startPluto(name: string, secret: string): ReturnType<typeof startLibreswan> {
    return startLibreswan({
      namespace: device,
      name,
      address: DEVICE,
      connections: `conn concentrator
  ikev2=insist
  left=${DEVICE}
  leftid=@one.devices.example
  leftsubnet=0.0.0.0/0
  leftmodecfgclient=yes
  narrowing=yes
  right=${CONCENTRATOR}
  rightid=@concentrator.example
  rightsubnet=0.0.0.0/0
  authby=secret
  auto=add`,
      secrets: `@one.devices.example @concentrator.example : PSK "${secret}"`,
    }).then(async (pluto) => {
      await pluto.initiate('concentrator')
      return pluto
    })
  }
})
