/**
 * Our IKEv2 core and a strongSwan, each in a host of a lab, IKE alone:
 *
 *   ours 192.0.2.1, 192.0.2.2, 2001:db8::1 ── bridge ── strongSwan 192.0.2.11, 2001:db8::11
 */
import fs from 'node:fs'
import { createLab, type Lab, type Namespace, startStrongswan, type Strongswan, waitFor } from '@culvert/testkit'
import { createClosings } from './closings.ts'
import type { CharonSettings } from './fleet.ts'
import { type IkeProgram, type IkeProgramName, startIkeProgram } from './ike-program.ts'
import type { InitiatorOptions } from './initiator-program.ts'
import { createOpensslCa, type IssuedCertificate, type OpensslCa, type OpensslKey } from './openssl-ca.ts'
import type { ResponderOptions } from './responder-program.ts'

export const OURS = { ip4: '192.0.2.1', other4: '192.0.2.2', ip6: '2001:db8::1' } as const
export const SWAN = { ip4: '192.0.2.11', other4: '192.0.2.12', ip6: '2001:db8::11' } as const
export const SECRET = 'a secret of a device and a concentrator'

export interface CoreScene {
  readonly lab: Lab
  readonly folder: string
  readonly ours: Namespace
  readonly theirs: Namespace
  /** What runs now; each `strongswan` ends the one before. */
  readonly swan: Strongswan
  strongswan(swanctlConf: string, settings?: CharonSettings): Promise<Strongswan>
  /** Our responder; it ends the program of ours that was at this address, and ends with the scene. */
  respond(options: ResponderOptions, address?: string): Promise<IkeProgram>
  /** Our initiator, which begins at once; it ends all other programs of ours, so that every address of ours is free. */
  initiate(options: InitiatorOptions, remote?: string): Promise<IkeProgram>
  /** A key and a certificate of this kind for either end, made once. */
  certified(kind: OpensslKey): Promise<CertifiedPair>
  /** Waits for something in charon's log. */
  told(pattern: RegExp): Promise<void>
  close(): Promise<void>
}

