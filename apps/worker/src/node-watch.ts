/**
 * Judges which nodes are dead. A heartbeat that is old in the database proves nothing right after the database itself was away,
 * so a node is dead only when its heartbeat has not moved while this process watched, without a gap, for the whole time.
 */
import type { NodeHeartbeat } from '@culvert/db'

interface Observation {
  readonly heartbeat: string
  readonly sinceMs: number
}

export class NodeWatch {
  readonly #deadAfterMs: number
  readonly #seen = new Map<string, Observation>()
  #watchedUntilMs = Number.NEGATIVE_INFINITY

  constructor(deadAfterMs: number) {
    this.#deadAfterMs = deadAfterMs
  }

  /** @param nowMs a clock that never goes back @returns the nodes that are dead */
  observe(nodes: readonly NodeHeartbeat[], nowMs: number): NodeHeartbeat[] {
    if (nowMs - this.#watchedUntilMs > this.#deadAfterMs / 2) this.#seen.clear()
    this.#watchedUntilMs = nowMs
    const present = new Set(nodes.map(keyOf))
    for (const key of this.#seen.keys()) if (!present.has(key)) this.#seen.delete(key)
    return nodes.filter((node) => {
      const known = this.#seen.get(keyOf(node))
      if (known?.heartbeat === node.heartbeat) return nowMs - known.sinceMs >= this.#deadAfterMs
      this.#seen.set(keyOf(node), { heartbeat: node.heartbeat, sinceMs: nowMs })
      return false
    })
  }

  /** The database could not be read: whatever was observed before counts no more. */
  forget(): void {
    this.#seen.clear()
  }
}

function keyOf(node: NodeHeartbeat): string {
  return `${node.kind} ${node.id}`
}
