/**
 * `device-sim`: one simulated device, told by its environment; start one process for each device.
 *
 * It runs in the network namespace it was started in.
 */
import { readFile } from 'node:fs/promises'
import { ConfigError, loadConfig, logSettings } from '@culvert/config'
import { createLogger } from '@culvert/observability'
import { Type } from 'typebox'
import { startDevice, type Device, type DeviceOptions } from './device.ts'
import { serveWebPage, type WebPage } from './web-page.ts'

const schema = Type.Object({
  ...logSettings,
  DEVICE_REMOTE: Type.String({ description: 'the outer address of the concentrator' }),
  DEVICE_REMOTE_IKE_PORT: Type.Integer({ minimum: 1, maximum: 65_535, default: 500 }),
  DEVICE_REMOTE_ESP_PORT: Type.Integer({ minimum: 1, maximum: 65_535, default: 4500 }),
  DEVICE_IKE_PORT: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 500,
    description: 'local IKE port; 0 begins on the ESP port',
  }),
  DEVICE_ESP_PORT: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 4500,
    description: 'local ESP port; 0 for any',
  }),
  DEVICE_LOCAL: Type.String({ default: '0.0.0.0', description: 'the local outer address' }),
  DEVICE_IDENTITY: Type.String({ description: 'the IKE identity of the device' }),
  DEVICE_REMOTE_IDENTITY: Type.String({ description: 'the IKE identity of the concentrator' }),
  DEVICE_PSK_FILE: Type.String({ description: 'a file with the pre-shared key' }),
  DEVICE_REMOTE_PREFIX: Type.String({ default: '10.127.0.0/24', description: 'what the device wants to reach' }),
  DEVICE_TUN: Type.String({ default: 'culvert-dev0', maxLength: 15, description: 'the name of its TUN interface' }),
  DEVICE_HTTP_PORT: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 65_535, description: 'serve a small page on this port' }),
  ),
  DEVICE_RUNG: Type.Optional(Type.Union([Type.Literal('native'), Type.Literal('portable')])),
})

const config = readConfig()
const log = createLogger('device-sim', config.LOG_LEVEL)
const options: DeviceOptions = {
  remoteAddress: config.DEVICE_REMOTE,
  remoteIkePort: config.DEVICE_REMOTE_IKE_PORT,
  remoteEspPort: config.DEVICE_REMOTE_ESP_PORT,
  localIkePort: config.DEVICE_IKE_PORT === 0 ? null : config.DEVICE_IKE_PORT,
  localEspPort: config.DEVICE_ESP_PORT,
  localAddress: config.DEVICE_LOCAL,
  identity: config.DEVICE_IDENTITY,
  remoteIdentity: config.DEVICE_REMOTE_IDENTITY,
  psk: new TextEncoder().encode((await readFile(config.DEVICE_PSK_FILE, 'utf8')).trim()),
  remotePrefix: config.DEVICE_REMOTE_PREFIX,
  tun: { name: config.DEVICE_TUN, namespace: null, mtuBytes: 1400 },
  livenessMs: 30_000,
  natKeepaliveMs: 20_000,
  ...(config.DEVICE_RUNG ? { rung: config.DEVICE_RUNG } : {}),
}

const device = await startDevice(options, log)
const pages = new Map<string, Promise<WebPage>>()
const httpPort = config.DEVICE_HTTP_PORT
if (httpPort !== undefined) {
  device.onAttached((address4) => {
    if (pages.has(address4)) return
    const page = serveWebPage(address4, httpPort, options.identity)
    pages.set(address4, page)
    page.then(
      () => log.info({ address4, port: httpPort }, 'the page of the device is up'),
      (error: unknown) => {
        pages.delete(address4)
        log.error({ err: error }, 'the page of the device could not be served')
      },
    )
  })
}
process.once('SIGTERM', () => void stop(device))
process.once('SIGINT', () => void stop(device))

async function stop(running: Device): Promise<void> {
  await running.stop()
  for (const page of pages.values()) await page.then((served) => served.close()).catch(() => {})
  process.exit(0)
}

function readConfig(): ReturnType<typeof loadConfig<typeof schema.properties>> {
  try {
    return loadConfig(schema, process.env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  }
}
