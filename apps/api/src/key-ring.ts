/**
 * Keys of access tokens in this process. The rows are the truth: they are read when a token is signed, and when somebody comes with
 * a key that is not known here. Public keys are kept by their name, which is their fingerprint; whether one is still good is asked
 * of the database with every token.
 */
import { ensureSigningKeys, readSigningKeys, type Pool, type SigningKeyRow } from '@culvert/db'
import { makeSigningKey, openSigningKey, publicKeyOf, type SigningKey } from '@culvert/identity'
import type { Logger } from '@culvert/observability'

type PublicKey = NonNullable<Awaited<ReturnType<typeof publicKeyOf>>>

export class KeyRing {
  readonly #pool: Pool
  readonly #sealingKey: Uint8Array
  readonly #logger: Logger
  #signer: SigningKey | null = null
  #known = new Map<string, PublicKey>()

  constructor(pool: Pool, sealingKey: Uint8Array, logger: Logger) {
    this.#pool = pool
    this.#sealingKey = sealingKey
    this.#logger = logger
  }

  /** @returns the key that signs now, which is made if there is none; asked of the database, so that a revoked one signs no more */
  async signer(): Promise<SigningKey> {
    const make = () => this.make()
    const row = signing(await ensureSigningKeys(this.#pool, make))
    if (this.#signer?.kid === row.kid) return this.#signer
    try {
      this.#signer = await openSigningKey(row, this.#sealingKey)
    } catch (error) {
      const { kid } = row
      this.#logger.warn({ err: error, kid }, 'a signing key was sealed with another AUTH_SECRET; another one signs')
      const rows = await ensureSigningKeys(this.#pool, make, kid)
      this.#signer = await openSigningKey(signing(rows), this.#sealingKey)
    }
    return this.#signer
  }

  /** @returns a key that no row has yet */
  make(): ReturnType<typeof makeSigningKey> {
    return makeSigningKey(this.#sealingKey)
  }

  /** @returns null when no such key is good */
  async publicKey(kid: string): Promise<PublicKey | null> {
    if (!this.#known.has(kid)) await this.#read()
    return this.#known.get(kid) ?? null
  }

  /** The public halves as a JWK Set (RFC 7517), keys to come included. */
  async published(): Promise<Record<string, unknown>[]> {
    return (await readSigningKeys(this.#pool)).map(({ publicJwk }) => publicJwk)
  }

  async #read(): Promise<void> {
    const rows = await readSigningKeys(this.#pool)
    const known = new Map<string, PublicKey>()
    for (const { kid, publicJwk } of rows) {
      const key = this.#known.get(kid) ?? (await publicKeyOf(publicJwk))
      if (key) known.set(kid, key)
    }
    this.#known = known
  }
}

function signing(rows: readonly SigningKeyRow[]): SigningKeyRow {
  const row = rows.find(({ signs }) => signs)
  if (!row) throw new Error('no key signs')
  return row
}
