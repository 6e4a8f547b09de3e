/** REST: what a device needs to know to attach, for the software it runs. */
import { configTargets, proofKinds } from '@culvert/device-config'
import { proposalTiers } from '@culvert/lifecycle'
import { Type } from 'typebox'
import { DeviceId, nullable, oneOf } from '../fields.ts'

export const ConfigTarget = oneOf(configTargets, {
  description:
    'What the device runs. `openwrt-uci` has the option names of strongSwan packages from August 2026 on, `openwrt-uci-legacy` those before.',
})

export const ConfigQuery = Type.Object(
  {
    target: ConfigTarget,
    auth: Type.Optional(
      oneOf(proofKinds, {
        description: 'How the device proves itself; left out: as with its newest credential, psk without any.',
      }),
    ),
  },
  { additionalProperties: false },
)

const secret = (what: string) => Type.String({ description: `${what}, or the marker of it.` })
const Cidrs = Type.Array(Type.String())
const closed = { additionalProperties: false } as const

/** What `generic-json` answers. */
export const DeviceConfiguration = Type.Object(
  {
    device: Type.Object({ id: DeviceId, name: Type.String(), tags: Type.Array(Type.String()) }, closed),
    concentrator: Type.Object(
      {
        addresses: Type.Array(Type.String(), { description: 'Best first.' }),
        ports: Type.Array(Type.Integer(), { description: 'UDP: where IKE begins, and where it goes on with ESP.' }),
        identity: Type.String({ description: 'FQDN in IDr.' }),
      },
      closed,
    ),
    identity: Type.Object({ type: Type.Literal('fqdn'), value: Type.String() }, { ...closed, description: 'IDi.' }),
    authentication: Type.Object(
      {
        kind: oneOf(proofKinds),
        concentratorProves: oneOf(['psk', 'certificate'], { description: 'How the concentrator proves itself.' }),
        psk: nullable(secret('The key')),
        eap: nullable(
          Type.Object(
            { method: Type.Literal('mschapv2'), userName: Type.String(), password: secret('The password') },
            closed,
          ),
        ),
        ppk: nullable(
          Type.Object(
            { identity: Type.String(), required: Type.Boolean(), secret: secret('The key') },
            { ...closed, description: 'RFC 8784.' },
          ),
        ),
      },
      closed,
    ),
    authorities: Type.Array(Type.String(), { description: 'PEM, as of `GET /v1/ca`.' }),
    tiers: Type.Array(oneOf(proposalTiers)),
    proposals: Type.Object(
      { ike: Type.Array(Type.String()), esp: Type.Array(Type.String()) },
      { ...closed, description: "In strongSwan's words, best first." },
    ),
    innerAddresses: Type.Object(
      { ip4: Type.Boolean(), ip6: Type.Boolean() },
      { ...closed, description: 'Families to ask an address of (CP).' },
    ),
    remotePrefixes: Type.Array(Type.String(), { description: 'What goes into the tunnel.' }),
    lanPrefixes: Cidrs,
    dpdDelaySec: Type.Integer(),
    ikeRekeySec: Type.Integer(),
    childRekeySec: Type.Integer(),
    mobike: Type.Boolean(),
    udpEncapsulation: Type.Boolean({ description: 'ESP in UDP also without a NAT.' }),
    fragmentation: Type.Boolean({ description: 'RFC 7383.' }),
  },
  {
    $id: 'DeviceConfiguration',
    additionalProperties: false,
    'x-example': {
      device: { id: 'dev_hqvvuonarcscpu6cw6x5', name: 'Pump 7', tags: ['site=north'] },
      concentrator: { addresses: ['203.0.113.5'], ports: [500, 4500], identity: 'concentrator.fleet.culvert.internal' },
      identity: { type: 'fqdn', value: 'hqvvuonarcscpu6cw6x5.acme.fleet.culvert.internal' },
      authentication: { kind: 'psk', concentratorProves: 'psk', psk: '@CULVERT-PSK@', eap: null, ppk: null },
      authorities: [],
      tiers: ['modern', 'standard'],
      proposals: { ike: ['aes256gcm16-prfsha384-x25519'], esp: ['aes256gcm16-x25519'] },
      innerAddresses: { ip4: true, ip6: true },
      remotePrefixes: ['10.127.0.0/24', 'fd43:756c:7665:7f00::/64'],
      lanPrefixes: [],
      dpdDelaySec: 30,
      ikeRekeySec: 14_400,
      childRekeySec: 3_600,
      mobike: true,
      udpEncapsulation: true,
      fragmentation: true,
    },
  },
)
