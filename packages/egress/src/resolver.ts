/**
 * Asks DNS itself (c-ares) and not getaddrinfo: names of /etc/hosts and search domains are inside names, and getaddrinfo holds
 * one of the process's few threads while a hostile name server keeps silent.
 */
import { Resolver as Dns } from 'node:dns/promises'

export interface Resolver {
  /**
   * @param name in ASCII, fully qualified
   * @returns all its IPv4 and IPv6 addresses, none when it has none
   * @throws when no name server answered
   */
  resolve(name: string, signal: AbortSignal): Promise<readonly string[]>
}

export interface ResolverOptions {
  /** Name servers, `address` or `address:port`; those of the system when left out. */
  readonly servers?: readonly string[]
}

const none = ['ENODATA', 'ENOTFOUND']

export function dnsResolver({ servers }: ResolverOptions = {}): Resolver {
  return {
    async resolve(name, signal) {
      // One of its own for each exchange: cancel() ends everything that a resolver asks.
      const dns = new Dns({ timeout: 2_000, tries: 3 })
      if (servers) dns.setServers(servers)
      const cancel = (): void => dns.cancel()
      signal.addEventListener('abort', cancel, { once: true })
      try {
        const answers = await Promise.allSettled([dns.resolve4(name), dns.resolve6(name)])
        const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
        const fault = answers.map((answer) => (answer.status === 'rejected' ? (answer.reason as Error) : null))
        const broken = fault.find((error) => error && !none.includes((error as NodeJS.ErrnoException).code ?? ''))
        if (found.length === 0 && broken) throw broken
        return found
      } finally {
        signal.removeEventListener('abort', cancel)
      }
    },
  }
}
