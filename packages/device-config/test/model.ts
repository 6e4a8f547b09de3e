/** A device to render in tests, and what its text says in the structure of its format, without comments and display names. */
import { usualTiming, type DeviceConfigModel } from '../src/model.ts'
import { renderConfig, type ConfigTarget } from '../src/render.ts'
import { readers } from './readers.ts'

/** The shape is looked at, never the contents. */
export const authority = `-----BEGIN CERTIFICATE-----
MIIBszCCAVmgAwIBAgIUVb3Yc8n1bH0kUE4J3eQvG0rUdnYwCgYIKoZIzj0EAwIw
L0aB+/8=
-----END CERTIFICATE-----
`

export const proofs = [
  { kind: 'psk' },
  { kind: 'eap', userName: 'abcdefgh.aaaaaaaaaaaaaaaaaaaa.acme.fleet.culvert.internal' },
  { kind: 'certificate', key: null },
] as const satisfies readonly DeviceConfigModel['proof'][]

export function model(changes: Partial<DeviceConfigModel> = {}): DeviceConfigModel {
  return {
    device: { id: 'dev_aaaaaaaaaaaaaaaaaaaa', name: 'Pump 7', tags: ['site=north'] },
    uuid: '6f1c2b1e-98a4-5d1e-8c55-0b6f3f6b7a10',
    concentrator: { addresses: ['192.0.2.1', '2001:db8::1'], identity: 'concentrator.fleet.culvert.internal' },
    identity: 'aaaaaaaaaaaaaaaaaaaa.acme.fleet.culvert.internal',
    proof: { kind: 'psk' },
    ppk: null,
    tiers: ['modern', 'standard'],
    asksFor: { ip4: true, ip6: true },
    remotePrefixes: ['10.127.0.0/24', 'fd43:756c:7665:7f00::/64'],
    lanPrefixes: ['192.168.1.0/24'],
    authorities: [authority],
    timing: usualTiming,
    mobike: true,
    secrets: {},
    ...changes,
  }
}

/** @throws when the target refuses */
export function textOf(target: ConfigTarget, input: DeviceConfigModel): string {
  const rendered = renderConfig(target, input)
  if (!rendered.ok) throw new Error(rendered.reason)
  return rendered.text
}

/**
 * @param secret what stands for it in the result is `SECRET`
 * @throws for text that is not of the format
 */
export function structureOf(target: ConfigTarget, text: string, secret?: string): unknown {
  return mapTexts(readers[target](text), (value) => (value === secret || unhex(value) === secret ? 'SECRET' : value))
}

function unhex(value: string): string | null {
  const hex = /^0x([0-9a-f]+)$/.exec(value)?.[1]
  return hex === undefined ? null : Buffer.from(hex, 'hex').toString('latin1')
}

function mapTexts(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value)
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, map))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTexts(item, map)]))
}
