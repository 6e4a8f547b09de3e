/**
 * What a concentrator knows beside its IKE endpoint: secrets, leased addresses, who is attached.
 */
import type { Answer, AttachmentKey, IkeEvent, Question } from '@culvert/ikev2'
import { type Node, selectors } from './node.ts'
import { DIAL } from './pair.ts'

export interface Secret {
  readonly id: string
  readonly secret: Uint8Array
}

export class FleetGate {
  readonly node: Node
  /** Secrets that are good now, by subject; they outlive the node. */
  readonly secrets: Map<string, readonly Secret[]>
  /** Attachments by subject, with the secret each was proven with. */
  readonly attached = new Map<string, Map<AttachmentKey, string | null>>()

  /** What came through tunnels since somebody looked. */
  readonly arrived = new Set<string>()

  constructor(node: Node, secrets: Map<string, readonly Secret[]>) {
    this.node = node
    this.secrets = secrets
    node.answerTo = (question) => this.#answer(question)
    node.onData = (text) => this.arrived.add(text)
    node.onEvent = (event) => this.#hear(event)
  }

  keysOf(subject: string): readonly AttachmentKey[] {
    return [...(this.attached.get(subject)?.keys() ?? [])]
  }

  /** Ends what was proven with a secret that is good no more. */
  revoke(subject: string): void {
    const good = new Set((this.secrets.get(subject) ?? []).map(({ id }) => id))
    for (const [key, id] of this.attached.get(subject) ?? []) {
      if (id !== null && good.has(id)) continue
      this.node.command({ kind: 'deleteIke', key, reason: 'revoked' })
    }
  }

  #answer(question: Question): Answer {
    if (question.kind === 'credential') {
      const subject = new TextDecoder().decode(question.idI.data)
      const candidates = (this.secrets.get(subject) ?? []).map((secret) => ({ kind: 'psk' as const, ...secret }))
      return { kind: 'credential', found: candidates.length === 0 ? null : { subject, candidates } }
    }
    if (question.kind !== 'attach') throw new Error(`asked for ${question.kind}`)
    const ip4 = addressOf(question.subject)
    const tsRemote = selectors(ip4)
    const replaces = this.keysOf(question.subject)
    const grant = { ip4, ip6: null, dns4: [], tsLocal: selectors(DIAL), tsRemote, replaces }
    return { kind: 'attach', grant }
  }

  #hear(event: IkeEvent): void {
    if (event.kind === 'established') {
      const keys = this.attached.get(event.subject) ?? new Map<AttachmentKey, string | null>()
      keys.set(event.key, event.credential)
      this.attached.set(event.subject, keys)
    } else if (event.kind === 'closed' && event.subject !== null) this.attached.get(event.subject)?.delete(event.key)
  }
}

/** `d17.test` lives at 10.128.0.17. */
export function addressOf(subject: string): string {
  const number = Number(/\d+/.exec(subject)?.[0])
  return `10.128.${number >>> 8}.${number & 255}`
}
