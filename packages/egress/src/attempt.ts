/** One exchange from the URL to the last byte: where it is, how long each part took, what must be closed at its end. */
import { performance } from 'node:perf_hooks'
import { isIPv6 } from 'node:net'
import { openTcp, openThroughProxy, secure, type EgressProxy, type Opened, type Trust } from './connection.ts'
import { checkHeaders, exchange, type Answer } from './exchange.ts'
import { type EgressRequest } from './egress-request.ts'
import { EgressError, failureOf, type Failure, type Stage } from './failure.ts'
import { type Resolver } from './resolver.ts'
import { parseTarget, type Target, type UrlRules } from './url.ts'

/** Each is null when the exchange did not come so far. */
export interface Durations {
  readonly resolveMs: number | null
  readonly connectMs: number | null
  readonly tlsMs: number | null
  /** From the request to the status line. */
  readonly firstByteMs: number | null
  readonly totalMs: number
}

export type EgressResult =
  | (Answer & { readonly ok: true; readonly address: string; readonly durations: Durations })
  | (Failure & {
      readonly ok: false
      readonly stage: Stage
      /** What it was connected to; null before. For logs and the operator: a refused address is never here. */
      readonly address: string | null
      /** The status, when the headers had come and the rest did not. */
      readonly status: number | null
      readonly durations: Durations
    })

/** What a service has for all its exchanges. */
export interface Means {
  readonly rules: UrlRules
  readonly resolver: Resolver
  readonly proxy: EgressProxy | undefined
  readonly trust: Trust | undefined
}

/** Addresses of one name that are tried; all are judged. */
const maxTried = 6

export class Attempt {
  readonly #request: EgressRequest
  readonly #beganMs = performance.now()
  readonly #abort = new AbortController()
  readonly #spentMs: Partial<Record<Stage, number>> = {}
  #stage: Stage = 'check'
  #stageBeganMs = this.#beganMs
  #address: string | null = null
  #status: number | null = null

  constructor(request: EgressRequest) {
    this.#request = request
  }

  async run(means: Means): Promise<EgressResult> {
    const { timeoutMs, signal } = this.#request
    const timer = setTimeout(() => this.#abort.abort(timedOut(this.#stage, timeoutMs)), timeoutMs)
    const stop = (): void => this.#abort.abort(new EgressError('aborted', 'The request was given up.'))
    if (signal?.aborted) stop()
    signal?.addEventListener('abort', stop, { once: true })
    try {
      const answer = await this.#exchange(means)
      return { ok: true, ...answer, address: this.#address ?? '', durations: this.#durations() }
    } catch (error) {
      return this.failed(this.#abort.signal.aborted ? this.#abort.signal.reason : error)
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    }
  }

  failed(error: unknown): EgressResult {
    const state = { stage: this.#stage, address: this.#address, status: this.#status }
    return { ok: false, ...failureOf(error), ...state, durations: this.#durations() }
  }

  async #exchange(means: Means): Promise<Answer> {
    checkHeaders(this.#request.headers)
    const target = parseTarget(this.#request.url, means.rules)
    const addresses = await this.#within('resolve', () => this.#resolve(target, means))
    const opened = await this.#within('connect', () => this.#connect(target, addresses, means))
    this.#address = opened.address
    try {
      const socket = target.secure
        ? await this.#within('tls', () => secure(opened, target, means.trust ?? {}, this.#abort.signal))
        : opened.socket
      return await this.#within('headers', () =>
        exchange({ socket, target, request: this.#request, signal: this.#abort.signal }, (status) => {
          this.#status = status
          this.#ends('headers')
          this.#stage = 'body'
        }),
      )
    } finally {
      opened.socket.destroy()
    }
  }

  /** @returns the addresses to try, in that order; IPv6 and IPv4 in turn (RFC 8305 4) */
  async #resolve({ host, literal }: Target, { rules, resolver }: Means): Promise<readonly string[]> {
    if (literal) return [host]
    const found = await this.#orAbort(resolver.resolve(host, this.#abort.signal)).catch((error: unknown) => {
      throw new EgressError('name_unresolved', `No name server answered for ${host}.`, { cause: error })
    })
    if (found.length === 0) throw new EgressError('name_unresolved', `The name ${host} has no address.`)
    if (!found.every((address) => rules.addresses.allows(address))) {
      throw new EgressError(
        'address_refused',
        `The name ${host} leads to an address that is not on the public Internet.`,
      )
    }
    const six = found.filter((address) => isIPv6(address))
    const four = found.filter((address) => !isIPv6(address))
    const inTurn = found.flatMap((_, index) => [six[index], four[index]]).filter((address) => address !== undefined)
    return inTurn.slice(0, maxTried)
  }

  async #connect(target: Target, addresses: readonly string[], { proxy }: Means): Promise<Opened> {
    if (!proxy) return openTcp(target, addresses, this.#abort.signal)
    // A proxy rarely says why: IPv4 first is what most of them can do.
    const [first = ''] = addresses.toSorted((one, other) => Number(isIPv6(one)) - Number(isIPv6(other)))
    return openThroughProxy(proxy, target, first, this.#abort.signal)
  }

  async #within<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
    this.#stage = stage
    this.#stageBeganMs = performance.now()
    const result = await work()
    this.#ends(stage)
    return result
  }

  #ends(stage: Stage): void {
    this.#spentMs[stage] ??= performance.now() - this.#stageBeganMs
  }

  /** For a promise that may never settle. */
  async #orAbort<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.#abort
    const { promise, reject } = Promise.withResolvers<never>()
    const abort = (): void => reject(signal.reason as Error)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', abort))
  }

  #durations(): Durations {
    const { resolve, connect, tls, headers } = this.#spentMs
    return {
      resolveMs: resolve ?? null,
      connectMs: connect ?? null,
      tlsMs: tls ?? null,
      firstByteMs: headers ?? null,
      totalMs: performance.now() - this.#beganMs,
    }
  }
}

const unfinished: Readonly<Record<Stage, string>> = {
  check: 'nothing was sent',
  resolve: 'DNS did not answer',
  connect: 'the host did not take the connection',
  tls: 'the TLS handshake did not end',
  headers: 'the host did not answer',
  body: 'the answer did not end',
}

function timedOut(stage: Stage, timeoutMs: number): EgressError {
  return new EgressError('timeout', `No complete answer within ${timeoutMs} ms: ${unfinished[stage]}.`)
}
