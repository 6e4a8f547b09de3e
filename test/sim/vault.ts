/** A vault for resumption tickets in virtual time: it remembers what it sealed in place of encrypting it. */
import type { TicketVault } from '@culvert/ikev2'
import type { Network } from './network.ts'

export class Vault implements TicketVault {
  readonly #network: Network
  readonly #sealed = new Map<string, { readonly content: Uint8Array; readonly expiresAtMs: number }>()

  constructor(network: Network) {
    this.#network = network
  }

  seal(content: Uint8Array, lifetimeMs: number): Uint8Array {
    const ticket = this.#network.random.bytes(48)
    this.#sealed.set(nameOf(ticket), { content: content.slice(), expiresAtMs: this.#network.nowMs + lifetimeMs })
    return ticket
  }

  open(ticket: Uint8Array): Uint8Array | null {
    const found = this.#sealed.get(nameOf(ticket))
    return found !== undefined && this.#network.nowMs < found.expiresAtMs ? found.content.slice() : null
  }
}

function nameOf(ticket: Uint8Array): string {
  return Buffer.from(ticket).toString('hex')
}
