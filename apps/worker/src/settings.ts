/** What the worker process reads from its environment. */
import { databaseSettings, egressSettings, logSettings, redisSettings } from '@culvert/config'
import { Type, type Static } from 'typebox'

export const WorkerSettings = Type.Object({
  ...databaseSettings,
  ...redisSettings,
  ...logSettings,
  ...egressSettings,
  WEBHOOK_SEALING_KEY_FILE: Type.Optional(
    Type.String({
      description: 'the file with the key that opens the keys of webhooks; without it nothing is delivered',
    }),
  ),
  EVENT_RETENTION_DAYS: Type.Integer({
    minimum: 7,
    maximum: 3_650,
    default: 90,
    description: 'days that events are kept',
  }),
  CRL_HOSTS: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9.:\\[\\]-]+( *, *[A-Za-z0-9.:\\[\\]-]+)*$',
      description:
        'hosts, with a port when it is not 80, from which lists of revoked certificates of customers\u2019 authorities are fetched; none when left out',
      examples: ['crl.example.com,pki.example.net:8080'],
    }),
  ),
  OFFLINE_AFTER_SEC: Type.Integer({
    minimum: 0,
    maximum: 3600,
    default: 5,
    description: 'How long a device must be away before its `device.offline`.',
  }),
})
export type WorkerSettings = Static<typeof WorkerSettings>
