/** REST: links that give a configuration with its secret once. */
import { Type, type Static } from 'typebox'
import { ConfigLinkId, CredentialId, DeviceId, oneOf, Timestamp } from '../fields.ts'
import { ConfigTarget } from './device-config.ts'

export const ConfigLinkInput = Type.Object(
  {
    target: ConfigTarget,
    issue: Type.Optional(
      Type.Array(oneOf(['psk', 'eap', 'ppk']), {
        minItems: 1,
        maxItems: 2,
        uniqueItems: true,
        description:
          'Credentials that are issued with the link, whose secrets are in it: `psk` or `eap`, and `ppk` beside it when the device shall have a new one. Either this or `credentialId`.',
      }),
    ),
    credentialId: Type.Optional(
      Type.String({
        pattern: '^crd_[a-z2-7]{20}$',
        description:
          'A certificate of the device, whose private key the device has. The secrets of others cannot be read back.',
      }),
    ),
    expiresInSec: Type.Optional(
      Type.Integer({
        minimum: 60,
        maximum: 3600,
        default: 900,
        description: 'Seconds until the link gives nothing any more.',
      }),
    ),
  },
  { additionalProperties: false },
)
export type ConfigLinkInput = Static<typeof ConfigLinkInput>

export const ConfigLink = Type.Object(
  {
    id: ConfigLinkId,
    deviceId: DeviceId,
    target: ConfigTarget,
    url: Type.String({
      format: 'uri',
      description:
        'Whoever has it can have the configuration, once: `curl -X POST` it, or open it in a browser. Shown only now.',
    }),
    credentialIds: Type.Array(CredentialId, {
      description: 'What was issued for it; used or not, they stay until revoked.',
    }),
    expiresAt: Timestamp,
  },
  {
    $id: 'ConfigLink',
    additionalProperties: false,
    'x-example': {
      id: 'cfl_ajaic76ztpqad76h2tn2',
      target: 'openwrt-uci',
      url: 'https://api.culvert.example/v1/config-links/fmyzhi47elp2uy5uznvr.q2x0...',
      credentialIds: ['crd_ajaic76ztpqad76h2tn2'],
      expiresAt: '2026-11-22T09:15:00.000Z',
    },
  },
)
export type ConfigLink = Static<typeof ConfigLink>
