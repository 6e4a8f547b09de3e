/** How a device's configuration says that it proves itself, by the credentials it has. */
import { credentialState, type CredentialSummaryRecord } from '@culvert/db'
import type { ProofKind } from '@culvert/device-config'

export interface DeviceProof {
  readonly kind: ProofKind
  /** eap: the user name; null when no credential says it. */
  readonly userName: string | null
  /** certificate: the credential with the newest one there is. */
  readonly certificateId: string | null
  readonly ppk: { readonly identity: string; readonly isRequired: boolean } | null
}

/**
 * @param credentials newest first
 * @param asked what the caller wants; left out: as the newest credential, psk without any
 */
export function deviceProof(
  credentials: readonly CredentialSummaryRecord[],
  asked: ProofKind | undefined,
): DeviceProof {
  const now = new Date()
  const usable = credentials.filter((record) => ['active', 'pending'].includes(credentialState(record, now)))
  const newest = usable.map(({ kind }) => kind).find((kind) => kind !== 'ppk')
  const ppk = usable.find(({ kind }) => kind === 'ppk')
  return {
    kind: asked ?? newest ?? 'psk',
    userName: usable.find(({ kind }) => kind === 'eap')?.identity ?? null,
    certificateId: usable.find(({ fingerprint }) => fingerprint !== null)?.id ?? null,
    ppk: ppk?.identity ? { identity: ppk.identity, isRequired: ppk.isRequired ?? false } : null,
  }
}
