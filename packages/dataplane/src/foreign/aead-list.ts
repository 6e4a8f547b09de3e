/**
 * What OpenSSL is called for when a packet is sealed or opened with an AEAD, as one list (`call-list.ts`). One list serves all
 * contexts of a thread; what a context brings, its handle too, is written when another one used it last.
 *
 * ```
 *   seal:  additional data | text | Final | ICV and next IV
 *   open:  ICV and IV | additional data | text | Final
 * ```
 *
 * The nonce of a packet to seal is no step: with AES-GCM the context mostly has it already, else `evp.ts` tells it before.
 */
import { CallList } from './call-list.ts'
import type { PacketMemory } from './packet-memory.ts'

const STEPS = 4
const [OUT, FROM, LENGTH] = [1, 2, 3]

/** `openAnew`: ICV and IV are said by initializing the context again, for ciphers that have no other way (ChaCha20-Poly1305). */
export type AeadListKind = 'seal' | 'open' | 'openAnew'

/** The context whose handle and addresses stand in the steps: one object for each, told apart by identity. */
export interface AeadListOwner {
  /** Handle of the context, which lives as long as the owner says. */
  readonly context: number
  /** Addresses of a list of parameters and of the nonce. */
  readonly parameters: number
  readonly nonce: number
}

export class AeadList {
  readonly #list: CallList
  readonly #kind: AeadListKind
  readonly #parametersAt: number
  readonly #aadAt: number
  #owner: AeadListOwner | null = null

  /** @param sink address of a block that takes what Final writes. Throws `NativeUnavailableError`. */
  constructor(memory: PacketMemory, kind: AeadListKind, sink: number) {
    const list = new CallList(memory, STEPS)
    const sealing = kind === 'seal'
    this.#list = list
    this.#kind = kind
    this.#parametersAt = sealing ? 3 : 0
    this.#aadAt = sealing ? 0 : 1
    const final = this.#aadAt + 2
    list.call(this.#aadAt, 'cipherUpdate')
    list.call(this.#aadAt + 1, 'cipherUpdate')
    list.call(final, sealing ? 'encryptFinal' : 'decryptFinal')
    list.pass(final, 2, sink)
    list.expect(final, 1)
    list.call(this.#parametersAt, sealing ? 'getParameters' : kind === 'open' ? 'setParameters' : 'decryptInit2')
    list.expect(this.#parametersAt, 1)
  }

  /**
   * Addresses of checked blocks: additional data, text, where the result goes.
   * @returns whether every call came to what it should: when opening, whether the packet is authentic
   */
  run(owner: AeadListOwner, aad: number, aadBytes: number, from: number, to: number, length: number): boolean {
    const list = this.#list
    if (this.#owner !== owner) this.#take(owner)
    const aadAt = this.#aadAt
    list.pass(aadAt, FROM, aad)
    list.pass(aadAt, LENGTH, aadBytes)
    list.expect(aadAt, aadBytes)
    const textAt = aadAt + 1
    list.pass(textAt, OUT, to)
    list.pass(textAt, FROM, from)
    list.pass(textAt, LENGTH, length)
    list.expect(textAt, length)
    return list.run(0, STEPS)
  }

  /** Its context is freed. The handle that stays in the steps is not called any more: who runs the list next writes his own first. */
  forget(owner: AeadListOwner): void {
    if (this.#owner === owner) this.#owner = null
  }

  #take(owner: AeadListOwner): void {
    for (let step = 0; step < STEPS; step++) this.#list.pass(step, 0, owner.context)
    if (this.#kind === 'openAnew') {
      this.#list.pass(this.#parametersAt, 3, owner.nonce)
      this.#list.pass(this.#parametersAt, 4, owner.parameters)
    } else this.#list.pass(this.#parametersAt, 1, owner.parameters)
    this.#owner = owner
  }
}
