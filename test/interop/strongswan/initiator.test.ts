/**
 * Our initiator against a strongSwan responder, IKE alone:
 *
 *   responder 192.0.2.1 ── bridge ── initiator-program.ts 192.0.2.12
 */
import { spawn } from 'node:child_process'
import { createLab, findPeer, type Lab, labMissing, startStrongswan, type Strongswan, waitFor } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const PROGRAM = new URL('./initiator-program.ts', import.meta.url).pathname

const RESPONDER = (ike: string, esp: string): string => `
connections {
  devices {
    version = 2
    proposals = ${ike}
    local_addrs = 192.0.2.1
    pools = vip
    encap = yes
    unique = replace
    local { auth = psk
      id = concentrator.example }
    remote { auth = psk
      id = one.devices.example }
    children { net { local_ts = 10.98.0.0/24
      esp_proposals = ${esp} } }
  }
}
pools { vip { addrs = 10.99.0.0/16 } }
secrets { ike-one { id-1 = one.devices.example
  secret = "a secret of two peers" } }`

const missing = labMissing() ?? (await findPeer('strongswan')).reason

interface Initiator {
  tell(command: string): void
  /** Waits for this event, as often. */
  expectEvent(line: string, count?: number): Promise<void>
  stop(): void
}

describe.skipIf(missing).each([
  ['the same first group, with PFS', 'aes256gcm16-prfsha256-x25519', 'aes256gcm16-x25519'],
  ['another group, CBC, without PFS', 'aes256-sha256-ecp384', 'aes256-sha256'],
])('our initiator and a strongSwan responder: %s', (_name, ike, esp) => {
  let lab: Lab
  let responder: Strongswan
  let initiator: Initiator

  beforeAll(async () => {
    lab = await createLab()
    const near = await lab.addHost('responder', '192.0.2.1/24')
    const far = await lab.addHost('initiator', '192.0.2.12/24')
    await near.ip('addr', 'add', '10.98.0.1/32', 'dev', 'lo')
    responder = await startStrongswan({ namespace: near, name: 'responder', swanctlConf: RESPONDER(ike, esp) })
    initiator = startInitiator(far.name)
  })
  afterAll(async () => {
    initiator?.stop()
    await responder?.stop()
    await lab?.close()
  })

  test('attach, with an address', async () => {
    await initiator.expectEvent('childEstablished 1')
    const [sa] = await responder.listSas()
    expect(sa).toMatchObject({ state: 'ESTABLISHED', initiator: false, remoteId: 'one.devices.example' })
    expect(sa?.children).toHaveLength(1)
  })

  test('rekey a Child SA from either end', async () => {
    initiator.tell('rekeyChild')
    await initiator.expectEvent('childRekeyed 2')
    await initiator.expectEvent('childClosed 1')
    await responder.rekey({ child: 'net' })
    await initiator.expectEvent('childClosed 1', 2)
    const [sa] = await responder.listSas()
    expect(sa?.children.filter(({ state }) => state === 'INSTALLED')).toHaveLength(1)
  })

  test('rekey the IKE SA from either end, and go on', async () => {
    initiator.tell('rekeyIke')
    await initiator.expectEvent('ikeRekeyed 1')
    await responder.rekey({ ike: 'devices' })
    await initiator.expectEvent('ikeRekeyed 1', 2)
    initiator.tell('rekeyChild')
    await initiator.expectEvent('childClosed 1', 3)
    expect(await responder.listSas()).toHaveLength(1)
  })

  test('end by our Delete', async () => {
    initiator.tell('deleteIke')
    await initiator.expectEvent('closed shutdown 0')
    await waitFor(async () => (await responder.listSas()).length === 0, { timeoutMs: 5_000, message: 'SAs gone' })
    expect(responder.log()).toContain('received DELETE for IKE_SA')
  })
})

function startInitiator(namespace: string): Initiator {
  const program = ['node', '--conditions=source', PROGRAM, '192.0.2.12', '192.0.2.1']
  const child = spawn('ip', ['netns', 'exec', namespace, ...program], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines: string[] = []
  child.stdout.on('data', (data: Buffer) => lines.push(...data.toString().trimEnd().split('\n')))
  return {
    tell: (command) => child.stdin.write(`${command}\n`),
    expectEvent: async (line, count = 1) => {
      const isThere = (): boolean => lines.filter((seen) => seen === line).length >= count
      await waitFor(isThere, { timeoutMs: 10_000, message: `${count} x "${line}" in ${lines.join(' | ')}` })
    },
    stop: () => child.kill(),
  }
}
