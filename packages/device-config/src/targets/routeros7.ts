/**
 * Commands for MikroTik RouterOS 7. Its IKE SA has no AEAD, so it needs the tier `standard`; it asks for one IPv4 address and
 * has no place for LANs in a policy that is made of a template.
 */
import { ofFamily, oneAddress } from '../addresses.ts'
import { comments, deviceLines } from '../comment.ts'
import type { DeviceConfigModel } from '../model.ts'
import { markerNotes, secretText } from '../secret.ts'
import { suitesFor, type SuiteTable } from '../suites.ts'
import { firstRefusal, noTier, requiredPpk, type Target } from '../target.ts'

interface Suite {
  readonly hash: string
  readonly groups: string
  readonly ciphers: string
}

const suites: SuiteTable<Suite> = {
  standard: { hash: 'sha256', groups: 'ecp256,modp2048', ciphers: 'aes-256-gcm,aes-256-cbc' },
  compat: { hash: 'sha1', groups: 'modp1536', ciphers: 'aes-256-cbc' },
}

export const routeros7: Target = {
  mediaType: 'text/plain; charset=utf-8',
  extension: 'rsc',
  refusal: (model) =>
    firstRefusal(
      suitesFor(model.tiers, suites).length === 0 && noTier(model),
      requiredPpk(model),
      model.proof.kind === 'certificate' &&
        (model.proof.key ?? 'rsa') !== 'rsa' &&
        'it signs with RSA alone, and the key of the certificate is another one',
      !model.asksFor.ip4 && 'it asks for IPv4 alone, and the device has none',
    ),
  render,
}

function render(model: DeviceConfigModel): string {
  const { timing, concentrator } = model
  const suite = suitesFor(model.tiers, suites)[0] ?? { hash: '', groups: '', ciphers: '' }
  const commands = [
    command('profile add', {
      name: 'culvert',
      'enc-algorithm': 'aes-256',
      'hash-algorithm': suite.hash,
      'prf-algorithm': suite.hash,
      'dh-group': suite.groups,
      'dpd-interval': `${timing.dpdDelaySec}s`,
      'dpd-maximum-failures': '4',
      lifetime: `${timing.ikeRekeySec}s`,
      'nat-traversal': 'yes',
    }),
    command('proposal add', {
      name: 'culvert',
      'auth-algorithms': suite.hash,
      'enc-algorithms': suite.ciphers,
      lifetime: `${timing.childRekeySec}s`,
      'pfs-group': 'none',
    }),
    command('mode-config add', { name: 'culvert', responder: 'no' }),
    command('policy group add', { name: 'culvert' }),
    ...ofFamily(model.remotePrefixes, 4).map((prefix) =>
      command('policy add', {
        template: 'yes',
        group: 'culvert',
        'src-address': '0.0.0.0/0',
        'dst-address': prefix,
        proposal: 'culvert',
      }),
    ),
    command('peer add', {
      name: 'culvert',
      address: oneAddress(concentrator.addresses),
      'exchange-mode': 'ike2',
      profile: 'culvert',
    }),
    command('identity add', identity(model)),
  ]
  return `${head(model)}\n${commands.join('')}`
}

function head(model: DeviceConfigModel): string {
  const left = [
    ...(model.lanPrefixes.length > 0 ? ['the LANs behind the device'] : []),
    ...(model.asksFor.ip6 ? ['IPv6'] : []),
    ...(model.ppk ? ['the post-quantum key of the device'] : []),
  ]
  return comments('#', [
    ...deviceLines(model.device),
    'RouterOS 7: paste this into a terminal, or import it as a file. Written from the documentation of the vendor.',
    ...markerNotes(model, 'text').filter((note) => !note.includes('PPK')),
    ...(model.proof.kind === 'psk' ? [] : ['First: /certificate import what GET /v1/ca answers, and trust it.']),
    ...(model.proof.kind === 'certificate'
      ? ['Then the certificate of the credential with its RSA key, under the name "culvert-device".']
      : []),
    ...(left.length > 0 ? [`Not carried by RouterOS: ${left.join(', ')}.`] : []),
  ])
}

function identity(model: DeviceConfigModel): Record<string, string> {
  const { proof, secrets } = model
  return {
    peer: 'culvert',
    'my-id': `fqdn:${model.identity}`,
    'remote-id': `fqdn:${model.concentrator.identity}`,
    'mode-config': 'culvert',
    'policy-template-group': 'culvert',
    'generate-policy': 'port-strict',
    ...(proof.kind === 'psk' && { 'auth-method': 'pre-shared-key', secret: secretText(secrets, 'psk', escaped) }),
    ...(proof.kind === 'certificate' && { 'auth-method': 'digital-signature', certificate: 'culvert-device' }),
    ...(proof.kind === 'eap' && {
      'auth-method': 'eap',
      'eap-methods': 'eap-mschapv2',
      certificate: '',
      username: proof.userName,
      password: secretText(secrets, 'eap', escaped),
    }),
  }
}

/** Values are quoted, all of them; they are plain or escaped already. */
function command(path: string, values: Readonly<Record<string, string>>): string {
  const text = Object.entries(values).map(([key, value]) => `${key}="${value}"`)
  return `/ip ipsec ${path} ${text.join(' ')}\n`
}

/** Inside quotes: what means something there stands as its octet. */
function escaped(text: string): string {
  return text.replace(/["\\$?]/g, (character) => `\\${character.charCodeAt(0).toString(16).toUpperCase()}`)
}
