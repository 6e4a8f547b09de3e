export { createIkeDriver, type IkeDriver, type IkeDriverHandlers, type IkeDriverOptions } from './driver.ts'
export { openPlainSocket, type PlainSocket } from './plain-socket.ts'
export { createSystemRng } from './random.ts'
