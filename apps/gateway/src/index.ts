export { startGateway, type Gateway } from './gateway.ts'
export { gatewayDefaults, type GatewaySettings } from './settings.ts'
