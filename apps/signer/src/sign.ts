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

/**
 * One certificate of each authority, that of the first one first.
 *
 * @param authorities at least one; a former one that is nearly over gives none
 */
export async function signGateway(
  authorities: readonly LoadedAuthority[],
  policy: SigningPolicy,
  pending: PendingGateway,
  nowMs: number,
): Promise<Decision> {
  if (pending.isDevice) return refused('The IKE identity of the node is one of a device.')
  const { publicKey, names } = pending
  const decisions: Decision[] = []
  for (const { authority, notAfterMs } of authorities) {
    const lifetimeMs = Math.min(policy.lifetimes.gatewayMs, notAfterMs - nowMs)
    if (lifetimeMs < SHORTEST_MS) decisions.push(refused('The certificate would be over within a minute.'))
    else
      decisions.push(decisionOf(await authority.issueGatewayCertificate({ publicKey, names, atMs: nowMs, lifetimeMs })))
  }
  const [first, ...others] = decisions
  if (first?.kind !== 'issued') return first ?? refused('There is no authority.')
  const issued = others.filter((decision) => decision.kind === 'issued')
  return { ...first, certificates: [first, ...issued].map(({ certificates }) => certificates).join('') }
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
