/**
 * The two pairs that the ESP bench compares: our concentrator with our simulated device, and two strongSwan.
 */
import fs from 'node:fs'
import path from 'node:path'
import { scratchFolder } from '@culvert/services'
import { startStrongswan, waitFor, type LabProcess, type Namespace } from '@culvert/testkit'
import { registerDevice, waitAttached, type RegisteredDevice } from '../support/fleet.ts'
import { SERVER_ADDRESS, startInstallation, type Installation } from '../support/installation.ts'
import type { BenchLab } from './bench-lab.ts'
import type { Endpoints } from './iperf.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const DIAL_ADDRESS = '10.127.0.1'
const THEIR_ADDRESS = '10.98.0.1'
const IKE = 'aes256gcm16-prfsha256-x25519'
const ESP = 'aes256gcm16'

export interface OurEndpoints extends Endpoints {
  readonly culvert: Installation
  readonly device: RegisteredDevice
}

export async function openOurs({ lab, databaseUrl, atEnd }: BenchLab): Promise<OurEndpoints> {
  const culvert = await startInstallation({
    lab,
    serverUrl: databaseUrl,
    databaseUrl,
    redisUrl: null,
    env: { LOG_LEVEL: 'warn' },
  })
  atEnd(() => culvert.stop())
  const far = await lab.addHost('simulated', '192.0.2.11/24')
  const device = await registerDevice(culvert.acme, 'bench')
  const folder = await scratchFolder()
  atEnd(async () => fs.rmSync(folder, { recursive: true, force: true }))
  const simulated = startSimulatedDevice(far, device, folder)
  atEnd(() => simulated.stop())
  await waitAttached(culvert.acme, device.id).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${simulated.output()}\n${culvert.output('concentrator')}`)
  })
  return {
    culvert,
    device,
    name: 'culvert',
    near: culvert.tun,
    nearAddress: DIAL_ADDRESS,
    far,
    farAddress: device.address4,
    pids: [culvert.process('concentrator').pid, simulated.pid],
  }
}

export function startSimulatedDevice(
  host: Namespace,
  device: RegisteredDevice,
  folder: string,
  env: NodeJS.ProcessEnv = {},
): LabProcess {
  const pskFile = path.join(folder, 'psk')
  fs.writeFileSync(pskFile, device.psk, { mode: 0o600 })
  const remoteIdentity = /remote\s*\{[^}]*\bid\s*=\s*"?([^\s"}]+)/.exec(device.swanctlConf)?.[1] ?? ''
  return host.spawn(process.execPath, ['--conditions=source', path.join(ROOT, 'apps/device-sim/src/main.ts')], {
    env: {
      ...process.env,
      LOG_LEVEL: 'info',
      DEVICE_REMOTE: SERVER_ADDRESS,
      DEVICE_IDENTITY: device.ikeIdentity,
      DEVICE_REMOTE_IDENTITY: remoteIdentity,
      DEVICE_PSK_FILE: pskFile,
      ...env,
    },
  })
}

export async function openTheirs({ lab, atEnd }: BenchLab): Promise<Endpoints> {
  const near = await lab.addHost('charon', '192.0.2.2/24')
  const far = await lab.addHost('swandev', '192.0.2.12/24')
  await near.ip('addr', 'add', `${THEIR_ADDRESS}/32`, 'dev', 'lo')
  const gateway = await startStrongswan({ namespace: near, name: 'gateway', logLevel: 0, swanctlConf: THEIR_GATEWAY })
  const device = await startStrongswan({ namespace: far, name: 'device', logLevel: 0, swanctlConf: THEIR_DEVICE })
  atEnd(async () => {
    await device.stop()
    await gateway.stop()
  })
  await device.initiate({ child: 'net' })
  const farAddress = await waitFor(async () => (await device.listSas())[0]?.localVips[0], {
    message: 'a virtual address',
  })
  return {
    name: 'strongSwan',
    near,
    nearAddress: THEIR_ADDRESS,
    far,
    farAddress,
    pids: [gateway.pid, device.pid],
  }
}

const THEIR_GATEWAY = `connections { devices {
  version = 2
  proposals = ${IKE}
  local_addrs = 192.0.2.2
  pools = vip
  encap = yes
  local { auth = psk
    id = concentrator.example }
  remote { auth = psk
    id = *.devices.example }
  children { net { local_ts = 10.98.0.0/24
    esp_proposals = ${ESP} } } } }
pools { vip { addrs = 10.99.0.0/16 } }
secrets { ike-one { id-1 = one.devices.example
  secret = "secret of the bench" } }`

const THEIR_DEVICE = `connections { concentrator {
  version = 2
  proposals = ${IKE}
  remote_addrs = 192.0.2.2
  vips = 0.0.0.0
  encap = yes
  local { auth = psk
    id = one.devices.example }
  remote { auth = psk
    id = concentrator.example }
  children { net { remote_ts = 10.98.0.0/24
    esp_proposals = ${ESP} } } } }
secrets { ike-one { id-1 = one.devices.example
  secret = "secret of the bench" } }`
