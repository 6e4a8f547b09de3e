export { startDevice, type Device, type DeviceOptions } from './device.ts'
export { serveWebPage, type WebPage } from './web-page.ts'
