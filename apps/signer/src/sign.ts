/** Decisions on requests: what goes into a certificate comes from the registry and the settings, from the request only its key. */
import type { Decision, PendingCertificate, PendingGateway } from '@culvert/db'
import { FAULTS, toPem, type IssuedCertificate, type Result } from '@culvert/pki'
import { createHash } from 'node:crypto'
import type { LoadedAuthority } from './load-authority.ts'

export interface Lifetimes {
  readonly deviceMs: number
  readonly gatewayMs: number
}

export interface SigningPolicy {
  readonly lifetimes: Lifetimes
  readonly crlUrl: string | null
}

/** pki takes none that is shorter. */
const SHORTEST_MS = 60_000

export async function signDevice(
  authority: LoadedAuthority,
  policy: SigningPolicy,
  pending: PendingCertificate,
  nowMs: number,
): Promise<Decision> {
  const askedMs = pending.expiresAt === null ? Number.POSITIVE_INFINITY : pending.expiresAt.getTime() - nowMs
  const lifetimeMs = Math.min(askedMs, policy.lifetimes.deviceMs, authority.notAfterMs - nowMs)
  if (lifetimeMs < SHORTEST_MS) return refused('The certificate would be over within a minute.')
  return decisionOf(
    await authority.authority.signDeviceCertificate(pending.csr, {
      identity: pending.identity,
      atMs: nowMs,
      lifetimeMs,
      ...(policy.crlUrl === null ? {} : { crlUrl: policy.crlUrl }),
    }),
  )
}

export async function signGateway(
  authority: LoadedAuthority,
  policy: SigningPolicy,
  pending: PendingGateway,
  nowMs: number,
): Promise<Decision> {
  if (pending.isDevice) return refused('The IKE identity of the node is one of a device.')
  const lifetimeMs = Math.min(policy.lifetimes.gatewayMs, authority.notAfterMs - nowMs)
  if (lifetimeMs < SHORTEST_MS) return refused('The certificate would be over within a minute.')
  const { publicKey, names } = pending
  return decisionOf(await authority.authority.issueGatewayCertificate({ publicKey, names, atMs: nowMs, lifetimeMs }))
}

function decisionOf(result: Result<IssuedCertificate>): Decision {
  if (!result.ok) return refused(FAULTS[result.fault.code])
  const { certificate, serial, notAfterMs } = result.value
  return {
    kind: 'issued',
    certificates: toPem(certificate, 'CERTIFICATE'),
    serial,
    fingerprint: createHash('sha256').update(certificate).digest('hex'),
    notAfter: new Date(notAfterMs),
  }
}

function refused(sentence: string): Decision {
  return { kind: 'refused', refusal: sentence.replace(/\.$/, '') }
}
