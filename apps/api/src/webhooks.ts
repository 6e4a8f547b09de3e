/** What the API needs to make webhook endpoints: the workers' key to seal to, and the rules for URLs. */
import { DomainError } from '@culvert/contracts'
import { createSecretSealer, sealingKeyId, type SecretSealer } from '@culvert/db'
import { openEgress, type EgressOptions } from '@culvert/egress'

export interface WebhookOptions {
  /** The workers' public key, base64url. */
  readonly sealingPublicKey: string
  /** The rules of the workers; those for the public Internet when left out. */
  readonly egress?: EgressOptions | undefined
}

export interface Webhooks {
  readonly sealing: { readonly seal: SecretSealer; readonly keyId: string }
  /** @returns the URL as it is stored. @throws url_refused; what its name stands for is looked at when something is sent */
  urlOf(url: string): string
}

export function openWebhooks({ sealingPublicKey, egress = {} }: WebhookOptions): Webhooks {
  const { checkUrl } = openEgress(egress)
  return {
    sealing: { seal: createSecretSealer(sealingPublicKey), keyId: sealingKeyId(sealingPublicKey) },
    urlOf(url) {
      const checked = checkUrl(url)
      if (checked.ok) return checked.url
      const { code, message } = checked
      throw new DomainError('url_refused', {
        publicDetail: message,
        errors: [{ in: 'body', pointer: '/url', message: code }],
      })
    },
  }
}

/** @throws webhooks_off when who runs the installation has set no key */
export function webhooksOf({ webhooks }: { readonly webhooks: Webhooks | null }): Webhooks {
  if (webhooks === null) throw new DomainError('webhooks_off')
  return webhooks
}
