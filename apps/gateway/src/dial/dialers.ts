/**
 * The gateway's dialer: straight from this process where a concentrator has no namespace, else through the dialer process of the
 * concentrator's namespace (one for each namespace, started when it is first needed).
 */
import { connectUnread } from './connect.ts'
import { type Dialer, type DialOutcome, type DialTarget, dialFailure } from './contract.ts'
import { type DialLog, NamespaceDialer } from './namespace-dialer.ts'

export interface DialersOptions {
  readonly timeoutMs: number
  readonly log: DialLog
}

export function openDialers({ timeoutMs, log }: DialersOptions): Dialer {
  const inside = new Map<string, NamespaceDialer>()
  const of = (namespace: string): NamespaceDialer => {
    const dialer = inside.get(namespace) ?? new NamespaceDialer(namespace, timeoutMs, log)
    inside.set(namespace, dialer)
    return dialer
  }
  return {
    dial: (target) => (target.namespace === '' ? dialHere(target, timeoutMs) : of(target.namespace).dial(target)),
    prepare: (namespace) => {
      if (namespace !== '') of(namespace).prepare()
    },
    stop: () => {
      for (const dialer of inside.values()) dialer.stop()
    },
  }
}

async function dialHere({ host, port, localAddress }: DialTarget, timeoutMs: number): Promise<DialOutcome> {
  const { socket, code } = await connectUnread({ host, port, localAddress, timeoutMs })
  return socket ? { ok: true, socket } : dialFailure(code)
}
