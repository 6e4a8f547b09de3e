export { createIkeDriver, type IkeDriver, type IkeDriverHandlers, type IkeDriverOptions } from './driver.ts'
export { childKeyLines, ikeKeyLines, type KeyLog, openKeyLog } from './key-log.ts'
export { openPlainSocket, type PlainSocket } from './plain-socket.ts'
export { createSystemRng } from './random.ts'
