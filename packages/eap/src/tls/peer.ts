/**
 * EAP-TLS as peer (RFC 5216, RFC 9190). It has an MSK once the handshake is done, the authenticator's chain was found good and,
 * with TLS 1.3, the commitment 0x00 came; not before.
 */
import type { SecureContext } from 'node:tls'
import type { EapPeerMethod, EapPeerMethodRun, EapPeerStep } from '../method.ts'
import { EAP_TYPE } from '../packet.ts'
import { ALL_TLS_VERSIONS, createTlsContext, type TlsCertificate, type TlsContextOptions } from './context.ts'
import { InboundFlights, OutboundFlight } from './flight.ts'
import { exportMsk } from './key-material.ts'
import { decodeTlsFragment, isTlsAcknowledgement, TLS_ACKNOWLEDGEMENT, type TlsFragment } from './packet.ts'
import { TlsEnd, type TlsRest } from './tls-end.ts'

export interface TlsPeerOptions {
  readonly certificate: TlsCertificate | null
  readonly versions?: TlsContextOptions['versions']
  /** Is this the authenticator we want? DER, its own certificate first. */
  verifyChain(chain: readonly Uint8Array[]): Promise<boolean>
}

/** @throws the library's error when certificate and key are unreadable or do not belong together */
export function createTlsPeerMethod(options: TlsPeerOptions): EapPeerMethod {
  const { certificate, versions = ALL_TLS_VERSIONS } = options
  const context = createTlsContext({ certificate, authorities: [], versions })
  return { name: 'tls', type: EAP_TYPE.TLS, start: () => new TlsPeerRun(context, options.verifyChain) }
}

const FAILED: EapPeerStep = { data: null, verdict: 'failure' }

class TlsPeerRun implements EapPeerMethodRun {
  readonly #end: TlsEnd
  readonly #verifyChain: TlsPeerOptions['verifyChain']
  readonly #inbound = new InboundFlights()
  #phase: 'idle' | 'running' | 'trusted' | 'done' | 'over' = 'idle'
  #flight: OutboundFlight | null = null

  constructor(context: SecureContext, verifyChain: TlsPeerOptions['verifyChain']) {
    this.#end = new TlsEnd(context, 'client')
    this.#verifyChain = verifyChain
  }

  async next(data: Uint8Array): Promise<EapPeerStep> {
    const decoded = decodeTlsFragment(data)
    if (!decoded.ok || this.#phase === 'over') return FAILED
    const fragment = decoded.value
    if (this.#phase === 'idle') return fragment.isStart ? this.#begin() : FAILED
    if (this.#flight !== null && !this.#flight.isSent) {
      return isTlsAcknowledgement(fragment) ? this.#say(this.#flight.take()) : FAILED
    }
    return this.#hear(fragment)
  }

  msk(): Uint8Array | null {
    return this.#phase === 'done' ? exportMsk(this.#end) : null
  }

  close(): void {
    this.#phase = 'over'
    this.#end.close()
  }

  async #begin(): Promise<EapPeerStep> {
    this.#phase = 'running'
    return this.#answer(await this.#end.receive(new Uint8Array(0)))
  }

  async #hear(fragment: TlsFragment): Promise<EapPeerStep> {
    const step = this.#inbound.add(fragment)
    switch (step.kind) {
      case 'malformed':
      case 'bounds':
        return FAILED
      case 'acknowledge':
        return this.#say(TLS_ACKNOWLEDGEMENT)
      case 'complete':
        return this.#answer(await this.#end.receive(step.octets))
    }
  }

  async #answer(rest: TlsRest): Promise<EapPeerStep> {
    if (rest.phase === 'secure' && this.#phase === 'running') {
      if (!(await this.#verifyChain(this.#end.peerChain()))) return FAILED
      this.#phase = this.#end.protocol === 'TLSv1.2' ? 'done' : 'trusted'
    }
    const [octet, ...others] = rest.applicationData
    if (octet !== undefined) {
      if (this.#phase !== 'trusted' || octet !== 0 || others.length > 0) return FAILED
      this.#phase = 'done'
    }
    if (rest.output.length === 0) return rest.phase === 'failed' ? FAILED : this.#say(TLS_ACKNOWLEDGEMENT)
    this.#flight = new OutboundFlight(rest.output)
    return this.#say(this.#flight.take())
  }

  #say(data: Uint8Array): EapPeerStep {
    return { data, verdict: this.#phase === 'done' ? 'success' : 'open' }
  }
}
