/**
 * strongSwan's swanctl.conf, from 5.9 on. It works as it is pasted, once the markers in `secrets` are replaced by
 * `swanctl.secret` of the answers that issued the credentials and the files it names are there.
 */
import { comments, deviceLines } from '../comment.ts'
import type { DeviceConfigModel } from '../model.ts'
import { hexSecret, markerNotes, secretText } from '../secret.ts'
import { suitesFor } from '../suites.ts'
import type { Target } from '../target.ts'
import { fileNotes, files } from './strongswan-files.ts'
import { espSuites, ikeSuites } from './strongswan-suites.ts'

export const swanctl: Target = {
  mediaType: 'text/plain; charset=utf-8',
  extension: 'conf',
  refusal: () => null,
  render,
}

function render(model: DeviceConfigModel): string {
  const { concentrator, identity, remotePrefixes, timing } = model
  return `${head(model)}
connections {
  culvert {
    version = 2
    remote_addrs = ${concentrator.addresses.join(', ')}
    vips = ${virtualAddresses(model).join(', ')}
    proposals = ${suitesFor(model.tiers, ikeSuites).flat().join(', ')}
    encap = yes
    mobike = ${model.mobike ? 'yes' : 'no'}
    fragmentation = yes
    keyingtries = 0
    dpd_delay = ${timing.dpdDelaySec}s
    rekey_time = ${hours(timing.ikeRekeySec)}
${ppkLines(model)}    local {
${localLines(model)}
      id = ${identity}
    }
    remote {
${remoteLines(model)}
      id = ${concentrator.identity}
    }
    children {
      culvert {
${localSelectors(model)}        remote_ts = ${remotePrefixes.join(', ')}
        esp_proposals = ${suitesFor(model.tiers, espSuites).flat().join(', ')}
        start_action = start
        close_action = start
        dpd_action = restart
        rekey_time = ${hours(timing.childRekeySec)}
      }
    }
  }
}
${secrets(model)}`
}

const hours = (seconds: number): string => (seconds % 3600 === 0 ? `${seconds / 3600}h` : `${seconds}s`)

function head(model: DeviceConfigModel): string {
  return comments('#', [
    ...deviceLines(model.device),
    'Put this into /etc/swanctl/swanctl.conf (or conf.d/culvert.conf).',
    ...markerNotes(model, 'hex'),
    ...fileNotes(model.proof.kind),
    'Then run: swanctl --load-all',
  ])
}

export function virtualAddresses({ asksFor }: DeviceConfigModel): string[] {
  return [...(asksFor.ip4 ? ['0.0.0.0'] : []), ...(asksFor.ip6 ? ['::'] : [])]
}

function localLines({ proof }: DeviceConfigModel): string {
  switch (proof.kind) {
    case 'psk':
      return '      auth = psk'
    case 'certificate':
      return `      auth = pubkey\n      certs = ${files.certificate}`
    case 'eap':
      return `      auth = eap-mschapv2\n      eap_id = ${proof.userName}`
  }
}

/** `dynamic` is the leased address. Without a LAN it is the default, and the line is left out. */
function localSelectors({ lanPrefixes }: DeviceConfigModel): string {
  return lanPrefixes.length === 0 ? '' : `        local_ts = ${['dynamic', ...lanPrefixes].join(', ')}\n`
}

/** The concentrator proves itself by its certificate to everybody who does not share a key with it. */
function remoteLines({ proof }: DeviceConfigModel): string {
  return proof.kind === 'psk' ? '      auth = psk' : `      auth = pubkey\n      cacerts = ${files.ca}`
}

function ppkLines({ ppk }: DeviceConfigModel): string {
  return ppk ? `    ppk_id = ${ppk.identity}\n    ppk_required = ${ppk.isRequired ? 'yes' : 'no'}\n` : ''
}

function secrets(model: DeviceConfigModel): string {
  const { ppk } = model
  const entries = [
    proofSecret(model),
    ppk ? section('ppk-culvert', { id: ppk.identity, secret: secretText(model.secrets, 'ppk', hexSecret) }) : '',
  ].join('')
  return entries === '' ? '' : `\nsecrets {\n${entries}}\n`
}

function proofSecret({ proof, identity, concentrator, secrets: known }: DeviceConfigModel): string {
  switch (proof.kind) {
    case 'certificate':
      return ''
    case 'eap':
      return section('eap-culvert', { id: proof.userName, secret: secretText(known, 'eap', hexSecret) })
    case 'psk': {
      const ends = { 'id-device': identity, 'id-concentrator': concentrator.identity }
      return section('ike-culvert', { ...ends, secret: secretText(known, 'psk', hexSecret) })
    }
  }
}

function section(name: string, lines: Readonly<Record<string, string>>): string {
  const text = Object.entries(lines).map(([key, value]) => `    ${key} = ${value}\n`)
  return `  ${name} {\n${text.join('')}  }\n`
}
