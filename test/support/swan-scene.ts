/**
 * One installation and one strongSwan device with its page and an open tunnel: where most journeys begin.
 */
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { createLab, type IkeSaReport, type Lab, type Namespace, peer, type Strongswan } from '@culvert/testkit'
import { closedOnFailure, type Closings } from './closings.ts'
import {
  openTunnel,
  registerDevice,
  startPage,
  startStrongswanDevice,
  waitAttached,
  type CharonSettings,
  type RegisteredDevice,
  type TunnelAnswer,
} from './fleet.ts'
import { addAddress6, startInstallation, type Installation, type InstallationOptions } from './installation.ts'

/** Outer IPv6 address of the device, where the installation is reached over IPv6. */
export const DEVICE_ADDRESS6 = '2001:db8::11'

export interface SwanScene {
  readonly lab: Lab
  readonly culvert: Installation
  readonly host: Namespace
  readonly device: RegisteredDevice
  readonly swan: Strongswan
  readonly tunnel: TunnelAnswer
  /** Names of the connection and its child in swanctl.conf. */
  readonly names: { readonly ike: string; readonly child: string }
  /** A file of random bytes the device offers at /file. */
  readonly file: string
  readonly folder: string
  url(place: string): string
  /** curl on the customer's host; never throws. */
  curl(...args: string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>
  close(): Promise<void>
}

export interface SwanSceneOptions extends Omit<InstallationOptions, 'lab'> {
  readonly fileBytes: number
  /** Changes the configuration before it is loaded. */
  readonly edit?: (swanctlConf: string) => string
  readonly charon?: CharonSettings
  /** On which inner address the device has its page; IPv4 unless said. */
  readonly page?: 'address4' | 'address6'
  /** Adds to the lab before the device starts. */
  readonly prepare?: (lab: Lab) => Promise<void>
}

export function openSwanScene(options: SwanSceneOptions): Promise<SwanScene> {
  return closedOnFailure((closings) => assemble(options, closings))
}

async function assemble(options: SwanSceneOptions, closings: Closings): Promise<SwanScene> {
  const folder = await closings.folder()
  const file = path.join(folder, 'file')
  fs.writeFileSync(file, randomBytes(options.fileBytes))
  const lab = await createLab()
  closings.add(() => lab.close())
  const culvert = await startInstallation({ ...options, lab })
  closings.add(() => culvert.stop())
  const host = await lab.addHost('dev1', '192.0.2.11/24')
  if (options.isReachedOverIpv6) await addAddress6(host, DEVICE_ADDRESS6)
  await options.prepare?.(lab)
  const registered = await registerDevice(culvert.acme, 'router-1')
  const device = { ...registered, swanctlConf: options.edit?.(registered.swanctlConf) ?? registered.swanctlConf }
  const swan = await startStrongswanDevice(device, host, 'dev1', options.charon)
  closings.add(() => swan.stop())
  try {
    await waitAttached(culvert.acme, device.id)
  } catch (error) {
    throw new Error(`${String(error)}\n${swan.log()}\n${culvert.output('concentrator')}`)
  }
  await startPage(host, device[options.page ?? 'address4'], 8080, file)
  const tunnel = await openTunnel(culvert.acme, device.id, 8080)
  const [ike] = await swan.listSas()
  const { env } = await peer('curl')
  const url = (place: string): string => `http://${tunnel.host}:${tunnel.port}${place}`
  return {
    lab,
    culvert,
    host,
    device,
    swan,
    tunnel,
    names: { ike: ike?.name ?? '', child: ike?.children[0]?.name ?? '' },
    file,
    folder,
    url,
    curl: (...args) =>
      culvert.customer.exec('curl', ['--silent', '--show-error', '--max-time', '60', ...args], {
        timeoutMs: 180_000,
        check: false,
        env,
      }),
    close: closings.close,
  }
}

/** SPI of the Child SA in use, as the device names its inbound one. */
export function childSpi(sas: readonly IkeSaReport[]): string {
  return sas.flatMap((ike) => ike.children).find((child) => child.state === 'INSTALLED')?.spiIn ?? ''
}

export function ikeSpi(sas: readonly IkeSaReport[]): string {
  return sas.find((ike) => ike.state === 'ESTABLISHED')?.spiI ?? ''
}
