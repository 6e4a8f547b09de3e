/** The configuration of a device: what the database knows of it, as the model that every target is rendered from. */
import { DomainError } from '@culvert/contracts'
import {
  findCredential,
  listAuthorities,
  listCredentials,
  preferredConcentrator,
  readNetwork,
  type DeviceRecord,
  type NetworkRecord,
} from '@culvert/db'
import {
  renderConfig,
  type CertificateKey,
  usualTiming,
  type ConfigTarget,
  type DeviceConfigModel,
  type ProofKind,
  type Rendered,
} from '@culvert/device-config'
import { createHash, X509Certificate } from 'node:crypto'
import type { ApiContext } from './context.ts'
import { deviceProof, type DeviceProof } from './device-proof.ts'
import { effectiveTiersOf } from './views.ts'

type RenderedText = Extract<Rendered, { ok: true }>

/**
 * @param asked what the caller wants the device to prove itself with
 * @throws no_concentrator
 */
export async function configurationModel(
  context: ApiContext,
  device: DeviceRecord,
  asked: ProofKind | undefined,
): Promise<DeviceConfigModel> {
  const { pool, servicePrefix, servicePrefix6 } = context
  const { organizationId } = device
  const concentrator = await preferredConcentrator(pool)
  if (!concentrator) throw new DomainError('no_concentrator', { retryAfterSec: 10 })
  const credentials = (await listCredentials(pool, organizationId, device.id)) ?? []
  const { ppk, ...proof } = deviceProof(credentials, asked)
  const hasIp6 = device.address6 !== null
  return {
    device: { id: device.id, name: device.name, tags: device.tags },
    uuid: uuidOf(device.id),
    concentrator: { addresses: concentrator.addresses, identity: concentrator.ikeIdentity },
    identity: device.ikeIdentity,
    proof: await proofOf(context, proof, device),
    ppk,
    tiers: effectiveTiersOf(device).tiers,
    asksFor: { ip4: true, ip6: hasIp6 },
    remotePrefixes: [
      servicePrefix,
      ...(hasIp6 ? [servicePrefix6] : []),
      ...neighbours(await readNetwork(pool, organizationId, device.networkId)),
    ],
    lanPrefixes: device.lanPrefixes,
    authorities: (await listAuthorities(pool)).map(({ certificate }) => certificate),
    timing: usualTiming,
    mobike: true,
    secrets: {},
  }
}

/** @throws config_not_possible */
export function renderOrRefuse(target: ConfigTarget, model: DeviceConfigModel): RenderedText {
  const rendered = renderConfig(target, model)
  if (rendered.ok) return rendered
  throw new DomainError('config_not_possible', {
    publicDetail: `The target ${target} cannot be used for this device: ${rendered.reason}. Targets that can: ${rendered.instead.join(', ')}.`,
    errors: [{ in: 'query', pointer: '/target', message: rendered.reason }],
  })
}

/** Pools of a network whose devices may reach each other. */
function neighbours(network: NetworkRecord | null): string[] {
  return network?.deviceToDevice ? [...network.pools4, network.pool6].filter((pool) => pool !== null) : []
}

async function proofOf(
  { pool }: ApiContext,
  { kind, userName, certificateId }: Omit<DeviceProof, 'ppk'>,
  { organizationId, id: deviceId, ikeIdentity }: DeviceRecord,
): Promise<DeviceConfigModel['proof']> {
  switch (kind) {
    case 'psk':
      return { kind }
    case 'eap':
      return { kind, userName: userName ?? ikeIdentity }
    case 'certificate': {
      const found = certificateId && (await findCredential(pool, { organizationId, deviceId, id: certificateId }))
      return { kind, key: found && found.certificates !== null ? keyKind(found.certificates) : null }
    }
  }
}

/** @param certificates PEM, the device's own first */
function keyKind(certificates: string): CertificateKey | null {
  const type = new X509Certificate(certificates).publicKey.asymmetricKeyType
  return type === 'ec' ? 'ecdsa' : type === 'rsa' || type === 'ed25519' ? type : null
}

/** Version 8 (RFC 9562 5.8): the same for a device each time. */
function uuidOf(deviceId: string): string {
  const bytes = createHash('sha256').update(`culvert device ${deviceId}`).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
