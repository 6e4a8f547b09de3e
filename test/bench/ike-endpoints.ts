/**
 * The two responders of the bench `ike`, and the fleet that loads either of them from a host of its own.
 */
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { scratchFolder } from '@culvert/services'
import { startStrongswan, waitFor, type Namespace } from '@culvert/testkit'
import { SERVER_ADDRESS, startInstallation, type Installation } from '../support/installation.ts'
import type { BenchLab } from './bench-lab.ts'
import type { FleetMember } from './ike-fleet.ts'
import type { LoadAnswer, LoadOptions } from './ike-load.ts'

const IDENTITY = 'concentrator.example'
const THEIR_ADDRESS = '192.0.2.2'
export const THEIR_SECRET = 'one secret for all devices of the bench'

export interface Responder {
  readonly name: string
  /** Process whose CPU and memory are counted. */
  readonly pid: number
  readonly load: Pick<LoadOptions, 'remoteAddress' | 'remotePrefix' | 'remoteIdentity'>
}

export interface OurResponder extends Responder {
  readonly culvert: Installation
}

export interface TheirResponder extends Responder {
  readonly host: Namespace
}

/** @param hasSigner also certificates are taken */
export async function startOurs(
  { lab, databaseUrl, atEnd }: BenchLab,
  { hasSigner = false } = {},
): Promise<OurResponder> {
  const culvert = await startInstallation({
    lab,
    serverUrl: databaseUrl,
    databaseUrl,
    redisUrl: null,
    hasSigner,
    env: { LOG_LEVEL: 'warn', CONCENTRATOR_IDENTITY: IDENTITY, CONCENTRATOR_LIVENESS_SEC: '86400' },
  })
  atEnd(() => culvert.stop())
  return {
    culvert,
    name: 'concentrator',
    pid: culvert.process('concentrator').pid,
    load: { remoteAddress: SERVER_ADDRESS, remotePrefix: '10.127.0.0/24', remoteIdentity: IDENTITY },
  }
}

/** charon with a table for many SAs and without its limits on half-open ones: all devices come from one address. */
export async function startTheirs({ lab, atEnd }: BenchLab): Promise<TheirResponder> {
  const host = await lab.addHost('charon', `${THEIR_ADDRESS}/24`)
  await host.ip('addr', 'add', '10.98.0.1/32', 'dev', 'lo') // without an address in its selectors it installs no policy
  const charon = await startStrongswan({
    namespace: host,
    name: 'gateway',
    logLevel: 0,
    charon: 'ikesa_table_size = 16384\n  ikesa_table_segments = 16\n  dos_protection = no',
    swanctlConf: `connections { devices {
      version = 2
      proposals = aes256gcm16-prfsha256-x25519
      local_addrs = ${THEIR_ADDRESS}
      pools = vip
      encap = yes
      unique = never
      local { auth = psk
        id = ${IDENTITY} }
      remote { auth = psk }
      children { net { local_ts = 10.98.0.0/24
        esp_proposals = aes256gcm16 } } } }
    pools { vip { addrs = 10.99.0.0/16 } }
    secrets { ike-any { secret = "${THEIR_SECRET}" } }`,
  })
  atEnd(() => charon.stop())
  return {
    name: 'strongSwan 5.9.8',
    host,
    pid: charon.pid,
    load: { remoteAddress: THEIR_ADDRESS, remotePrefix: '10.98.0.0/24', remoteIdentity: IDENTITY },
  }
}

/** Devices that strongSwan's one secret fits. */
export function sharedSecretFleet(count: number): FleetMember[] {
  return Array.from({ length: count }, (_, index) => ({
    identity: `device-${index}.devices.example`,
    proof: { kind: 'psk', secret: THEIR_SECRET },
  }))
}

export type Load = (what: '/attach' | '/detach', from: number, count: number) => Promise<LoadAnswer>

/** @param address outer address of the host all devices live on */
export async function startLoad(
  { lab, atEnd }: BenchLab,
  { load }: Responder,
  fleet: readonly FleetMember[],
  {
    address,
    atOnce,
    isHybrid = false,
  }: Pick<LoadOptions, 'atOnce'> & { readonly address: string; readonly isHybrid?: boolean },
): Promise<Load> {
  const host = await lab.addHost(`fleet${address.split('.').at(-1)}`, `${address}/24`)
  const folder = await scratchFolder()
  atEnd(async () => fs.rmSync(folder, { recursive: true, force: true }))
  const fleetFile = path.join(folder, 'fleet.json')
  const socketPath = path.join(folder, 'load')
  fs.writeFileSync(fleetFile, JSON.stringify(fleet), { mode: 0o600 })
  const options: LoadOptions = { fleet: fleetFile, localAddress: address, atOnce, isHybrid, ...load }
  const program = path.join(import.meta.dirname, 'ike-load.ts')
  const loader = host.spawn(process.execPath, ['--conditions=source', program, socketPath, JSON.stringify(options)])
  atEnd(() => loader.stop())
  await waitFor(() => loader.output().includes('fleet ready'), { timeoutMs: 60_000, message: 'the fleet' })
  return (what, from, count) => post(socketPath, what, { from, count })
}

function post(socketPath: string, what: string, body: object): Promise<LoadAnswer> {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath, path: what, method: 'POST' }, (response) => {
      let answer = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (answer += chunk))
      response.on('end', () => {
        const parsed = JSON.parse(answer) as LoadAnswer | { readonly error: string }
        if ('error' in parsed) reject(new Error(parsed.error))
        else resolve(parsed)
      })
    })
    request.on('error', reject)
    request.end(JSON.stringify(body))
  })
}
