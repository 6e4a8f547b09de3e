/** Keys of endpoints, opened and ready to sign; the latest are remembered, as opening one costs more than a signature. */
import { opensslProvider, PRF, signingKey, type Prf } from '@culvert/crypto'
import { webhookKeyBinding, type ClaimedKey, type EndpointClaim, type KeyRing } from '@culvert/db'
import { ed25519Pkcs8, ed25519Signer, hmacSigner, readWebhookKey, type Signer } from '@culvert/webhooks'

const mostRemembered = 4_096

export class Signers {
  readonly #ring: KeyRing
  readonly #hmac = opensslProvider.prf(PRF.HMAC_SHA2_256) as Prf
  /** By the key, which never changes, and what it is sealed to; null: it cannot be opened. */
  readonly #known = new Map<string, Signer | null>()

  constructor(ring: KeyRing) {
    this.#ring = ring
  }

  /** @returns none when no key can be opened: then nothing is sent */
  of(endpoint: Pick<EndpointClaim, 'id' | 'organizationId' | 'keys'>): Signer[] {
    return endpoint.keys.map((key) => this.#signer(endpoint, key)).filter((signer) => signer !== null)
  }

  #signer(endpoint: Pick<EndpointClaim, 'id' | 'organizationId'>, key: ClaimedKey): Signer | null {
    const name = `${key.id} ${key.sealingKeyId}`
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const signer = this.#open(endpoint, key)
    this.#known.set(name, signer)
    const [oldest] = this.#known.keys()
    if (this.#known.size > mostRemembered && oldest !== undefined) this.#known.delete(oldest)
    return signer
  }

  #open({ id, organizationId }: Pick<EndpointClaim, 'id' | 'organizationId'>, key: ClaimedKey): Signer | null {
    const text = this.#ring.open(key.sealedKey, webhookKeyBinding(organizationId, id, key.id), key.sealingKeyId)
    if (text === null) return null
    const read = readWebhookKey(new TextDecoder().decode(text))
    text.fill(0)
    if (read === null) return null
    if (read.scheme === 'v1') return hmacSigner(read.secret, this.#hmac)
    const pkcs8 = ed25519Pkcs8(read.seed)
    const signing = signingKey(pkcs8)
    pkcs8.fill(0)
    read.seed.fill(0)
    return signing && ed25519Signer(signing)
  }
}
