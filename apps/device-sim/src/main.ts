/**
 * `device-sim`: one simulated device, told by its environment, or many from a file; they share sockets and TUN.
 *
 * It runs in the network namespace it was started in.
 */
import { readFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { ConfigError, loadConfig, logSettings } from '@culvert/config'
import { compileForPackets, kernelHasIpv6 } from '@culvert/dataplane'
import type { InitiatorProof } from '@culvert/ikev2'
import { createLogger } from '@culvert/observability'
import { Type } from 'typebox'
import { attachDevice, type Device, type SimIdentity } from './device.ts'
import { openRadio } from './radio.ts'
import { readAnchors, readCertificate, readPpk, readSharedKey } from './read-proof.ts'
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
  DEVICE_LOCAL: Type.Optional(
    Type.String({
      description:
        'the local outer address; unless set, that from which DEVICE_REMOTE is reached, and whatever it becomes',
    }),
  ),
  DEVICE_IDENTITY: Type.Optional(Type.String({ description: 'the IKE identity of the device' })),
  DEVICE_REMOTE_IDENTITY: Type.String({ description: 'the IKE identity of the concentrator' }),
  DEVICE_PSK_FILE: Type.Optional(Type.String({ description: 'a file with the pre-shared key' })),
  DEVICE_CERTIFICATE_FILE: Type.Optional(
    Type.String({ description: 'instead of the pre-shared key: its certificate and those above it, PEM' }),
  ),
  DEVICE_KEY_FILE: Type.Optional(Type.String({ description: 'the private key of its certificate, PEM' })),
  DEVICE_CA_FILE: Type.Optional(Type.String({ description: 'authorities of the concentrator, PEM' })),
  DEVICE_PPK_FILE: Type.Optional(Type.String({ description: 'a file with a post-quantum pre-shared key' })),
  DEVICE_PPK_ID: Type.Optional(Type.String({ description: 'the name of that key' })),
  DEVICE_PPK_REQUIRED: Type.Boolean({ default: false, description: 'attach only where that key is known' }),
  DEVICE_FLEET_FILE: Type.Optional(
    Type.String({ description: 'instead of the two: a JSON file with a list of { identity, psk }' }),
  ),
  DEVICE_REMOTE_PREFIX: Type.String({ default: '10.127.0.0/24', description: 'what the device wants to reach' }),
  DEVICE_REMOTE_PREFIX6: Type.String({
    default: 'fd43:756c:7665:7f00::/64',
    description: 'what it wants to reach over IPv6, none to ask for no IPv6 address',
  }),
  DEVICE_TUN: Type.String({ default: 'culvert-dev0', maxLength: 15, description: 'the name of its TUN interface' }),
  DEVICE_HTTP_PORT: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 65_535, description: 'serve a small page on this port' }),
  ),
  DEVICE_LIVENESS_SEC: Type.Integer({
    minimum: 1,
    maximum: 86_400,
    default: 30,
    description: 'silence in seconds after which it asks whether the concentrator lives and a NAT came or went',
  }),
  DEVICE_NATIVE_ESP: Type.Boolean({
    default: false,
    description: 'whether ESP goes without UDP (IP protocol 50) where no NAT is in the way, native rung only',
  }),
  DEVICE_AH: Type.Boolean({
    default: false,
    description: 'whether it asks for AH, which does not encrypt; needs DEVICE_NATIVE_ESP',
  }),
  DEVICE_RUNG: Type.Optional(Type.Union([Type.Literal('native'), Type.Literal('portable')])),
})

const config = readConfig()
if (config.DEVICE_AH && (!config.DEVICE_NATIVE_ESP || config.DEVICE_LOCAL === undefined)) {
  // Addresses are in its ICV: it cannot move.
  process.stderr.write('DEVICE_AH needs DEVICE_NATIVE_ESP and DEVICE_LOCAL, the own outer address.\n')
  process.exit(1)
}
const log = createLogger('device-sim', config.LOG_LEVEL)
const identities = await readIdentities()
const shared = {
  localIkePort: config.DEVICE_IKE_PORT === 0 ? null : config.DEVICE_IKE_PORT,
  localEspPort: config.DEVICE_ESP_PORT,
  localAddress: config.DEVICE_LOCAL ?? (isIPv6(config.DEVICE_REMOTE) ? '::' : '0.0.0.0'),
  tun: { name: config.DEVICE_TUN, namespace: null, mtuBytes: 1400 },
}
const target = {
  ...shared,
  remoteAddress: config.DEVICE_REMOTE,
  remoteIkePort: config.DEVICE_REMOTE_IKE_PORT,
  remoteEspPort: config.DEVICE_REMOTE_ESP_PORT,
  remoteIdentity: config.DEVICE_REMOTE_IDENTITY,
  remotePrefix: config.DEVICE_REMOTE_PREFIX,
  remotePrefix6: config.DEVICE_REMOTE_PREFIX6 === 'none' || !kernelHasIpv6() ? null : config.DEVICE_REMOTE_PREFIX6,
}
compileForPackets()
const radio = await openRadio(
  {
    ...shared,
    ...(config.DEVICE_LOCAL === undefined && { towards: config.DEVICE_REMOTE }),
    livenessMs: config.DEVICE_LIVENESS_SEC * 1000,
    natKeepaliveMs: 20_000,
    devices: identities.length,
    nativeEsp: config.DEVICE_NATIVE_ESP,
    ah: config.DEVICE_AH,
    ...(config.DEVICE_CA_FILE !== undefined && { anchors: await readAnchors(config.DEVICE_CA_FILE) }),
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
  device.onAttached((addresses) => {
    for (const address of addresses) {
      if (pages.has(address)) continue
      const page = serveWebPage(address, port, device.identity)
      pages.set(address, page)
      page.then(
        () => log.info({ address, port }, 'the page of the device is up'),
        (error: unknown) => {
          pages.delete(address)
          log.error({ err: error }, 'the page of the device could not be served')
        },
      )
    }
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
  const { DEVICE_FLEET_FILE: fleetFile, DEVICE_IDENTITY: identity } = config
  if (fleetFile !== undefined) {
    const fleet = JSON.parse(await readFile(fleetFile, 'utf8')) as readonly { identity: string; psk: string }[]
    return fleet.map((member) => {
      const secret = new TextEncoder().encode(member.psk)
      return { identity: member.identity, proof: { kind: 'psk', secret } }
    })
  }
  const proof = await readProof()
  if (identity !== undefined && proof !== null) return [{ identity, proof, ...(await readOptionalPpk()) }]
  process.stderr.write(
    'Set DEVICE_IDENTITY and DEVICE_PSK_FILE (or DEVICE_CERTIFICATE_FILE, DEVICE_KEY_FILE and DEVICE_CA_FILE) for one device, or DEVICE_FLEET_FILE for many.\n',
  )
  process.exit(1)
}

async function readProof(): Promise<InitiatorProof | null> {
  const { DEVICE_CERTIFICATE_FILE: chain, DEVICE_KEY_FILE: key, DEVICE_PSK_FILE: pskFile } = config
  if (chain !== undefined && key !== undefined) return readCertificate({ chain, key })
  return pskFile === undefined ? null : readSharedKey(pskFile)
}

async function readOptionalPpk(): Promise<Pick<SimIdentity, 'ppk'>> {
  const { DEVICE_PPK_FILE: file, DEVICE_PPK_ID: name } = config
  return file === undefined || name === undefined ? {} : { ppk: await readPpk(name, file, config.DEVICE_PPK_REQUIRED) }
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
