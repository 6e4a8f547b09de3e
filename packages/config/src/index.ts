export {
  databaseSettings,
  egressSettings,
  logSettings,
  nodeSettings,
  redisSettings,
  zoneSettings,
} from './fragments.ts'
export { ConfigError, loadConfig, type Environment } from './load-config.ts'
export { readSealingKeys } from './sealing-keys.ts'
