export { createIkeDriver, type IkeDriver, type IkeDriverHandlers, type IkeDriverOptions } from './driver.ts'
export { childKeyLines, ikeKeyLines, type KeyLog, openKeyLog } from './key-log.ts'
export { openPlainSocket, openPlainSockets, type PlainSocket, type PlainSockets } from './plain-socket.ts'
export { createSystemRng } from './random.ts'
