/** Makes a key that deliveries to an endpoint are signed with, sealed to the workers; a secret is shown once. */
import { drawOctets, newId, webhookKeyBinding, type NewWebhookKey, type SecretSealer } from '@culvert/db'
import { ed25519Pkcs8, privateKeyText, publicKeyText, secretText } from '@culvert/webhooks'
import { createPrivateKey, createPublicKey } from 'node:crypto'

export interface MadeWebhookKey {
  readonly key: NewWebhookKey
  /** `whsec_...`; null where a public key verifies. */
  readonly secret: string | null
}

const secretBytes = 32
const seedBytes = 32

export async function newWebhookKey(
  sealing: { readonly seal: SecretSealer; readonly keyId: string },
  organizationId: string,
  endpointId: string,
  signing: 'hmac' | 'ed25519',
): Promise<MadeWebhookKey> {
  const id = newId('whk')
  const { text, publicKey } = signing === 'hmac' ? hmacKey() : ed25519Key()
  const octets = new TextEncoder().encode(text)
  const sealedKey = await sealing.seal(octets, webhookKeyBinding(organizationId, endpointId, id))
  octets.fill(0)
  const scheme = signing === 'hmac' ? 'v1' : 'v1a'
  return {
    key: { id, scheme, sealedKey, sealingKeyId: sealing.keyId, publicKey },
    secret: signing === 'hmac' ? text : null,
  }
}

function hmacKey(): { text: string; publicKey: null } {
  return { text: secretText(drawOctets(secretBytes)), publicKey: null }
}

function ed25519Key(): { text: string; publicKey: string } {
  const seed = drawOctets(seedBytes)
  const pkcs8 = Buffer.from(ed25519Pkcs8(seed))
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-seedBytes)
  const text = privateKeyText(seed, publicKey)
  seed.fill(0)
  pkcs8.fill(0)
  return { text, publicKey: publicKeyText(publicKey) }
}
