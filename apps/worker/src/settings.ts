/** What the worker process reads from its environment. */
import { databaseSettings, logSettings, redisSettings } from '@culvert/config'
import { Type, type Static } from 'typebox'

export const WorkerSettings = Type.Object({ ...databaseSettings, ...redisSettings, ...logSettings })
export type WorkerSettings = Static<typeof WorkerSettings>
