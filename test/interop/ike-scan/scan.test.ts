/**
 * What a scanner learns about a responder: that it speaks IKEv2 and takes nothing of what it offers, one answer for one question.
 */
import path from 'node:path'
import { createLab, type Lab, type LabProcess, type Namespace, peer, waitFor } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClosings, type Closings } from '../../support/closings.ts'
import { firstMissing, noteOf } from '../../support/missing.ts'

const CONCENTRATOR = '192.0.2.1'
const missing = await firstMissing('ike-scan')

describe.skipIf(missing)(`ike-scan${noteOf(missing)}`, () => {
  let closings: Closings
  let lab: Lab
  let stranger: Namespace
  let responder: LabProcess

  beforeAll(async () => {
    closings = createClosings()
    lab = await createLab()
    closings.add(() => lab.close())
    const near = await lab.addHost('responder', `${CONCENTRATOR}/24`)
    stranger = await lab.addHost('stranger', '192.0.2.66/24')
    const program = path.join(import.meta.dirname, '../../support/responder-program.ts')
    responder = near.spawn(process.execPath, [
      '--conditions=source',
      program,
      CONCENTRATOR,
      JSON.stringify({ secret: 'a secret nobody guesses here' }),
    ])
    closings.add(() => responder.stop())
    await waitFor(() => responder.output().includes('"ready"'), { message: 'our responder' })
  })
  afterAll(() => closings?.close())

  it.each([
    ['an IKEv2 request with 3DES, SHA-1 and MODP-1024 (C26)', ['--ikev2'], /1 returned notify.*/, 'NO_PROPOSAL_CHOSEN'],
    ['IKEv1 main mode (C04, N11)', [], /0 returned handshake/, ''],
    ['IKEv1 aggressive mode (C04, N11)', ['--aggressive', '--id=nobody'], /0 returned handshake/, ''],
    [
      'an IKEv2 request with a wrong length (N01)',
      ['--ikev2', '--headerlen=99999'],
      /0 returned handshake; 0 returned/,
      '',
    ],
    ['another version (C04)', ['--ikev2', '--headerver=0x30'], /0 returned handshake/, ''],
    ['a payload that is not there (N06)', ['--ikev2', '--nextpayload=1'], /0 returned handshake/, ''],
    ['reserved bits (C05)', ['--ikev2', '--mbz=255'], /0 returned handshake/, ''],
  ])('hears nothing but the notify of the RFC for %s', async (_, options, summary, notify) => {
    const { stdout } = await scan(options)
    expect(stdout).toMatch(summary)
    expect(stdout).toContain(notify)
    expect(responder.output()).not.toContain('"established"')
  })

  async function scan(options: readonly string[]): Promise<{ readonly stdout: string }> {
    const { env } = await peer('ike-scan')
    const bounded = ['--retry=1', '--timeout=300', ...options, CONCENTRATOR]
    return stranger.exec('ike-scan', bounded, { env, timeoutMs: 20_000, check: false })
  }
})
