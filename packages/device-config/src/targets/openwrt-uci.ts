/**
 * OpenWrt's /etc/config/ipsec for its package strongswan-swanctl, in the two dialects there are: `openwrt-uci` with the option
 * names from August 2026 on, `openwrt-uci-legacy` with those before. The init script writes values into swanctl.conf as they
 * are, so nothing here needs quoting there.
 */
import { comments, deviceLines } from '../comment.ts'
import type { DeviceConfigModel } from '../model.ts'
import { hexSecret, markerNotes, secretText } from '../secret.ts'
import { suitesFor } from '../suites.ts'
import { firstRefusal, requiredPpk, type Target } from '../target.ts'
import { fileNotes, files } from './strongswan-files.ts'
import { espSuites, ikeSuites } from './strongswan-suites.ts'
import { virtualAddresses } from './swanctl.ts'

interface Dialect {
  readonly remoteAddresses: (addresses: readonly string[]) => Option[]
  readonly virtualAddress: string
  /** Type of the section of a Child SA, and the name of the list that refers to it. */
  readonly child: string
}

/** A list when the value is an array. */
type Option = readonly [name: string, value: string | readonly string[]]

export const openwrtUci = target({
  remoteAddresses: (addresses) => [['remote_addrs', addresses]],
  virtualAddress: 'vips',
  child: 'child',
})

export const openwrtUciLegacy = target({
  remoteAddresses: ([first = '']) => [['gateway', first]],
  virtualAddress: 'local_sourceip',
  child: 'tunnel',
})

function target(dialect: Dialect): Target {
  return {
    mediaType: 'text/plain; charset=utf-8',
    extension: 'uci',
    refusal: (model) =>
      firstRefusal(
        model.proof.kind === 'eap' && 'its init script knows EAP for the other end alone',
        requiredPpk(model),
      ),
    render: (model) => render(model, dialect),
  }
}

function render(model: DeviceConfigModel, dialect: Dialect): string {
  const { concentrator, identity, remotePrefixes, lanPrefixes, timing } = model
  const ike = suitesFor(model.tiers, ikeSuites).flat()
  const esp = suitesFor(model.tiers, espSuites).flat()
  const names = (kind: string, suites: readonly string[]): string[] =>
    suites.map((_, index) => `culvert_${kind}${index}`)
  const remote: Option[] = [
    ['enabled', '1'],
    ...dialect.remoteAddresses(concentrator.addresses),
    [dialect.virtualAddress, virtualAddresses(model)],
    ...proofOptions(model),
    ['local_identifier', identity],
    ['remote_identifier', concentrator.identity],
    ['keyexchange', 'ikev2'],
    ['encap', '1'],
    ['mobike', model.mobike ? '1' : '0'],
    ['fragmentation', 'yes'],
    ['keyingtries', '%forever'],
    ['dpddelay', `${timing.dpdDelaySec}s`],
    ['rekeytime', `${timing.ikeRekeySec}s`],
    ['crypto_proposal', names('ike', ike)],
    [dialect.child, ['culvert_child']],
  ]
  const child: Option[] = [
    ['mode', 'tunnel'],
    ...(lanPrefixes.length > 0 ? [['local_subnet', ['dynamic', ...lanPrefixes]] as const] : []),
    ['remote_subnet', remotePrefixes],
    ['startaction', 'start'],
    ['closeaction', 'start'],
    ['dpdaction', 'restart'],
    ['rekeytime', `${timing.childRekeySec}s`],
    ['crypto_proposal', names('esp', esp)],
  ]
  return [
    head(model),
    section('remote', 'culvert', remote),
    section(dialect.child, 'culvert_child', child),
    ...ike.map((suite, index) => section('crypto_proposal', `culvert_ike${index}`, suiteOptions(suite))),
    ...esp.map((suite, index) => section('crypto_proposal', `culvert_esp${index}`, suiteOptions(suite))),
  ].join('\n')
}

function head(model: DeviceConfigModel): string {
  return comments('#', [
    ...deviceLines(model.device),
    'Append this to /etc/config/ipsec (package strongswan-swanctl), then run: /etc/init.d/swanctl restart',
    ...markerNotes(model, 'hex').filter((note) => !note.includes('PPK')),
    ...fileNotes(model.proof.kind),
    ...(model.ppk ? ['The post-quantum key of the device is not used: UCI has no option for it.'] : []),
  ])
}

function proofOptions(model: DeviceConfigModel): Option[] {
  if (model.proof.kind === 'psk')
    return [
      ['authentication_method', 'psk'],
      ['pre_shared_key', secretText(model.secrets, 'psk', hexSecret)],
    ]
  return [
    ['authentication_method', 'pubkey'],
    ['local_cert', files.certificate],
    ['local_key', files.key],
    ['ca_cert', files.ca],
  ]
}

/** `aes256gcm16-prfsha384-x25519` in options of their own. */
function suiteOptions(suite: string): Option[] {
  const [encryption = '', ...others] = suite.split('-')
  const isPrf = (part: string): boolean => part.startsWith('prf')
  const isHash = (part: string): boolean => part.startsWith('sha')
  return others.reduce<Option[]>(
    (options, part) => [
      ...options,
      [isPrf(part) ? 'prf_algorithm' : isHash(part) ? 'hash_algorithm' : 'dh_group', part],
    ],
    [['encryption_algorithm', encryption]],
  )
}

function section(type: string, name: string, options: readonly Option[]): string {
  const lines = options.flatMap(([key, value]) =>
    typeof value === 'string'
      ? [`\toption ${key} ${quoted(value)}\n`]
      : value.map((item) => `\tlist ${key} ${quoted(item)}\n`),
  )
  return `config ${type} ${quoted(name)}\n${lines.join('')}`
}

/** As a shell does. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
