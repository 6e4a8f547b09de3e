/**
 * A configuration profile for Apple's iOS, iPadOS and macOS. It holds one proposal, so the strongest tier is taken; a private
 * key would have to be inside it, which is why certificates cannot be used.
 */
import { oneAddress } from '../addresses.ts'
import { deviceLines, oneLine } from '../comment.ts'
import type { DeviceConfigModel } from '../model.ts'
import { secretText } from '../secret.ts'
import { suitesFor, type SuiteTable } from '../suites.ts'
import { firstRefusal, type Target } from '../target.ts'

interface Suite {
  readonly encryption: string
  readonly integrity: string
  readonly group: number
}

const suites: SuiteTable<Suite> = {
  modern: { encryption: 'AES-256-GCM', integrity: 'SHA2-384', group: 31 },
  standard: { encryption: 'AES-256', integrity: 'SHA2-256', group: 14 },
  compat: { encryption: 'AES-256', integrity: 'SHA1-96', group: 5 },
}

export const mobileconfig: Target = {
  mediaType: 'application/x-apple-aspen-config',
  extension: 'mobileconfig',
  refusal: ({ proof, ppk, secrets }) =>
    firstRefusal(
      proof.kind === 'certificate' &&
        'a profile would have to hold the private key, which never leaves the device and is not known here',
      ppk?.isRequired === true &&
        typeof secrets.ppk !== 'string' &&
        'the post-quantum key of the device stands in it as binary data, which no marker can take the place of: make a one-time link that issues one',
    ),
  render,
}

/** Binary data in base64. */
class Data {
  readonly base64: string
  constructor(base64: string) {
    this.base64 = base64
  }
}
type Value = string | number | Data | readonly Value[] | { readonly [key: string]: Value }

function render(model: DeviceConfigModel): string {
  const { device, uuid } = model
  const [title = '', ...rest] = deviceLines(device)
  const profile: Value = {
    PayloadType: 'Configuration',
    PayloadVersion: 1,
    PayloadIdentifier: `culvert.${device.id}`,
    PayloadUUID: payloadUuid(uuid, 0),
    PayloadDisplayName: oneLine(`Culvert: ${device.name}`),
    PayloadDescription: [title, ...rest].map(oneLine).join(' · '),
    PayloadContent: [
      {
        ...payload(model, 'com.apple.vpn.managed', 1),
        UserDefinedName: oneLine(`Culvert ${device.name}`),
        VPNType: 'IKEv2',
        IKEv2: ikev2(model),
      },
      ...(model.proof.kind === 'psk' ? [] : model.authorities).map((pem, index) => ({
        ...payload(model, 'com.apple.security.root', 2 + index),
        PayloadContent: new Data(pem.replace(/-----[A-Z ]+-----|\s/g, '')),
      })),
    ],
  }
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
${xml(profile, '')}</plist>
`
}

function payload({ device, uuid }: DeviceConfigModel, type: string, number: number): Record<string, Value> {
  return {
    PayloadType: type,
    PayloadVersion: 1,
    PayloadIdentifier: `culvert.${device.id}.${number}`,
    PayloadUUID: payloadUuid(uuid, number),
    PayloadDisplayName: type === 'com.apple.vpn.managed' ? 'Culvert' : 'Culvert authority',
  }
}

/** The same at each rendering, another for each payload. */
function payloadUuid(uuid: string, number: number): string {
  const last = (Number.parseInt(uuid.slice(-2), 16) ^ number) & 0xff
  return `${uuid.slice(0, -2)}${last.toString(16).padStart(2, '0')}`.toUpperCase()
}

function ikev2(model: DeviceConfigModel): Record<string, Value> {
  const { concentrator, identity, timing } = model
  return {
    RemoteAddress: oneAddress(concentrator.addresses),
    RemoteIdentifier: concentrator.identity,
    LocalIdentifier: identity,
    ...proofOf(model),
    ...ppkOf(model),
    IKESecurityAssociationParameters: parameters(model, timing.ikeRekeySec),
    ChildSecurityAssociationParameters: parameters(model, timing.childRekeySec),
    EnablePFS: 0,
    DeadPeerDetectionRate: 'High',
    DisableMOBIKE: model.mobike ? 0 : 1,
    DisableRedirect: 0,
    OnDemandEnabled: 1,
    OnDemandRules: [{ Action: 'Connect' }],
  }
}

function proofOf({ proof, secrets }: DeviceConfigModel): Record<string, Value> {
  if (proof.kind !== 'eap')
    return {
      AuthenticationMethod: 'SharedSecret',
      SharedSecret: secretText(secrets, 'psk', (text) => text),
      ExtendedAuthEnabled: 0,
    }
  return {
    AuthenticationMethod: 'Certificate',
    ExtendedAuthEnabled: 1,
    AuthName: proof.userName,
    AuthPassword: secretText(secrets, 'eap', (text) => text),
  }
}

/** iOS 18, macOS 15. It is data, so no marker can stand there: left out while the key is not known. */
function ppkOf({ ppk, secrets }: DeviceConfigModel): Record<string, Value> {
  if (ppk === null || typeof secrets.ppk !== 'string') return {}
  return { PPK: new Data(btoa(secrets.ppk)), PPKIdentifier: ppk.identity, PPKMandatory: ppk.isRequired ? 1 : 0 }
}

function parameters({ tiers }: DeviceConfigModel, lifetimeSec: number): Record<string, Value> {
  const suite = suitesFor(tiers, suites)[0]
  if (suite === undefined) return {}
  return {
    EncryptionAlgorithm: suite.encryption,
    IntegrityAlgorithm: suite.integrity,
    DiffieHellmanGroup: suite.group,
    LifeTimeInMinutes: Math.max(10, Math.floor(lifetimeSec / 60)),
  }
}

function xml(value: Value, indent: string): string {
  if (typeof value === 'number') return `${indent}<integer>${value}</integer>\n`
  if (typeof value === 'string') return `${indent}<string>${escaped(value)}</string>\n`
  if (value instanceof Data) return `${indent}<data>${value.base64}</data>\n`
  const deeper = `${indent}  `
  if (Array.isArray(value))
    return `${indent}<array>\n${value.map((item: Value) => xml(item, deeper)).join('')}${indent}</array>\n`
  const pairs = Object.entries(value).map(([key, item]) => `${deeper}<key>${escaped(key)}</key>\n${xml(item, deeper)}`)
  return `${indent}<dict>\n${pairs.join('')}${indent}</dict>\n`
}

/** Characters that XML cannot hold at all are gone before (oneLine), or were never there (checkModel). */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
