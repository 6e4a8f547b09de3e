/**
 * `device-sim`: one simulated device, told by its environment, or many from a file; they share sockets and TUN.
 *
 * It runs in the network namespace it was started in.
 */
import { readFile } from 'node:fs/promises'
import { ConfigError, loadConfig, logSettings } from '@culvert/config'
import { createLogger } from '@culvert/observability'
import { Type } from 'typebox'
import { attachDevice, type Device, type SimIdentity } from './device.ts'
import { openRadio } from './radio.ts'
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
  DEVICE_IDENTITY: Type.Optional(Type.String({ description: 'the IKE identity of the device' })),
  DEVICE_REMOTE_IDENTITY: Type.String({ description: 'the IKE identity of the concentrator' }),
  DEVICE_PSK_FILE: Type.Optional(Type.String({ description: 'a file with the pre-shared key' })),
  DEVICE_FLEET_FILE: Type.Optional(
    Type.String({ description: 'instead of the two: a JSON file with a list of { identity, psk }' }),
  ),
  DEVICE_REMOTE_PREFIX: Type.String({ default: '10.127.0.0/24', description: 'what the device wants to reach' }),
  DEVICE_TUN: Type.String({ default: 'culvert-dev0', maxLength: 15, description: 'the name of its TUN interface' }),
  DEVICE_HTTP_PORT: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 65_535, description: 'serve a small page on this port' }),
  ),
  DEVICE_RUNG: Type.Optional(Type.Union([Type.Literal('native'), Type.Literal('portable')])),
})

const config = readConfig()
const log = createLogger('device-sim', config.LOG_LEVEL)
const identities = await readIdentities()
const shared = {
  localIkePort: config.DEVICE_IKE_PORT === 0 ? null : config.DEVICE_IKE_PORT,
  localEspPort: config.DEVICE_ESP_PORT,
  localAddress: config.DEVICE_LOCAL,
  tun: { name: config.DEVICE_TUN, namespace: null, mtuBytes: 1400 },
}
const target = {
  ...shared,
  remoteAddress: config.DEVICE_REMOTE,
  remoteIkePort: config.DEVICE_REMOTE_IKE_PORT,
  remoteEspPort: config.DEVICE_REMOTE_ESP_PORT,
  remoteIdentity: config.DEVICE_REMOTE_IDENTITY,
  remotePrefix: config.DEVICE_REMOTE_PREFIX,
}
const radio = await openRadio(
  {
    ...shared,
    livenessMs: 30_000,
    natKeepaliveMs: 20_000,
    devices: identities.length,
    ...(config.DEVICE_RUNG ? { rung: config.DEVICE_RUNG } : {}),
  },
  log,
)
const pages = new Map<string, Promise<WebPage>>()
const devices = identities.map((identity) => {
  const device = attachDevice(radio, identity, target, log)
  if (config.DEVICE_HTTP_PORT !== undefined) servePage(device, config.DEVICE_HTTP_PORT)
  return device
})
process.once('SIGTERM', () => void stop())
process.once('SIGINT', () => void stop())

function servePage(device: Device, port: number): void {
  device.onAttached((address4) => {
    if (pages.has(address4)) return
    const page = serveWebPage(address4, port, device.identity)
    pages.set(address4, page)
    page.then(
      () => log.info({ address4, port }, 'the page of the device is up'),
      (error: unknown) => {
        pages.delete(address4)
        log.error({ err: error }, 'the page of the device could not be served')
      },
    )
  })
}

async function stop(): Promise<void> {
  await Promise.all(devices.map((device) => device.stop()))
  await radio.close()
  for (const page of pages.values()) await page.then((served) => served.close()).catch(() => {})
  process.exit(0)
}

/** The one device of the environment, or those of the file. */
async function readIdentities(): Promise<readonly SimIdentity[]> {
  const { DEVICE_FLEET_FILE: fleetFile, DEVICE_IDENTITY: identity, DEVICE_PSK_FILE: pskFile } = config
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
  if (fleetFile !== undefined) {
    const fleet = JSON.parse(await readFile(fleetFile, 'utf8')) as readonly { identity: string; psk: string }[]
    return fleet.map((member) => ({ identity: member.identity, psk: bytes(member.psk) }))
  }
  if (identity !== undefined && pskFile !== undefined) {
    return [{ identity, psk: bytes((await readFile(pskFile, 'utf8')).trim()) }]
  }
  process.stderr.write('Set DEVICE_IDENTITY and DEVICE_PSK_FILE for one device, or DEVICE_FLEET_FILE for many.\n')
  process.exit(1)
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
