/** What the worker process reads from its environment. */
import { databaseSettings, logSettings, redisSettings } from '@culvert/config'
import { Type, type Static } from 'typebox'

export const WorkerSettings = Type.Object({
  ...databaseSettings,
  ...redisSettings,
  ...logSettings,
  EVENT_RETENTION_DAYS: Type.Integer({
    minimum: 7,
    maximum: 3_650,
    default: 90,
    description: 'days that events are kept',
  }),
})
export type WorkerSettings = Static<typeof WorkerSettings>
