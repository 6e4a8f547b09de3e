/**
 * Our initiator (the simulated device) and a strongSwan responder, on both rungs, directly and behind a NAT.
 *
 * ```
 *   responder 192.0.2.1 ── bridge ──┬── device 192.0.2.11
 *   10.98.0.1 on lo                 ╰── NAT 192.0.2.77 ── device 192.168.77.11
 * ```
 */
import { createHash, randomBytes } from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import type { IkeEvent } from '@culvert/ikev2'
import { createLab, peer, startStrongswan, waitFor, type Lab, type Namespace, type Strongswan } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClosings, type Closings } from '../../support/closings.ts'
import { startPage } from '../../support/fleet.ts'
import { firstMissing, noteOf } from '../../support/missing.ts'
import { childSpi, ikeSpi } from '../../support/swan-scene.ts'

const PSK = 'a secret of our device and strongSwan'
const RESPONDER_ADDRESS = '192.0.2.1'
const INNER_ADDRESS = '10.98.0.1'
const DEVICE_PORT = 8080

interface DeviceState {
  readonly address4: string | null
  readonly rung: string
  readonly events: readonly IkeEvent[]
}

const missing = await firstMissing('strongswan', 'nftables', 'curl', 'ping')

describe.skipIf(missing).each([
  { rung: 'native', place: 'directly', isBehindNat: false },
  { rung: 'native', place: 'behind a NAT', isBehindNat: true },
  { rung: 'portable', place: 'directly', isBehindNat: false },
  { rung: 'portable', place: 'behind a NAT', isBehindNat: true },
] as const)(`our initiator ($rung) with a strongSwan responder $place${noteOf(missing)}`, ({ rung, isBehindNat }) => {
  let closings: Closings
  let lab: Lab
  let near: Namespace
  let far: Namespace
  let responder: Strongswan
  let socketPath: string
  let file: string
  let hash: string
  let curlEnv: NodeJS.ProcessEnv

  beforeAll(async () => {
    closings = createClosings()
    const folder = await closings.folder()
    file = path.join(folder, 'file')
    fs.writeFileSync(file, randomBytes(5 * 1024 * 1024))
    hash = createHash('sha256').update(fs.readFileSync(file)).digest('hex')
    curlEnv = (await peer('curl')).env
    lab = await createLab()
    closings.add(() => lab.close())
    near = await lab.addHost('responder', `${RESPONDER_ADDRESS}/24`)
    await near.ip('addr', 'add', `${INNER_ADDRESS}/32`, 'dev', 'lo')
    far = isBehindNat
      ? await (
          await lab.addNat('nat', { outside: '192.0.2.77/24', inside: '192.168.77.1/24' })
        ).addHost('device', '192.168.77.11/24')
      : await lab.addHost('device', '192.0.2.11/24')
    responder = await startStrongswan({
      namespace: near,
      name: 'responder',
      swanctlConf: responderConf('aes256gcm16-prfsha384-x25519', 'aes256gcm16-x25519'),
      charon: 'fragment_size = 300\n  delete_rekeyed_delay = 1',
    })
    closings.add(() => responder.stop())
    await startPage(near, INNER_ADDRESS, DEVICE_PORT, file)
    socketPath = path.join(folder, 'initiator')
    await startInitiator()
  })
  afterAll(() => closings?.close())

  it('attaches with a PSK, asks for an address and reaches the other side, and the other side it', async () => {
    const { address4 } = await attached()
    expect((await state()).rung).toBe(rung)
    const [ike] = await responder.listSas()
    expect(ike).toMatchObject({
      state: 'ESTABLISHED',
      initiator: false,
      remoteId: 'one.devices.example',
      remoteHost: isBehindNat ? '192.0.2.77' : '192.0.2.11',
      remoteVips: [address4],
    })
    expect(ike?.children).toMatchObject([
      { state: 'INSTALLED', encap: true, localTs: ['10.98.0.0/24'], remoteTs: [`${address4}/32`] },
    ])
    await carry()
    const { env } = await peer('ping')
    const ping = await near.exec('ping', ['-c', '3', '-i', '0.2', '-W', '2', '-I', INNER_ADDRESS, address4], { env })
    expect(ping.stdout).toContain('3 received')
  })

  it('rekeys its Child SA and its IKE SA', async () => {
    const before = await responder.listSas()
    await command('rekeyChild')
    await settled((sas) => childSpi(sas) !== childSpi(before))
    expect((await responder.listSas())[0]?.children[0]?.keyExchange).toBe('CURVE_25519')
    await carry()
    await command('rekeyIke')
    await settled((sas) => ikeSpi(sas) !== ikeSpi(before))
    expect((await responder.listSas())[0]?.initiator).toBe(false)
    await carry()
  })

  it('follows rekeys by the responder', async () => {
    const before = await responder.listSas()
    await responder.rekey({ child: 'net' })
    await settled((sas) => childSpi(sas) !== childSpi(before))
    await carry()
    await responder.rekey({ ike: 'devices' })
    await settled((sas) => ikeSpi(sas) !== ikeSpi(before))
    expect((await responder.listSas())[0]?.initiator).toBe(true)
    await carry()
    await command('rekeyChild')
    await command('checkLiveness')
    await carry()
  })

  it('when the responder deletes the IKE SA, it closes and comes back', async () => {
    const before = ikeSpi(await responder.listSas())
    await responder.terminate({ ike: 'devices' })
    expect((await lastClosed()).reason).toBe('deletedByPeer')
    await attached(before)
    await carry()
  })

  it('when it deletes the IKE SA itself, strongSwan forgets it', async () => {
    const before = ikeSpi(await responder.listSas())
    const closed = closedCount(await state())
    await command('deleteIke')
    await waitFor(async () => closedCount(await state()) > closed, { message: 'the closing' })
    expect((await lastClosed()).reason).toBe('deletedLocally')
    await waitFor(async () => (await responder.listSas()).every(({ spiI }) => spiI !== before), {
      message: 'strongSwan to forget the IKE SA',
    })
    expect(responder.log()).toContain('received DELETE for IKE_SA')
  })

  // The first group of its offer is x25519: another one costs an INVALID_KE_PAYLOAD.
  it.each([
    ['aes128gcm16-prfsha256-ecp256', 'aes128gcm16-ecp256', 'AES_GCM_16-128', 'ECP_256'],
    ['chacha20poly1305-prfsha512-ecp384', 'chacha20poly1305-ecp521', 'CHACHA20_POLY1305', 'ECP_521'],
    ['aes256-sha512-prfsha512-modp2048', 'aes128-sha256-modp3072', 'AES_CBC-128', 'MODP_3072'],
    ['aes128-sha256-prfsha256-ecp521', 'aes256-sha384', 'AES_CBC-256', null],
    ['aes256-sha384-prfsha384-modp4096', 'aes256-sha512-x25519', 'AES_CBC-256', 'CURVE_25519'],
  ])('agrees on %s and ESP %s', async (ike, esp, encryption, pfs) => {
    const before = ikeSpi(await responder.listSas())
    await responder.reload(responderConf(ike, esp))
    await responder.swanctl('--terminate', ['--ike', 'devices'], { check: false })
    await attached(before)
    expect((await responder.listSas()).flatMap(({ children }) => children)).toMatchObject([{ encryption }])
    await carry()
    const first = await responder.listSas()
    await command('rekeyChild')
    await settled((sas) => childSpi(sas) !== childSpi(first))
    const [rekeyed] = (await responder.listSas()).flatMap(({ children }) => children)
    expect(rekeyed).toMatchObject({ encryption, keyExchange: pfs })
    await carry()
  })

  async function startInitiator(): Promise<void> {
    const options = {
      remoteAddress: RESPONDER_ADDRESS,
      remoteIkePort: 500,
      remoteEspPort: 4500,
      localIkePort: 500,
      localEspPort: 4500,
      localAddress: '0.0.0.0',
      identity: 'one.devices.example',
      remoteIdentity: 'concentrator.example',
      psk: PSK,
      remotePrefix: '10.98.0.0/24',
      tun: { name: 'culvert-dev0', namespace: null, mtuBytes: 1400 },
      rung,
      livenessMs: 30_000,
      natKeepaliveMs: 5_000,
    }
    const program = path.join(import.meta.dirname, '../../support/initiator.ts')
    const running = far.spawn(process.execPath, ['--conditions=source', program, socketPath, JSON.stringify(options)])
    closings.add(() => running.stop())
    await waitFor(() => running.output().includes('initiator ready'), {
      timeoutMs: 20_000,
      message: `our initiator: ${running.output()}`,
    })
    await attached().catch((error: unknown) => {
      throw new Error(`${String(error)}\n${running.output()}\n${responder.log()}`, { cause: error })
    })
  }

  /** Waits until strongSwan and the device agree that it is attached, with another IKE SA than `before`. */
  async function attached(before = ''): Promise<{ address4: string }> {
    return waitFor(
      async () => {
        const sas = await responder.listSas()
        const { address4 } = await state()
        const isNew = sas.length === 1 && ikeSpi(sas) !== '' && ikeSpi(sas) !== before
        return isNew && address4 !== null && sas[0]?.remoteVips[0] === address4 ? { address4 } : null
      },
      { timeoutMs: 30_000, message: 'the device to be attached' },
    )
  }

  async function settled(isNew: (sas: Awaited<ReturnType<Strongswan['listSas']>>) => boolean): Promise<void> {
    await waitFor(
      async () => {
        const sas = await responder.listSas()
        return sas.length === 1 && sas[0]?.children.length === 1 && isNew(sas)
      },
      { message: 'the rekey to be over' },
    )
  }

  async function carry(): Promise<void> {
    const copy = `${file}.copy`
    const url = `http://${INNER_ADDRESS}:${DEVICE_PORT}`
    const curl = (...args: string[]): ReturnType<Namespace['exec']> =>
      far.exec('curl', ['--silent', '--show-error', '--max-time', '30', ...args], { env: curlEnv, timeoutMs: 40_000 })
    await curl('--output', copy, `${url}/file`)
    expect(createHash('sha256').update(fs.readFileSync(copy)).digest('hex')).toBe(hash)
    expect((await curl('--upload-file', file, `${url}/`)).stdout).toBe(hash)
  }

  const state = async (): Promise<DeviceState> => JSON.parse((await ask('GET', '/')).text) as DeviceState

  async function command(name: string): Promise<void> {
    expect((await ask('POST', `/${name}`)).status).toBe(200)
  }

  async function lastClosed(): Promise<IkeEvent & { kind: 'closed' }> {
    return waitFor(async () => (await state()).events.findLast((event) => event.kind === 'closed'), {
      message: 'the device to close its IKE SA',
    })
  }

  function ask(method: string, route: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const request = http.request({ socketPath, method, path: route, timeout: 10_000 }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      })
      request.on('error', reject)
      request.end()
    })
  }
})

function closedCount({ events }: DeviceState): number {
  return events.filter(({ kind }) => kind === 'closed').length
}

function responderConf(ike: string, esp: string): string {
  return `connections { devices {
  version = 2
  proposals = ${ike}
  local_addrs = ${RESPONDER_ADDRESS}
  pools = vip
  encap = yes
  rekey_time = 0
  local { auth = psk
    id = concentrator.example }
  remote { auth = psk
    id = *.devices.example }
  children { net { local_ts = 10.98.0.0/24
    esp_proposals = ${esp}
    rekey_time = 0 } } } }
pools { vip { addrs = 10.99.0.0/16 } }
secrets { ike-one { id-1 = one.devices.example
  secret = "${PSK}" } }`
}
