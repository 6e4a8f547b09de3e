/** Makes a credential of the kind asked for: its secret, sealed to the concentrators, and what the caller is shown of it, once. */
import { credentialInputFields, DomainError, type CredentialInput, type IssuedCredential } from '@culvert/contracts'
import {
  idSuffix,
  newId,
  type DeviceAuthorityRecord,
  type DeviceRecord,
  type NewCredential,
  type SealedSecret,
} from '@culvert/db'
import { hexSecret, markers } from '@culvert/device-config'
import type { ApiContext } from './context.ts'
import { readCsr } from './csr.ts'
import { readForeignCertificate } from './foreign-certificate.ts'
import { estimateBits, leastPskBits, makePassword, makePsk } from './psk.ts'

type Shown = Pick<IssuedCredential, 'psk' | 'password' | 'ppk' | 'swanctl'>

/** @throws validation_failed for a field that belongs to another kind */
export function refuseForeignFields(input: CredentialInput): void {
  const { kind = 'psk' } = input
  const foreign = Object.entries(credentialInputFields).filter(
    ([name, owner]) => owner !== kind && Object.hasOwn(input, name),
  )
  const missing = kind === 'certificate' ? missingOf(input) : []
  if (foreign.length === 0 && missing.length === 0) return
  throw new DomainError('validation_failed', {
    publicDetail: `The fields do not belong to a credential of kind ${kind}.`,
    errors: [
      ...foreign.map(([name, owner]) => ({
        in: 'body' as const,
        pointer: `/${name}`,
        message: `is for kind ${owner}`,
      })),
      ...missing.map((name) => ({ in: 'body' as const, pointer: `/${name}`, message: 'is required' })),
    ],
  })
}

/** A certificate is asked for, or one of an authority of the organization is given. */
function missingOf({ csr, authorityId, certificate }: CredentialInput): string[] {
  if (authorityId === undefined && certificate === undefined) return csr === undefined ? ['csr'] : []
  if (csr !== undefined)
    throw new DomainError('validation_failed', {
      publicDetail: 'body /csr is not possible with `authorityId` and `certificate`.',
      errors: [{ in: 'body', pointer: '/csr', message: 'is not possible with `authorityId` and `certificate`' }],
    })
  return [...(authorityId === undefined ? ['authorityId'] : []), ...(certificate === undefined ? ['certificate'] : [])]
}

/**
 * @param authority the one that `authorityId` names
 * @returns the row to store, and what is shown in this answer only
 * @throws weak_psk, csr_refused, private_key_given, certificate_refused
 */
export async function newCredential(
  sealing: ApiContext['sealing'],
  device: DeviceRecord,
  input: CredentialInput,
  expiresAt: Date | null,
  authority: DeviceAuthorityRecord | null = null,
): Promise<{ credential: NewCredential; shown: Shown }> {
  const { kind = 'psk' } = input
  const id = newId('crd')
  const common = { id, organizationId: device.organizationId, deviceId: device.id, expiresAt }
  const seal = async (secret: string): Promise<SealedSecret> => {
    const binding = { organizationId: device.organizationId, deviceId: device.id, credentialId: id }
    const sealedSecret = await sealing.seal(new TextEncoder().encode(secret), binding)
    return { sealedSecret, sealingKeyId: sealing.keyId }
  }
  switch (kind) {
    case 'psk': {
      const psk = acceptPsk(input.psk)
      const shown = { psk, swanctl: { placeholder: markers.psk, secret: hexSecret(psk) } }
      return { credential: { ...common, kind, ...(await seal(psk)) }, shown }
    }
    case 'eap': {
      const password = makePassword()
      const shown = { password, swanctl: { placeholder: markers.eap, secret: hexSecret(password) } }
      const named = { method: input.method ?? 'mschapv2', identity: userName(id, device) } as const
      return { credential: { ...common, kind, ...named, ...(await seal(password)) }, shown }
    }
    case 'ppk': {
      const ppk = makePsk()
      const shown = { ppk, swanctl: { placeholder: markers.ppk, secret: hexSecret(ppk) } }
      const named = { identity: `${idSuffix(id)}.ppk`, isRequired: input.required ?? false }
      return { credential: { ...common, kind, ...named, ...(await seal(ppk)) }, shown }
    }
    case 'certificate':
      if (authority !== null) {
        const foreign = readForeignCertificate(input.certificate ?? '', authority, expiresAt)
        return { credential: { ...common, ...foreign }, shown: {} }
      }
      return { credential: { ...common, kind, csr: readCsr(input.csr ?? '') }, shown: {} }
  }
}

/** Each credential has a name of its own, so that two passwords may be valid at once: a label before the IKE identity. */
function userName(id: string, { ikeIdentity }: DeviceRecord): string {
  return `${idSuffix(id).slice(0, 8)}.${ikeIdentity}`
}

function acceptPsk(given: string | undefined): string {
  if (given === undefined) return makePsk()
  if (estimateBits(given) >= leastPskBits) return given
  throw new DomainError('weak_psk', {
    errors: [{ in: 'body', pointer: '/psk', message: `has fewer than ${leastPskBits} bits by estimate` }],
  })
}

/** @throws validation_failed for a time that is over */
export function futureTime(text: string | undefined): Date | null {
  if (text === undefined) return null
  const time = new Date(text)
  if (time.getTime() > Date.now()) return time
  throw new DomainError('validation_failed', {
    publicDetail: 'body /expiresAt must be in the future.',
    errors: [{ in: 'body', pointer: '/expiresAt', message: 'must be in the future' }],
  })
}
