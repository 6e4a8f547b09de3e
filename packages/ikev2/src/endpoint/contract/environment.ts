/** What the core is lent for one step: time, randomness, cryptography, free SPIs; and where datagrams travel. */
import type { CryptoProvider, Rng } from '@culvert/crypto'
import type { IkeSpi, Spi } from '../../message/model.ts'

/** Milliseconds of a clock that never goes back. */
export type MonotonicMs = number

export interface SocketAddress {
  /** Textual IPv4 or IPv6 address in canonical form. */
  readonly address: string
  readonly port: number
}

/** Where a datagram came in and from where it came. Answers go back along it. */
export interface Path {
  readonly local: SocketAddress
  readonly remote: SocketAddress
}

export interface Env {
  readonly nowMs: MonotonicMs
  readonly rng: Rng
  readonly crypto: CryptoProvider
  /** 24 bits, the upper part of every AEAD IV made by this process. */
  readonly incarnation: number
  /** A fresh SPI of ours, not zero and not in use. */
  allocateIkeSpi(): IkeSpi
  /** A fresh inbound SPI for an ESP SA; null when the table is full. Freed by the driver when it applies `removeChildSa` or `releaseSpi`. */
  allocateChildSpi(): Spi | null
  /** Seals and opens resumption tickets under keys all nodes share (RFC 5723); left out: none are given or taken. */
  readonly tickets?: TicketVault
}

/** Absolute expiry and key rotation are the vault's: it knows the time of day, the core does not. */
export interface TicketVault {
  /** @returns an opaque ticket, or null when none can be made now. */
  seal(content: Uint8Array, lifetimeMs: number): Uint8Array | null
  /** @returns the content; null for what is forged, expired or sealed under a forgotten key. */
  open(ticket: Uint8Array): Uint8Array | null
}
