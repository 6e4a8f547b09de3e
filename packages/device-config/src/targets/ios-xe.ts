/**
 * Commands for Cisco IOS-XE (FlexVPN client). The console takes `?` for a question, so a shared key with one in it cannot be
 * typed there.
 */
import { isIpv4, networkAndMask, ofFamily, oneAddress } from '../addresses.ts'
import { comments, deviceLines } from '../comment.ts'
import type { DeviceConfigModel } from '../model.ts'
import { markerNotes, plainHex, secretText } from '../secret.ts'
import { suitesFor, type SuiteTable } from '../suites.ts'
import { firstRefusal, type Target } from '../target.ts'

interface Suite {
  readonly name: string
  readonly ike: readonly string[]
  readonly transform: string
}

const suites: SuiteTable<Suite> = {
  modern: {
    name: 'CULVERT-GCM',
    ike: ['encryption aes-gcm-256', 'prf sha384', 'group 20 19'],
    transform: 'esp-gcm 256',
  },
  standard: {
    name: 'CULVERT-CBC',
    ike: ['encryption aes-cbc-256', 'integrity sha256', 'group 14'],
    transform: 'esp-aes 256 esp-sha256-hmac',
  },
  compat: {
    name: 'CULVERT-SHA1',
    ike: ['encryption aes-cbc-256', 'integrity sha1', 'group 5'],
    transform: 'esp-aes 256 esp-sha-hmac',
  },
}

export const iosXe: Target = {
  mediaType: 'text/plain; charset=utf-8',
  extension: 'cfg',
  refusal: ({ proof, secrets, asksFor, concentrator }) =>
    firstRefusal(
      proof.kind === 'eap' && 'it is written for shared keys and certificates alone',
      proof.kind === 'certificate' && proof.key === 'ed25519' && 'it knows no Ed25519, the key of the certificate',
      typeof secrets.psk === 'string' &&
        /[?!"]/.test(secrets.psk) &&
        'its console cannot take a shared key with one of these characters: ? ! "',
      !asksFor.ip4 && 'the tunnel interface asks for IPv4, and the device has none',
      !isIpv4(oneAddress(concentrator.addresses)) && 'the concentrator has no IPv4 address',
    ),
  render,
}

function render(model: DeviceConfigModel): string {
  const used = suitesFor(model.tiers, suites)
  const address = oneAddress(model.concentrator.addresses)
  const blocks = [
    ...used.map(({ name, ike }) => [`crypto ikev2 proposal ${name}`, ...ike]),
    ['crypto ikev2 policy CULVERT', 'match fvrf any', ...used.map(({ name }) => `proposal ${name}`)],
    ...keyring(model, address),
    ['aaa new-model'],
    ['aaa authorization network CULVERT local'],
    ['crypto ikev2 authorization policy CULVERT', 'route set interface'],
    profile(model),
    ...used.map(({ name, transform }) => [`crypto ipsec transform-set ${name} ${transform}`, 'mode tunnel']),
    [
      'crypto ipsec profile CULVERT',
      `set security-association lifetime seconds ${model.timing.childRekeySec}`,
      `set transform-set ${used.map(({ name }) => name).join(' ')}`,
      'set ikev2-profile CULVERT',
    ],
    [
      'interface Tunnel4500',
      'ip address negotiated',
      'tunnel source dynamic',
      'tunnel mode ipsec ipv4',
      'tunnel destination dynamic',
      'tunnel protection ipsec profile CULVERT',
    ],
    ['crypto ikev2 client flexvpn CULVERT', `peer 1 ${address}`, 'client connect Tunnel4500'],
    ...ofFamily(model.remotePrefixes, 4).map((prefix) => [`ip route ${networkAndMask(prefix)} Tunnel4500`]),
  ]
  return `${head(model)}${blocks.map(([first, ...rest]) => `${first}\n${rest.map((line) => ` ${line}\n`).join('')}!\n`).join('')}`
}

function head(model: DeviceConfigModel): string {
  const left = [
    ...(model.lanPrefixes.length > 0 ? ['the LANs behind the device'] : []),
    ...(model.asksFor.ip6 ? ['IPv6'] : []),
  ]
  return comments('!', [
    ...deviceLines(model.device),
    'IOS-XE 17: paste this in configuration mode. Written from the documentation of the vendor.',
    '"aaa new-model" changes how people log in to the router: see that they still can before you save.',
    'Name the interface towards the internet: under "crypto ikev2 client flexvpn CULVERT", "source 1 Cellular0/1/0 track 1".',
    ...markerNotes(model, 'text').map((note) =>
      note.includes('PPK') ? `${note.slice(0, -1)}, as hexadecimal of its characters.` : note,
    ),
    ...(model.proof.kind === 'certificate'
      ? ['First make the trustpoint CULVERT, with the certificate of the credential and what GET /v1/ca answers.']
      : []),
    ...(left.length > 0 ? [`Not carried by this configuration: ${left.join(', ')}.`] : []),
  ])
}

function keyring(model: DeviceConfigModel, address: string): string[][] {
  const { proof, ppk, secrets, concentrator } = model
  if (proof.kind !== 'psk' && ppk === null) return []
  return [
    [
      'crypto ikev2 keyring CULVERT',
      'peer CULVERT',
      ` address ${address}`,
      ` identity fqdn ${concentrator.identity}`,
      ...(proof.kind === 'psk' ? [` pre-shared-key ${secretText(secrets, 'psk', (text) => text)}`] : []),
      ...(ppk
        ? [
            ` ppk manual id ${ppk.identity} key hex ${secretText(secrets, 'ppk', plainHex)}${ppk.isRequired ? ' required' : ''}`,
          ]
        : []),
    ],
  ]
}

function profile({ proof, ppk, identity, concentrator, timing }: DeviceConfigModel): string[] {
  const isPsk = proof.kind === 'psk'
  const signature = proof.kind === 'certificate' && proof.key === 'ecdsa' ? 'ecdsa-sig' : 'rsa-sig'
  return [
    'crypto ikev2 profile CULVERT',
    `match identity remote fqdn ${concentrator.identity}`,
    `identity local fqdn ${identity}`,
    `authentication local ${isPsk ? 'pre-share' : signature}`,
    `authentication remote ${isPsk ? 'pre-share' : signature}`,
    ...(isPsk ? ['keyring local CULVERT'] : ['pki trustpoint CULVERT']),
    ...(ppk ? ['keyring ppk CULVERT'] : []),
    `lifetime ${timing.ikeRekeySec}`,
    `dpd ${timing.dpdDelaySec} 5 periodic`,
    `aaa authorization group ${isPsk ? 'psk' : 'cert'} list CULVERT CULVERT`,
  ]
}
