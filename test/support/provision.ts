/**
 * Devices with every kind of credential, provisioned as a customer does it: registered, credential issued, configuration and files
 * put where the configuration says. The device makes the key of its certificate itself.
 */
import {
  newCertificateRequest,
  startStrongswan,
  type Namespace,
  type RequestKey,
  type Strongswan,
} from '@culvert/testkit'
import { nextIccid, type CharonSettings } from './fleet.ts'
import type { Api } from './installation.ts'

export type ProvisionKind = 'psk' | 'certificate' | 'eap-mschapv2' | 'eap-tls'

export interface ProvisionOptions {
  readonly kind: ProvisionKind
  /** Of the certificate; ECDSA when left out. */
  readonly key?: RequestKey
  readonly ppk?: 'optional' | 'required'
  /** Left out: those of the network. */
  readonly proposalTiers?: readonly string[]
  /** certificate: of an authority of the organization, with its key; the signer makes one when left out. */
  readonly foreign?: { readonly authorityId: string; readonly certificate: string; readonly key: string }
  /** Changes the configuration before it is loaded. */
  readonly edit?: (swanctlConf: string) => string
}

export interface Provisioned {
  readonly id: string
  readonly ikeIdentity: string
  readonly address4: string
  /** By which it proves itself; the PPK is another one. */
  readonly credentialId: string
  readonly swanctlConf: string
  /** Its name and secret; null without. */
  readonly ppk: { readonly identity: string; readonly secret: string } | null
  /** By path below the swanctl folder. */
  readonly files: Readonly<Record<string, string>>
}

interface Issued {
  readonly id: string
  readonly identity?: string | null
  readonly ppk?: string
  readonly certificate: { readonly chain: string | null } | null
  readonly swanctl?: { readonly placeholder: string; readonly secret: string }
}

export async function provision(api: Api, name: string, options: ProvisionOptions): Promise<Provisioned> {
  const { kind, key, ppk, proposalTiers, foreign, edit = (conf) => conf } = options
  const device = await demand<{ id: string; ikeIdentity: string; address: string }>(api, 'POST', '/v1/devices', {
    iccid: nextIccid(),
    name,
    ...(proposalTiers && { proposalTiers }),
  })
  const credentials = `/v1/devices/${device.id}/credentials`
  const secrets: Issued[] = []
  if (ppk) secrets.push(await demand<Issued>(api, 'POST', credentials, { kind: 'ppk', required: ppk === 'required' }))
  const isCertified = kind === 'certificate' || kind === 'eap-tls'
  const request = newCertificateRequest(name, key)
  const credential = isCertified
    ? await demand<Issued>(api, 'POST', credentials, {
        kind: 'certificate',
        ...(foreign ? { authorityId: foreign.authorityId, certificate: foreign.certificate } : { csr: request.csr }),
      })
    : await demand<Issued>(api, 'POST', credentials, { kind: kind === 'psk' ? 'psk' : 'eap' })
  secrets.push(credential)
  const config = await api('GET', `/v1/devices/${device.id}/config?target=swanctl`)
  if (config.status !== 200) throw new Error(`config: ${config.status} ${config.text}`)
  const filled = secrets.reduce(
    (conf, { swanctl }) => (swanctl ? conf.replaceAll(swanctl.placeholder, swanctl.secret) : conf),
    config.text,
  )
  const conf = kind === 'eap-tls' ? filled.replace('auth = pubkey', 'auth = eap-tls') : filled
  return {
    id: device.id,
    ikeIdentity: device.ikeIdentity,
    address4: device.address,
    credentialId: credential.id,
    swanctlConf: edit(conf),
    ppk: ppkOf(secrets),
    files: {
      ...(kind !== 'psk' && { 'x509ca/culvert-ca.pem': (await api('GET', '/v1/ca')).text }),
      ...(isCertified && {
        'x509/culvert-device.pem': credential.certificate?.chain ?? '',
        'private/culvert-device.key':
          foreign?.key ?? request.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
      }),
    },
  }
}

function ppkOf(secrets: readonly Issued[]): Provisioned['ppk'] {
  const issued = secrets.find(({ ppk }) => ppk !== undefined)
  return issued?.ppk && issued.identity ? { identity: issued.identity, secret: issued.ppk } : null
}

export function startProvisioned(
  { swanctlConf, files }: Provisioned,
  namespace: Namespace,
  name: string,
  charon: CharonSettings = {},
): Promise<Strongswan> {
  return startStrongswan({ ...charon, namespace, name, swanctlConf, files: { ...files, ...charon.files } })
}

/** A call that has to succeed. */
async function demand<T>(api: Api, method: string, route: string, body: unknown): Promise<T> {
  const answer = await api<T>(method, route, body)
  if (answer.status !== 201) throw new Error(`${method} ${route}: ${answer.status} ${answer.text}`)
  return answer.body
}
