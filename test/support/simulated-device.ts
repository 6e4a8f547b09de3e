/** A device of our own (`apps/device-sim`) in a namespace, with a page on its inner address. */
import fs from 'node:fs'
import path from 'node:path'
import { waitFor, type Namespace } from '@culvert/testkit'
import type { Closings } from './closings.ts'
import { waitAttached, type RegisteredDevice } from './fleet.ts'
import { SERVER_ADDRESS, type Installation } from './installation.ts'

const PROGRAM = path.resolve(import.meta.dirname, '../../apps/device-sim/src/main.ts')

export interface SimulatedDevice {
  /** What it has said so far. */
  output(): string
  /** Resolves when it is attached and its page is up; the page comes after the attachment. */
  ready(): Promise<void>
}

export interface SimulatedDevicePlace {
  readonly host: Namespace
  /** Where its secret lies while it runs. */
  readonly folder: string
  readonly culvert: Installation
  readonly closings: Closings
}

/** @param settings `DEVICE_*` beside identity, secret and the concentrator's address. */
export function startSimulatedDevice(
  { host, folder, culvert, closings }: SimulatedDevicePlace,
  device: RegisteredDevice,
  settings: Readonly<Record<string, string>> = {},
): SimulatedDevice {
  const pskFile = path.join(folder, device.id)
  fs.writeFileSync(pskFile, device.psk, { mode: 0o600 })
  const simulated = host.spawn(process.execPath, ['--conditions=source', PROGRAM], {
    env: {
      ...process.env,
      DEVICE_REMOTE: SERVER_ADDRESS,
      DEVICE_REMOTE_IDENTITY: 'concentrator.fleet.culvert.internal',
      DEVICE_IDENTITY: device.ikeIdentity,
      DEVICE_PSK_FILE: pskFile,
      DEVICE_HTTP_PORT: '8080',
      DEVICE_RUNG: 'native',
      ...settings,
    },
  })
  closings.add(() => simulated.stop())
  const ready = async (): Promise<void> => {
    await waitAttached(culvert.acme, device.id)
    const page = `"address":"${device.address4}","port":8080`
    await waitFor(() => simulated.output().includes(page), { message: 'its page' })
  }
  return {
    output: () => simulated.output(),
    ready: () =>
      ready().catch((error: unknown) => {
        throw new Error(`${String(error)}\n${simulated.output()}\n${culvert.output('concentrator')}`)
      }),
  }
}
