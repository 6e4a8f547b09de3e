export { buildApi, type ApiOptions } from './build-api.ts'
export { runApi, type RunningApi } from './run-api.ts'
export { ApiSettings } from './settings.ts'
