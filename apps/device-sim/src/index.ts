export {
  attachDevice,
  startDevice,
  type ConcentratorTarget,
  type Device,
  type DeviceOptions,
  type SimIdentity,
} from './device.ts'
export { openRadio, type Radio, type RadioOptions } from './radio.ts'
export { serveWebPage, type WebPage } from './web-page.ts'
