/**
 * Sends one HTTP request to a URL that a customer wrote, and cannot be talked into reaching anything but the public Internet.
 *
 * Invariants: the name is resolved once, every address of it is judged, and the socket goes to one of those; one connection
 * for one exchange, so nothing is shared between organizations (sockets, TLS sessions, DNS answers); redirects are answers;
 * no variable of the environment changes where it goes; the time limit covers everything from DNS to the last byte.
 */
import { AddressPolicy, type AddressPolicyOptions } from './address-policy.ts'
import { Attempt, type EgressResult } from './attempt.ts'
import { type EgressProxy, type Trust } from './connection.ts'
import { type EgressRequest } from './egress-request.ts'
import { EgressError, failureOf, type Failure } from './failure.ts'
import { dnsResolver, type Resolver } from './resolver.ts'
import { parseTarget, type PortRange, type UrlRules } from './url.ts'

export interface EgressOptions extends AddressPolicyOptions {
  /** http:// as well; default false. */
  readonly allowHttp?: boolean
  /** Ports that may be named; default 443 and 8443, and with `allowHttp` 80 and 8080. */
  readonly ports?: readonly PortRange[]
  /** Everything goes through it. */
  readonly proxy?: EgressProxy
  /** Most exchanges at a time; one more fails with `busy` at once. Default 256. */
  readonly maxSockets?: number
  readonly resolver?: Resolver
  readonly trust?: Trust
}

export type UrlCheck = { readonly ok: true; readonly url: string } | (Failure & { readonly ok: false })

export interface Egress {
  /** Never rejects for anything that the URL, DNS, the network or the host does. */
  send(request: EgressRequest): Promise<EgressResult>
  /** The rules of `send` that need no DNS; `url` is the normalised text. */
  checkUrl(url: string): UrlCheck
  /** Exchanges under way. */
  readonly open: number
}

const defaultMaxSockets = 256
const single = (port: number): PortRange => ({ from: port, to: port })

/** @throws PrefixError for a prefix that is none */
export function openEgress(options: EgressOptions = {}): Egress {
  const { allowHttp = false, maxSockets = defaultMaxSockets } = options
  const ports = options.ports ?? [443, 8443, ...(allowHttp ? [80, 8080] : [])].map(single)
  const rules: UrlRules = { addresses: new AddressPolicy(options), allowHttp, ports }
  const resolver = options.resolver ?? dnsResolver()
  let open = 0
  return {
    get open() {
      return open
    },
    checkUrl(url) {
      try {
        return { ok: true, url: parseTarget(url, rules).url.href }
      } catch (error) {
        return { ok: false, ...failureOf(error) }
      }
    },
    async send(request) {
      if (open >= maxSockets) {
        const busy = new EgressError('busy', 'Too many requests are under way; this one was not sent.')
        return new Attempt(request).failed(busy)
      }
      open++
      try {
        return await new Attempt(request).run({ rules, resolver, proxy: options.proxy, trust: options.trust })
      } finally {
        open--
      }
    },
  }
}
