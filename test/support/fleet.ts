/**
 * Devices of a test: registered over REST, configured by what the API returned, run by strongSwan in hosts of the lab.
 */
import path from 'node:path'
import {
  startStrongswan,
  waitFor,
  type LabProcess,
  type Namespace,
  type Strongswan,
  type StrongswanOptions,
} from '@culvert/testkit'
import type { Api } from './installation.ts'

export interface RegisteredDevice {
  readonly id: string
  readonly ikeIdentity: string
  readonly address4: string
  readonly address6: string
  readonly psk: string
  readonly credentialId: string
  /** The secret as it stands in swanctl.conf. */
  readonly swanctlSecret: string
  /** swanctl.conf with the secret in its place. */
  readonly swanctlConf: string
}

export interface TunnelAnswer {
  readonly id: string
  readonly state: string
  readonly reason: string | null
  readonly host: string
  readonly port: number
}

interface IssuedCredential {
  readonly id: string
  readonly psk: string
  readonly swanctl: { readonly placeholder: string; readonly secret: string }
}

let iccids = 0

/** A new ICCID with a right check digit (ITU-T E.118, Luhn). */
export function nextIccid(): string {
  const body = `8949000${String(++iccids).padStart(11, '0')}`
  let sum = 0
  for (const [position, digit] of body.split('').toReversed().entries()) {
    const doubled = Number(digit) * (position % 2 === 0 ? 2 : 1)
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return `${body}${(10 - (sum % 10)) % 10}`
}

export async function registerDevice(api: Api, name: string, more: object = {}): Promise<RegisteredDevice> {
  const device = await api<{ id: string; ikeIdentity: string; address: string; address6: string }>(
    'POST',
    '/v1/devices',
    {
      iccid: nextIccid(),
      name,
      ...more,
    },
  )
  if (device.status !== 201) throw new Error(`registering ${name}: ${device.status} ${device.text}`)
  const { id, ikeIdentity, address: address4, address6 } = device.body
  return { id, ikeIdentity, address4, address6, ...(await issueCredential(api, id)) }
}

/** The device with another key beside the one before. */
export async function nextCredential(api: Api, device: RegisteredDevice): Promise<RegisteredDevice> {
  return { ...device, ...(await issueCredential(api, device.id)) }
}

type KeyedParts = Pick<RegisteredDevice, 'psk' | 'credentialId' | 'swanctlSecret' | 'swanctlConf'>

async function issueCredential(api: Api, id: string): Promise<KeyedParts> {
  const { status, text, body } = await api<IssuedCredential>('POST', `/v1/devices/${id}/credentials`, { kind: 'psk' })
  if (status !== 201) throw new Error(`credential of ${id}: ${status} ${text}`)
  const swanctlConf = await readConfig(api, id, body)
  return { psk: body.psk, credentialId: body.id, swanctlSecret: body.swanctl.secret, swanctlConf }
}

/** The configuration as the API gives it, with the secret put where its marker stands. */
async function readConfig(api: Api, id: string, { swanctl }: IssuedCredential): Promise<string> {
  const config = await api('GET', `/v1/devices/${id}/config?target=swanctl`)
  if (config.status !== 200) throw new Error(`config: ${config.status} ${config.text}`)
  const filled = config.text.replaceAll(swanctl.placeholder, swanctl.secret)
  if (filled === config.text) throw new Error(`the configuration has no ${swanctl.placeholder}`)
  return filled
}

/** How a device's charon differs from the usual one. */
export type CharonSettings = Omit<StrongswanOptions, 'namespace' | 'name' | 'swanctlConf'>

export async function startStrongswanDevice(
  device: RegisteredDevice,
  namespace: Namespace,
  name: string,
  charon: CharonSettings = {},
): Promise<Strongswan> {
  return startStrongswan({ ...charon, namespace, name, swanctlConf: device.swanctlConf })
}

/** A device's attachment as GET /v1/devices/{id}/attachment shows it. */
export interface AttachmentAnswer {
  readonly state: string
  readonly detachReason: string | null
  readonly epoch: number
  readonly address: string | null
  readonly address6: string | null
  readonly remoteAddress: string
  readonly remotePort: number
  readonly behindNat: boolean
  readonly ikeSas: readonly {
    readonly spiI: string
    readonly encryption: string
    readonly integrity: string | null
    readonly prf: string
    readonly keyExchange: string
    readonly childSas: readonly {
      readonly spiIn: string
      readonly spiOut: string
      readonly encryption: string
      readonly integrity: string | null
      readonly esn: boolean
      readonly selectorsLocal: readonly string[]
      readonly selectorsRemote: readonly string[]
    }[]
  }[]
}

export async function readAttachment(api: Api, deviceId: string): Promise<AttachmentAnswer> {
  return (await api<AttachmentAnswer>('GET', `/v1/devices/${deviceId}/attachment`)).body
}

/** Waits until the device is attached and says so in the API. */
export async function waitAttached(api: Api, deviceId: string, timeoutMs = 20_000): Promise<void> {
  await waitFor(
    async () => (await api<{ state?: string }>('GET', `/v1/devices/${deviceId}/attachment`)).body.state === 'attached',
    { timeoutMs, message: `${deviceId} to be attached` },
  )
}

/** The test page on the inner address of a device, in the namespace it lives in. */
export async function startPage(
  namespace: Namespace,
  address: string,
  port: number,
  file: string,
): Promise<LabProcess> {
  const page = namespace.spawn(process.execPath, [
    path.join(import.meta.dirname, 'device-page.ts'),
    address,
    String(port),
    file,
  ])
  await waitFor(() => page.output().includes('page ready'), { message: `the page of ${address}: ${page.output()}` })
  return page
}

export async function openTunnel(api: Api, deviceId: string, port: number, more: object = {}): Promise<TunnelAnswer> {
  const answer = await api<TunnelAnswer>('POST', '/v1/tunnels', {
    deviceId,
    port,
    ttlSec: 600,
    allowFrom: ['192.0.2.0/24'],
    ...more,
  })
  if (answer.status !== 201) throw new Error(`tunnel: ${answer.status} ${answer.text}`)
  return answer.body
}
