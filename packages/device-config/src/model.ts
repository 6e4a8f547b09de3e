/**
 * What a device needs to know to attach, whatever its software: one model for all targets. Names and tags are what a customer
 * typed and go nowhere but into comments and display names; everything else is plain (checkModel) and needs little quoting.
 */
import { InvariantError } from '@culvert/bytes'
import type { ProposalTier } from '@culvert/lifecycle'

export const proofKinds = ['psk', 'certificate', 'eap'] as const
export type ProofKind = (typeof proofKinds)[number]

export type CertificateKey = 'rsa' | 'ecdsa' | 'ed25519'

export interface DeviceConfigModel {
  readonly device: { readonly id: string; readonly name: string; readonly tags: readonly string[] }
  /** 16 bytes in the form of a UUID, the same at every rendering: clients replace the profile they know by it. */
  readonly uuid: string
  readonly concentrator: {
    /** IPv4, IPv6 or host names, best first. */
    readonly addresses: readonly string[]
    /** FQDN in IDr. */
    readonly identity: string
  }
  /** FQDN in IDi. */
  readonly identity: string
  readonly proof:
    | { readonly kind: 'psk' }
    | {
        readonly kind: 'certificate'
        /** Of the certificate that the device has; null while there is none. */
        readonly key: CertificateKey | null
      }
    /** EAP-MSCHAPv2. */
    | { readonly kind: 'eap'; readonly userName: string }
  /** RFC 8784; null: none. */
  readonly ppk: { readonly identity: string; readonly isRequired: boolean } | null
  /** Allowed ones. */
  readonly tiers: readonly ProposalTier[]
  /** Families that it asks an inner address of. */
  readonly asksFor: { readonly ip4: boolean; readonly ip6: boolean }
  /** CIDR of both families that it routes into the tunnel; the first IPv4 one holds the dial addresses. */
  readonly remotePrefixes: readonly string[]
  /** CIDR of LANs behind it. */
  readonly lanPrefixes: readonly string[]
  /** Roots of GET /v1/ca, PEM. */
  readonly authorities: readonly string[]
  readonly timing: { readonly dpdDelaySec: number; readonly ikeRekeySec: number; readonly childRekeySec: number }
  readonly mobike: boolean
  /** Known only while they are issued; left out or null: the config has a marker. */
  readonly secrets: Secrets
}

export interface Secrets {
  readonly psk?: string | null
  readonly eap?: string | null
  readonly ppk?: string | null
}

export const usualTiming = { dpdDelaySec: 30, ikeRekeySec: 4 * 3600, childRekeySec: 3600 } as const

const plain = /^[A-Za-z0-9._:@/-]{1,255}$/
const secret = /^[\x21-\x7e]{1,128}$/
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const pem = /^-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=]{1,76}\n)+-----END CERTIFICATE-----\n?$/

/** @throws InvariantError for text that no part of the service makes: nothing that could need quoting gets past it */
export function checkModel(model: DeviceConfigModel): void {
  const { device, concentrator, identity, proof, ppk, remotePrefixes, lanPrefixes } = model
  const texts = [
    device.id,
    identity,
    concentrator.identity,
    ...concentrator.addresses,
    ...remotePrefixes,
    ...lanPrefixes,
    ...(proof.kind === 'eap' ? [proof.userName] : []),
    ...(ppk ? [ppk.identity] : []),
  ]
  const isPlain = texts.every((text) => plain.test(text)) && uuid.test(model.uuid)
  const hasSecrets = Object.values(model.secrets).every((text) => text === null || secret.test(text))
  if (!isPlain || !hasSecrets || concentrator.addresses.length === 0) throw new InvariantError('not a configuration')
  if (!model.authorities.every((text) => pem.test(text))) throw new InvariantError('an authority is not in PEM')
}