export async function openCoreScene(): Promise<CoreScene> {
  const closings = createClosings()
  const folder = await closings.folder()
  const lab = await createLab()
  closings.add(() => lab.close())
  const ours = await lab.addHost('ours', `${OURS.ip4}/24`)
  const theirs = await lab.addHost('swan', `${SWAN.ip4}/24`)
  await ours.ip('addr', 'add', `${OURS.other4}/24`, 'dev', 'eth0')
  await ours.ip('addr', 'add', `${OURS.ip6}/64`, 'dev', 'eth0', 'nodad')
  await theirs.ip('addr', 'add', `${SWAN.ip6}/64`, 'dev', 'eth0', 'nodad')
  await theirs.ip('addr', 'add', '10.98.0.1/32', 'dev', 'lo') // libipsec wants an address of ours within the selectors
  let swan: Strongswan | null = null
  closings.add(() => swan?.kill())
  const running = (): Strongswan => {
    if (swan === null) throw new Error('no strongSwan was started')
    return swan
  }
  const programs = new Map<string, IkeProgram>()
  closings.add(() => Promise.all([...programs.values()].map((program) => program.stop())))
  const start = async (program: IkeProgramName, address: string, args: readonly string[]): Promise<IkeProgram> => {
    await programs.get(address)?.stop()
    programs.delete(address)
    const started = await startIkeProgram(ours, program, [address, ...args])
    programs.set(address, started)
    return started
  }
  const pairs = new Map<OpensslKey, Promise<CertifiedPair>>()
  return {
    lab,
    folder,
    ours,
    theirs,
    get swan() {
      return running()
    },
    async strongswan(swanctlConf, settings = {}) {
      await swan?.kill()
      swan = null
      swan = await startStrongswan({ namespace: theirs, name: 'swan', swanctlConf, retransmitTries: 3, ...settings })
      return swan
    },
    respond: (options, address = OURS.ip4) => start('responder-program', address, [JSON.stringify(options)]),
    initiate: async (options, remote = SWAN.ip4) => {
      for (const program of programs.values()) await program.stop()
      const local = remote.includes(':') ? OURS.ip6 : OURS.ip4
      return start('initiator-program', local, [remote, JSON.stringify(options)])
    },
    certified(kind) {
      const pair = pairs.get(kind) ?? certify(folder, kind)
      pairs.set(kind, pair)
      return pair
    },
    async told(pattern) {
      const story = (): string => running().log().split('\n').slice(-40).join('\n')
      await waitFor(() => pattern.test(running().log()), { message: `${pattern} in` }).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${story()}`, { cause: error })
      })
    },
    close: closings.close,
  }
}

/** How a strongSwan of this scene is configured as a device; each text replaces the usual one. */
export interface DeviceConf {
  readonly to?: string
  readonly ike?: string
  readonly esp?: string
  /** Contents of the sections `local` and `remote`. */
  readonly local?: string
  readonly remote?: string
  /** More settings of the connection, the child and the secrets. */
  readonly connection?: string
  readonly child?: string
  readonly secrets?: string
}

export function deviceConf(conf: DeviceConf = {}): string {
  const { to = OURS.ip4, ike = 'aes256gcm16-prfsha256-x25519', esp = 'aes256gcm16' } = conf
  const pskSecret = `ike-one { id-1 = one.devices.example
    id-2 = concentrator.example
    secret = "${SECRET}" }`
  return `connections { one {
  version = 2
  remote_addrs = ${to}
  proposals = ${ike}
  vips = 0.0.0.0
  encap = yes
  rekey_time = 0
  ${conf.connection ?? ''}
  local { id = one.devices.example
    ${conf.local ?? 'auth = psk'} }
  remote { id = concentrator.example
    ${conf.remote ?? 'auth = psk'} }
  children { net { remote_ts = 10.127.0.0/24
    esp_proposals = ${esp}
    rekey_time = 0
    ${conf.child ?? ''} } }
} }
secrets { ${conf.secrets ?? pskSecret} }`
}

/** And as a responder for devices. */
export function gatewayConf(conf: DeviceConf = {}): string {
  const { ike = 'aes256gcm16-prfsha256-x25519', esp = 'aes256gcm16' } = conf
  return `connections { devices {
  version = 2
  local_addrs = %any
  proposals = ${ike}
  pools = vip
  encap = yes
  rekey_time = 0
  ${conf.connection ?? ''}
  local { id = concentrator.example
    ${conf.local ?? 'auth = psk'} }
  remote { id = one.devices.example
    ${conf.remote ?? 'auth = psk'} }
  children { net { local_ts = 10.98.0.0/24
    esp_proposals = ${esp}
    rekey_time = 0
    ${conf.child ?? ''} } }
} }
pools { vip { addrs = 10.99.0.0/16 } }
secrets { ${conf.secrets ?? `ike-one { id-1 = one.devices.example\n secret = "${SECRET}" }`} }`
}

/** A key and a certificate of one kind for either end, of one authority. */
export interface CertifiedPair {
  readonly ca: OpensslCa
  readonly concentrator: IssuedCertificate
  readonly device: IssuedCertificate
  /** For charon: the key and certificate of one end, and the authority. */
  files(of: 'concentrator' | 'device'): Readonly<Record<string, string>>
}

async function certify(folder: string, kind: OpensslKey): Promise<CertifiedPair> {
  const place = fs.mkdtempSync(`${folder}/${kind}-`)
  const ca = await createOpensslCa(place)
  const concentrator = await ca.issue('concentrator.example', kind)
  const device = await ca.issue('one.devices.example', kind)
  const both = { concentrator, device }
  const read = (file: string): string => fs.readFileSync(file, 'utf8')
  return {
    ca,
    concentrator,
    device,
    files: (of) => ({
      'x509ca/ca.pem': read(ca.certificate),
      'x509/own.pem': read(both[of].certificate),
      'private/own.pem': read(both[of].key),
    }),
  }
}
