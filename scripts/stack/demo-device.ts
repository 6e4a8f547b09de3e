/**
 * The demo device, made as a customer would: registered over REST, a pre-shared key issued, a tunnel opened to its web page.
 * Its id and key are kept, so that the next start continues with the same device.
 */
import fs from 'node:fs'
import { type Folders, readIfThere, writeSecret } from './folders.ts'
import { must, type Rest } from './rest.ts'
import { until } from './waiting.ts'

export const demoPagePort = 8080

const NAME = 'demo device'
const ICCID = '89490000000000000007' // passes the Luhn check; no issuer has this number
const TUNNEL_TTL_SEC = 86_400
const WORTH_KEEPING_MS = 3_600_000

export interface DemoDevice {
  readonly id: string
  readonly name: string
  readonly address: string
  readonly ikeIdentity: string
}

interface Tunnel {
  readonly id: string
  readonly state: string
  readonly reason: string | null
  readonly devicePort: number
  readonly host: string | null
  readonly port: number | null
  readonly expiresAt: string
}

/** @returns the device of an earlier start, or a new one; its key is in `folders.demoPsk` */
export async function ensureDemoDevice(folders: Folders, rest: Rest): Promise<DemoDevice> {
  const device =
    (await knownDevice(folders, rest)) ??
    (await must(rest<DemoDevice>('POST', '/v1/devices', { iccid: ICCID, name: NAME })))
  if (!fs.existsSync(folders.demoPsk) || deviceOfFile(folders) !== device.id) {
    writeSecret(folders.demoPsk, await issuePsk(rest, device))
    fs.writeFileSync(folders.demo, JSON.stringify({ deviceId: device.id }))
  }
  return device
}

/** The keys of starts whose file is gone count too: when there is no room for another one, the oldest makes way. */
async function issuePsk(rest: Rest, device: DemoDevice): Promise<string> {
  const route = `/v1/devices/${device.id}/credentials`
  const issue = () => rest<{ psk: string; code?: string }>('POST', route, { kind: 'psk' })
  const first = await issue()
  if (first.status !== 409 || first.body.code !== 'credential_limit') return (await must(Promise.resolve(first))).psk
  const { data } = await must(rest<{ data: { id: string; state: string }[] }>('GET', route)) // newest first
  const oldest = data.findLast(({ state }) => state === 'active')
  if (oldest) await must(rest('DELETE', `${route}/${oldest.id}`))
  return (await must(issue())).psk
}

async function knownDevice(folders: Folders, rest: Rest): Promise<DemoDevice | null> {
  const id = deviceOfFile(folders)
  if (id) {
    const { status, body } = await rest<DemoDevice>('GET', `/v1/devices/${id}`)
    if (status === 200) return body
  }
  const { data } = await must(rest<{ data: DemoDevice[] }>('GET', `/v1/devices?iccid=${ICCID}`))
  return data[0] ?? null
}

function deviceOfFile(folders: Folders): string | null {
  const text = readIfThere(folders.demo)
  return text ? ((JSON.parse(text) as { deviceId?: string }).deviceId ?? null) : null
}

/** Waits until the device is attached by an exchange of this run. */
export async function waitAttached(
  rest: Rest,
  device: DemoDevice,
  since: Date,
  signal: AbortSignal,
  log: string,
): Promise<void> {
  await until(
    async () => {
      const { status, body } = await rest<{ state: string; attachedAt: string }>(
        'GET',
        `/v1/devices/${device.id}/attachment`,
      )
      return status === 200 && body.state === 'attached' && new Date(body.attachedAt) >= since ? true : null
    },
    {
      timeoutMs: 30_000,
      otherwise: `The demo device did not attach within 30 s: read ${log}, and let the firewall pass UDP 500 and 4500 on culvert-veth0.`,
      signal,
    },
  )
}

/** @returns the URL of the device's page, after it answered through the tunnel */
export async function openDemoTunnel(rest: Rest, device: DemoDevice, signal: AbortSignal): Promise<string> {
  const tunnel =
    (await keptTunnel(rest, device)) ?? (await must(rest<Tunnel>('POST', '/v1/tunnels', requestFor(device))))
  const open = await until(
    async () => {
      const current = await must(rest<Tunnel>('GET', `/v1/tunnels/${tunnel.id}`))
      return current.state === 'open' && current.host && current.port ? `http://${current.host}:${current.port}/` : null
    },
    { timeoutMs: 20_000, otherwise: `The tunnel ${tunnel.id} did not open within 20 s.`, signal },
  )
  await until(async () => ((await fetch(open, { signal: AbortSignal.timeout(5_000) })).ok ? true : null), {
    timeoutMs: 20_000,
    otherwise: `The page of the demo device did not answer on ${open} within 20 s.`,
    signal,
  })
  return open
}

async function keptTunnel(rest: Rest, device: DemoDevice): Promise<Tunnel | null> {
  const { data } = await must(rest<{ data: Tunnel[] }>('GET', `/v1/tunnels?deviceId=${device.id}&state=open`))
  const worth = (tunnel: Tunnel): boolean => Date.parse(tunnel.expiresAt) - Date.now() > WORTH_KEEPING_MS
  return data.find((tunnel) => tunnel.devicePort === demoPagePort && worth(tunnel)) ?? null
}

function requestFor(device: DemoDevice): object {
  return { deviceId: device.id, port: demoPagePort, ttlSec: TUNNEL_TTL_SEC, allowFrom: ['127.0.0.0/8'] }
}
