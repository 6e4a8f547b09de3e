/**
 * EAP-TLS as authenticator (RFC 5216 with TLS 1.2, RFC 9190 with TLS 1.3).
 *
 * ```
 * start -> flight in pieces -> engine -> flight out in pieces -> ... -> last flight out -> acknowledgement -> proof
 *                                 \-> alert out -> anything -> failure
 * ```
 *
 * The peer's chain is judged before our last flight leaves: with TLS 1.2 before our Finished, with TLS 1.3 before the octet 0x00 by
 * which we commit ourselves to say nothing more (RFC 9190 2.1.1). Success needs all of: handshake done, a certificate, our
 * verdict, nothing resumed, no application data, and the acknowledgement.
 */
import { concatBytes, zeroize } from '@culvert/bytes'
import { X509Certificate } from 'node:crypto'
import type { SecureContext } from 'node:tls'
import {
  type EapMethod,
  type EapMethodRun,
  type EapMethodStep,
  type EapProof,
  methodFailure,
  methodRequest,
} from '../method.ts'
import { EAP_TYPE } from '../packet.ts'
import { ClientFlights } from './client-flights.ts'
import { ALL_TLS_VERSIONS, createTlsContext, type TlsCertificate, type TlsContextOptions } from './context.ts'
import { InboundFlights, OutboundFlight } from './flight.ts'
import { exportMsk } from './key-material.ts'
import { decodeTlsFragment, isTlsAcknowledgement, TLS_ACKNOWLEDGEMENT, TLS_START, type TlsFragment } from './packet.ts'
import { TlsEnd, type TlsRest } from './tls-end.ts'

export interface TlsMethodOptions {
  readonly certificate: TlsCertificate
  /** PEM of those whose certificates we take, one each: a hint for the peer, and theirs alone may have keys that are dear to check. */
  readonly authorities?: readonly string[]
  readonly versions?: TlsContextOptions['versions']
  /**
   * Judges the peer's certificates, DER, its own first; everything about them is unproven but that the peer has the key of
   * the first. `subject` becomes the proven identity; null refuses.
   */
  verifyChain(
    chain: readonly Uint8Array[],
    claimedIdentity: string | null,
  ): Promise<{ readonly subject: string } | null>
}

/** @throws the library's error when certificate and key are unreadable or do not belong together */
export function createTlsMethod(options: TlsMethodOptions): EapMethod {
  return createTlsMethods(options)(options.verifyChain)
}

/** For who judges differently from conversation to conversation: the TLS context is made once. @throws as `createTlsMethod` */
export function createTlsMethods(
  options: Omit<TlsMethodOptions, 'verifyChain'>,
): (verifyChain: TlsMethodOptions['verifyChain']) => EapMethod {
  const context = createTlsContext({
    certificate: options.certificate,
    authorities: options.authorities ?? [],
    versions: options.versions ?? ALL_TLS_VERSIONS,
  })
  const authorities = (options.authorities ?? []).map((pem) => new Uint8Array(new X509Certificate(pem).raw))
  return (verifyChain) => ({
    name: 'tls',
    type: EAP_TYPE.TLS,
    start: ({ claimedIdentity }) =>
      new TlsRun(context, new ClientFlights(authorities), (chain) => verifyChain(chain, claimedIdentity)),
  })
}

type VerifyChain = (chain: readonly Uint8Array[]) => Promise<{ readonly subject: string } | null>

type State =
  | { readonly phase: 'idle' }
  | { readonly phase: 'receiving' }
  /** `goal` is what the last acknowledgement leads to: the peer's next flight, success, or failure. */
  | { readonly phase: 'sending'; readonly flight: OutboundFlight; readonly goal: 'flight' | 'failure' | EapProof }
  | { readonly phase: 'over' }

const OVER: State = { phase: 'over' }
/** RFC 9190 2.1.1. */
const COMMITMENT = Uint8Array.of(0)

class TlsRun implements EapMethodRun {
  readonly #end: TlsEnd
  readonly #verifyChain: VerifyChain
  readonly #inbound = new InboundFlights()
  readonly #client: ClientFlights
  #state: State = { phase: 'idle' }
  #isClosed = false

  constructor(context: SecureContext, client: ClientFlights, verifyChain: VerifyChain) {
    this.#end = new TlsEnd(context, 'server')
    this.#client = client
    this.#verifyChain = verifyChain
  }

