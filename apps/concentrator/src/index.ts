export { startConcentrator, type Concentrator } from './concentrator.ts'
export type { ConcentratorSettings } from './settings.ts'
