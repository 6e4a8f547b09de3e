/**
 * A device's configuration for strongSwan's swanctl.conf. It works as it is pasted, once the markers in `secrets` are replaced by
 * `swanctl.secret` of the answers that issued the credentials (the API cannot read a secret back) and the files it names are there.
 */
import type { ProposalTier } from '@culvert/lifecycle'
import type { DeviceProof } from './device-proof.ts'

export const placeholders = { psk: '@CULVERT-PSK@', eap: '@CULVERT-PASSWORD@', ppk: '@CULVERT-PPK@' } as const

export interface SwanctlInput {
  readonly deviceId: string
  readonly deviceName: string
  readonly deviceIdentity: string
  readonly proof: DeviceProof
  readonly tiers: readonly ProposalTier[]
  readonly concentratorAddresses: readonly string[]
  readonly concentratorIdentity: string
  /** What the device routes into the tunnel: where gateways dial from, and the pools of its network where devices may reach each other. */
  readonly servicePrefixes: readonly string[]
  /** One of each family that it asks for. */
  readonly virtualAddresses: readonly ('0.0.0.0' | '::')[]
  /** LANs behind the device. */
  readonly lanPrefixes: readonly string[]
}

/** Bytes in hexadecimal: no quoting, and a key that begins with 0x or 0s is not taken for an encoding. */
export function swanctlSecret(secret: string): string {
  return `0x${Buffer.from(secret, 'latin1').toString('hex')}`
}

export function swanctlConfig(input: SwanctlInput): string {
  const { deviceIdentity, concentratorAddresses, concentratorIdentity, servicePrefixes, virtualAddresses, proof } =
    input
  const { ike, esp } = proposals(input.tiers)
  return `${head(input)}
connections {
  culvert {
    version = 2
    remote_addrs = ${concentratorAddresses.join(', ')}
    vips = ${virtualAddresses.join(', ')}
    proposals = ${ike}
    encap = yes
    fragmentation = yes
    keyingtries = 0
    dpd_delay = 30s
    rekey_time = 4h
${ppkLines(proof)}    local {
${localLines(input)}
      id = ${deviceIdentity}
    }
    remote {
${remoteLines(proof)}
      id = ${concentratorIdentity}
    }
    children {
      culvert {
${localSelectors(input)}        remote_ts = ${servicePrefixes.join(', ')}
        esp_proposals = ${esp}
        start_action = start
        close_action = start
        dpd_action = restart
        rekey_time = 1h
      }
    }
  }
}
${secrets(input)}`
}

const files = {
  ca: 'x509ca/culvert-ca.pem',
  certificate: 'x509/culvert-device.pem',
  key: 'private/culvert-device.key',
}

/** What is to be done with the file, as comments. */
function head({ deviceId, deviceName, proof }: SwanctlInput): string {
  const markers = [
    ...(proof.kind === 'certificate' ? [] : [placeholders[proof.kind]]),
    ...(proof.ppk ? [placeholders.ppk] : []),
  ]
  const lines = [
    `Culvert device ${deviceId}: ${deviceName}`,
    'Put this into /etc/swanctl/swanctl.conf (or conf.d/culvert.conf).',
    ...(markers.length > 0
      ? [
          `Replace ${markers.join(' and ')} in "secrets" by the`,
          '"swanctl.secret" that was shown when the credential was issued.',
        ]
      : []),
    ...(proof.kind === 'psk' ? [] : [`Put what GET /v1/ca answers into /etc/swanctl/${files.ca}.`]),
    ...(proof.kind === 'certificate'
      ? [
          `Put the certificate of the credential ("certificate.chain") into /etc/swanctl/${files.certificate},`,
          `and the key that its request was made with into /etc/swanctl/${files.key}.`,
        ]
      : []),
    'Then run: swanctl --load-all',
  ]
  return lines.map((line) => `# ${line}\n`).join('')
}

function localLines({ proof, deviceIdentity }: SwanctlInput): string {
  switch (proof.kind) {
    case 'psk':
      return '      auth = psk'
    case 'certificate':
      return `      auth = pubkey\n      certs = ${baseName(files.certificate)}`
    case 'eap':
      return `      auth = eap-mschapv2\n      eap_id = ${proof.userName ?? deviceIdentity}`
  }
}

/** `dynamic` is the leased address. Without a LAN it is the default, and the line is left out. */
function localSelectors({ lanPrefixes }: SwanctlInput): string {
  return lanPrefixes.length === 0 ? '' : `        local_ts = ${['dynamic', ...lanPrefixes].join(', ')}\n`
}

/** The concentrator proves itself by its certificate to everybody who does not share a key with it. */
function remoteLines({ kind }: DeviceProof): string {
  return kind === 'psk' ? '      auth = psk' : `      auth = pubkey\n      cacerts = ${baseName(files.ca)}`
}

function ppkLines({ ppk }: DeviceProof): string {
  return ppk ? `    ppk_id = ${ppk.identity}\n    ppk_required = ${ppk.isRequired ? 'yes' : 'no'}\n` : ''
}

function secrets({ proof, deviceIdentity, concentratorIdentity }: SwanctlInput): string {
  const psk = `  ike-culvert {
    id-device = ${deviceIdentity}
    id-concentrator = ${concentratorIdentity}
    secret = ${placeholders.psk}
  }
`
  const eap = `  eap-culvert {
    id = ${proof.userName ?? deviceIdentity}
    secret = ${placeholders.eap}
  }
`
  const entries = { psk, eap, certificate: '' }[proof.kind]
  const ppk = proof.ppk
    ? `  ppk-culvert {\n    id = ${proof.ppk.identity}\n    secret = ${placeholders.ppk}\n  }\n`
    : ''
  return entries + ppk === '' ? '' : `\nsecrets {\n${entries}${ppk}}\n`
}

const suites: Readonly<Record<ProposalTier, { readonly ike: readonly string[]; readonly esp: readonly string[] }>> = {
  modern: {
    ike: ['aes256gcm16-prfsha384-x25519', 'aes256gcm16-prfsha256-x25519', 'aes256gcm16-prfsha256-ecp256'],
    esp: ['aes256gcm16-x25519', 'aes128gcm16-x25519', 'aes256gcm16', 'aes128gcm16'],
  },
  standard: { ike: ['aes256-sha256-prfsha256-modp2048'], esp: ['aes256-sha256'] },
  compat: { ike: ['aes256-sha1-prfsha1-modp1536'], esp: ['aes256-sha1'] },
}

/** strongSwan needs `compat` only where nothing else is allowed. */
function proposals(tiers: readonly ProposalTier[]): { ike: string; esp: string } {
  const strong = tiers.filter((tier) => tier !== 'compat')
  const used = (strong.length > 0 ? strong : tiers).map((tier) => suites[tier])
  return { ike: used.flatMap(({ ike }) => ike).join(', '), esp: used.flatMap(({ esp }) => esp).join(', ') }
}

function baseName(file: string): string {
  return file.slice(file.indexOf('/') + 1)
}
