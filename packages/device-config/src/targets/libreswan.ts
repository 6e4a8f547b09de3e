/**
 * libreswan's ipsec.conf, from 4.6 on. Its secrets live in a file of their own; the line for it stands in the comments, so that
 * the whole can be loaded as it is. A Child SA of it has one pair of selectors: the prefix that gateways dial from.
 */
import { ofFamily } from '../addresses.ts'
import { comments, deviceLines } from '../comment.ts'
import type { CertificateKey, DeviceConfigModel } from '../model.ts'
import { hexSecret, markerNotes, secretText } from '../secret.ts'
import { suitesFor, type SuiteTable } from '../suites.ts'
import { firstRefusal, type Target } from '../target.ts'

export const libreswan: Target = {
  mediaType: 'text/plain; charset=utf-8',
  extension: 'conf',
  refusal: ({ proof, asksFor }) =>
    firstRefusal(
      proof.kind === 'eap' && 'it knows EAP-TLS alone, not EAP with a password',
      keyOf(proof) === 'ed25519' && 'its common versions know no Ed25519, the key of the certificate',
      !asksFor.ip4 && 'its Child SA carries IPv4 here, and the device has none',
    ),
  render,
}

const suites: SuiteTable<{ readonly ike: readonly string[]; readonly esp: readonly string[] }> = {
  modern: {
    ike: ['aes_gcm256-sha2_384-dh31', 'aes_gcm256-sha2_256-dh31', 'aes_gcm256-sha2_256-dh19'],
    esp: ['aes_gcm256', 'aes_gcm128'],
  },
  standard: { ike: ['aes256-sha2_256-dh14'], esp: ['aes256-sha2_256'] },
  compat: { ike: ['aes256-sha1-dh5'], esp: ['aes256-sha1'] },
}

const nickname = 'culvert-device'

function render(model: DeviceConfigModel): string {
  const { concentrator, identity, timing, ppk } = model
  const used = suitesFor(model.tiers, suites)
  const lines = [
    'ikev2=insist',
    'left=%defaultroute',
    `leftid=@${identity}`,
    'leftsubnet=0.0.0.0/0',
    'leftmodecfgclient=yes',
    `right=${concentrator.addresses[0]}`,
    `rightid=@${concentrator.identity}`,
    `rightsubnet=${ofFamily(model.remotePrefixes, 4)[0]}`,
    'narrowing=yes',
    ...proofLines(model),
    ...(ppk ? [`ppk=${ppk.isRequired ? 'insist' : 'yes'}`] : []),
    `ike=${used.flatMap(({ ike }) => ike).join(',')}`,
    `esp=${used.flatMap(({ esp }) => esp).join(',')}`,
    'encapsulation=yes',
    `mobike=${model.mobike ? 'yes' : 'no'}`,
    'fragmentation=yes',
    `ikelifetime=${timing.ikeRekeySec}s`,
    `salifetime=${timing.childRekeySec}s`,
    `dpddelay=${timing.dpdDelaySec}s`,
    `dpdtimeout=${4 * timing.dpdDelaySec}s`,
    'dpdaction=restart',
    'auto=start',
  ]
  return `${head(model)}\nconn culvert\n${lines.map((line) => `    ${line}\n`).join('')}`
}

function head(model: DeviceConfigModel): string {
  const secrets = secretLines(model)
  const { lanPrefixes, asksFor, remotePrefixes } = model
  const left = [
    ...(lanPrefixes.length > 0 ? ['the LANs behind the device'] : []),
    ...(asksFor.ip6 ? ['IPv6'] : []),
    ...(ofFamily(remotePrefixes, 4).length > 1 ? ['the other devices of its network'] : []),
  ]
  return comments('#', [
    ...deviceLines(model.device),
    'Put this into /etc/ipsec.d/culvert.conf.',
    ...(secrets.length > 0 ? ['Put these lines, without the "#", into /etc/ipsec.d/culvert.secrets (mode 600):'] : []),
    ...secrets,
    ...markerNotes(model, 'hex'),
    ...(model.proof.kind === 'certificate'
      ? [
          `Import the certificate of the credential with its key into NSS as "${nickname}" (ipsec import file.p12),`,
          'and what GET /v1/ca answers: certutil -A -d sql:/var/lib/ipsec/nss -n culvert-ca -t CT,, -a -i ca.pem',
        ]
      : []),
    ...(left.length > 0 ? [`Not carried by libreswan, which takes one pair of selectors: ${left.join(', ')}.`] : []),
    'Then run: ipsec start (or ipsec addconn culvert, ipsec up culvert)',
  ])
}

function secretLines({ proof, identity, concentrator, ppk, secrets }: DeviceConfigModel): string[] {
  const psk = `@${identity} @${concentrator.identity} : PSK ${secretText(secrets, 'psk', hexSecret)}`
  const ends = proof.kind === 'psk' ? [psk] : []
  return [
    ...ends,
    ...(ppk
      ? [`@${identity} @${concentrator.identity} : PPKS "${ppk.identity}" ${secretText(secrets, 'ppk', ppkText)}`]
      : []),
  ]
}

/** Visible ASCII of base64url: nothing to quote but the ends. */
const ppkText = (text: string): string => `"${text}"`

/** It has to be told the kind of its key; before there is a certificate, the usual one is taken. */
function keyOf(proof: DeviceConfigModel['proof']): CertificateKey | null {
  return proof.kind === 'certificate' ? (proof.key ?? 'ecdsa') : null
}

function proofLines({ proof }: DeviceConfigModel): string[] {
  if (proof.kind === 'psk') return ['authby=secret']
  const authby = keyOf(proof) === 'rsa' ? 'rsa-sha2' : 'ecdsa'
  return [`leftcert=${nickname}`, 'leftsendcert=always', 'rightca=%same', `authby=${authby}`]
}
