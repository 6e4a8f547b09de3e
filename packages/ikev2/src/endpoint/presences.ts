/**
 * Where devices are attached: how many from each source, and at which ports. Who asks from such a port is most likely that device,
 * which comes back.
 */
import type { SocketAddress } from './contract.ts'
import { portName, sourceName } from './source.ts'

/** Where one device is attached. */
export interface Presence {
  readonly source: string
  /** Where its IKE_SA_INIT came from, and where it is: a NAT gives it another port for each of ours. */
  readonly ports: readonly string[]
}

export class Presences {
  readonly #sources = new Map<string, number>()
  readonly #ports = new Map<string, number>()

  /** @param firstPort where its IKE_SA_INIT came from. @returns what to hand to `leave`. */
  enter(remote: SocketAddress, firstPort: string | null): Presence {
    const port = portName(remote)
    const ports = firstPort === null || firstPort === port ? [port] : [firstPort, port]
    const presence = { source: sourceName(remote.address), ports }
    count(this.#sources, presence.source, 1)
    for (const one of ports) count(this.#ports, one, 1)
    return presence
  }

  leave({ source, ports }: Presence): void {
    count(this.#sources, source, -1)
    for (const one of ports) count(this.#ports, one, -1)
  }

  devicesOf(source: string): number {
    return this.#sources.get(source) ?? 0
  }

  isAt(port: string): boolean {
    return this.#ports.has(port)
  }
}

function count(counts: Map<string, number>, name: string, change: 1 | -1): void {
  const left = (counts.get(name) ?? 0) + change
  if (left === 0) counts.delete(name)
  else counts.set(name, left)
}
