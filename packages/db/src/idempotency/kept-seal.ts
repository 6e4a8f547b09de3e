/**
 * What is kept under an Idempotency-Key at rest: AES-256-GCM with a key that follows from the Idempotency-Key and from what
 * the caller proved itself with. Of both the database holds hashes alone, so that who reads it reads no answer, and who has
 * neither can have none replayed.
 *
 *   nonce (12) | ciphertext | tag (16)
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto'

export interface KeyHolder {
  readonly organizationId: string
  /** `api_key:ID` or `user:ID`. */
  readonly actor: string
  /** The Idempotency-Key as the caller wrote it. */
  readonly key: string
  /** What only this caller has, or what is computed for it out of a secret that the database does not have. */
  readonly proof: string
}

const nonceBytes = 12
const tagBytes = 16
export const saltBytes = 32

/** The place of a key in the table. */
export function hashKey({ organizationId, actor, key }: KeyHolder): Buffer {
  return createHash('sha256')
    .update(parts('place', organizationId, actor, key))
    .digest()
}

export class KeptSeal {
  readonly #sealing: Buffer
  readonly #printing: Buffer
  readonly #binding: string

  constructor(holder: KeyHolder, salt: Uint8Array) {
    const secret = parts(holder.key, holder.proof)
    this.#binding = parts(holder.organizationId, holder.actor)
    this.#sealing = Buffer.from(hkdfSync('sha256', secret, salt, 'culvert idempotency seal v1', 32))
    this.#printing = Buffer.from(hkdfSync('sha256', secret, salt, 'culvert idempotency fingerprint v1', 32))
  }

  /** Of a request: keyed, so that a secret in its body cannot be guessed at. */
  fingerprint(request: string): Buffer {
    return createHmac('sha256', this.#printing).update(request).digest()
  }

  /** @param name what it is: nothing can be put in the place of something else */
  seal(name: string, plaintext: Uint8Array): Buffer {
    const nonce = randomBytes(nonceBytes)
    const cipher = createCipheriv('aes-256-gcm', this.#sealing, nonce, { authTagLength: tagBytes })
    cipher.setAAD(Buffer.from(parts(this.#binding, name)))
    return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
  }

  /** @throws when it was sealed for something else, or by somebody else */
  open(name: string, sealed: Uint8Array): Buffer {
    const nonce = sealed.subarray(0, nonceBytes)
    const decipher = createDecipheriv('aes-256-gcm', this.#sealing, nonce, { authTagLength: tagBytes })
    decipher.setAAD(Buffer.from(parts(this.#binding, name)))
    decipher.setAuthTag(sealed.subarray(-tagBytes))
    return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()])
  }
}

/** Each part with its length before it, so that no two lists are the same text. */
function parts(...list: readonly string[]): string {
  return list.map((part) => `${part.length}:${part}`).join(',')
}