  async next(data: Uint8Array | null): Promise<EapMethodStep> {
    const state = this.#state
    if (data === null) {
      if (state.phase !== 'idle') return methodFailure('unexpected')
      this.#state = { phase: 'receiving' }
      return methodRequest(TLS_START)
    }
    const fragment = decodeTlsFragment(data)
    if (!fragment.ok) return methodFailure('malformed')
    switch (state.phase) {
      case 'receiving':
        return this.#hear(fragment.value)
      case 'sending':
        return this.#continue(state, fragment.value)
      case 'idle':
      case 'over':
        return methodFailure('unexpected')
    }
  }

  close(): void {
    this.#isClosed = true
    const state = this.#state
    if (state.phase === 'sending' && typeof state.goal !== 'string') zeroize(state.goal.msk)
    this.#state = OVER
    this.#client.close()
    this.#end.close()
  }

  async #hear(fragment: TlsFragment): Promise<EapMethodStep> {
    if (isTlsAcknowledgement(fragment)) return methodFailure('unexpected')
    const step = this.#inbound.add(fragment)
    switch (step.kind) {
      case 'malformed':
      case 'bounds':
        return methodFailure(step.kind)
      case 'acknowledge':
        return methodRequest(TLS_ACKNOWLEDGEMENT)
      case 'complete':
        return this.#handOver(step.octets)
    }
  }

  async #handOver(octets: Uint8Array): Promise<EapMethodStep> {
    this.#state = OVER // until the engine rests: nothing else is heard
    const verdict = this.#client.add(octets)
    if (verdict !== 'good') return methodFailure(verdict === 'refused' ? 'certificateRefused' : 'malformed')
    const rest = await this.#end.receive(octets)
    const secret = this.#end.takeHandshakeSecret()
    if (secret !== null) this.#client.protect(secret)
    return this.#answer(rest)
  }

  async #continue(state: Extract<State, { phase: 'sending' }>, fragment: TlsFragment): Promise<EapMethodStep> {
    const { flight, goal } = state
    const isAcknowledgement = isTlsAcknowledgement(fragment)
    if (!flight.isSent) return isAcknowledgement ? methodRequest(flight.take()) : methodFailure('unexpected')
    if (goal === 'failure') return methodFailure('tls')
    if (goal === 'flight') {
      this.#state = { phase: 'receiving' }
      return this.#hear(fragment)
    }
    if (!isAcknowledgement) return methodFailure('refusedByPeer') // an alert, whatever it says
    this.#state = OVER // the MSK is the receiver's now
    this.#end.close()
    return { kind: 'success', proof: goal }
  }

  async #answer(rest: TlsRest): Promise<EapMethodStep> {
    if (this.#isClosed) return methodFailure('closed')
    if (rest.applicationData.length > 0) return methodFailure('unexpected')
    switch (rest.phase) {
      case 'failed':
        return rest.output.length === 0 ? methodFailure('tls') : this.#send(rest.output, 'failure')
      case 'handshake':
        // a flight that is none: the peer has said everything and the engine still waits
        return rest.output.length === 0 ? methodFailure('malformed') : this.#send(rest.output, 'flight')
      case 'secure':
        return this.#judge(rest.output)
    }
  }

  async #judge(lastFlight: Uint8Array): Promise<EapMethodStep> {
    const certificates = this.#end.peerChain()
    if (certificates.length === 0) return methodFailure('noCertificate')
    if (this.#end.isResumed) return methodFailure('unexpected')
    const verdict = await this.#verifyChain(certificates).catch(() => 'lookup' as const)
    if (this.#isClosed) return methodFailure('closed')
    if (verdict === 'lookup') return methodFailure('lookup')
    if (verdict === null) return methodFailure('certificateRefused')
    const proof = { msk: exportMsk(this.#end), identity: verdict.subject, certificates }
    if (this.#end.protocol === 'TLSv1.2') return this.#send(lastFlight, proof)
    const committed = await this.#end.send(COMMITMENT)
    if (!this.#isClosed && committed.phase === 'secure' && committed.applicationData.length === 0) {
      return this.#send(concatBytes(lastFlight, committed.output), proof)
    }
    zeroize(proof.msk)
    return methodFailure(this.#isClosed ? 'closed' : 'tls')
  }

  #send(octets: Uint8Array, goal: 'flight' | 'failure' | EapProof): EapMethodStep {
    const flight = new OutboundFlight(octets)
    this.#state = { phase: 'sending', flight, goal }
    return methodRequest(flight.take())
  }
}
