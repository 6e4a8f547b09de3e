/** A receiver of webhooks on this machine, and endpoints that lead to it. */
import {
  addWebhookEndpoint,
  createSecretSealer,
  newId,
  sealingKeyId,
  systemAuthor,
  webhookKeyBinding,
  type NewWebhookKey,
  type Pool,
  type SealingKeyPair,
  type WebhookEndpointSettings,
} from '@culvert/db'
import { openEgress, type Egress } from '@culvert/egress'
import { privateKeyText, publicKeyText, secretText } from '@culvert/webhooks'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

export interface ReceivedWebhook {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly id: string
}

export interface Receiver {
  /** Without a path. */
  readonly url: string
  readonly received: ReceivedWebhook[]
  /** Of this path. */
  on(path: string): ReceivedWebhook[]
  close(): Promise<void>
}

/** @param answer what to do with each delivery; 204 when left out */
export async function openReceiver(
  answer: (webhook: ReceivedWebhook, response: ServerResponse) => void = (_, response) => response.writeHead(204).end(),
): Promise<Receiver> {
  const received: ReceivedWebhook[] = []
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      const webhook = {
        path: request.url ?? '',
        headers: request.headers,
        body: body.toString(),
        id: String(request.headers['webhook-id']),
      }
      received.push(webhook)
      answer(webhook, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    on: (path) => received.filter((webhook) => webhook.path === path),
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Reaches receivers on this machine, which nothing but a test may. */
export function loopbackEgress(maxSockets = 512): Egress {
  return openEgress({
    allowHttp: true,
    ports: [{ from: 1, to: 65_535 }],
    allowedPrefixes: ['127.0.0.0/8'],
    ownAddresses: () => [],
    maxSockets,
  })
}

export interface TestEndpoint {
  readonly id: string
  /** `whsec_` or `whpk_`: what a receiver verifies with. */
  readonly key: string
}

export interface WantedEndpoint extends Partial<WebhookEndpointSettings> {
  readonly organizationId: string
  readonly url: string
  readonly signing?: 'hmac' | 'ed25519'
}

export async function newTestEndpoint(
  pool: Pool,
  sealing: SealingKeyPair,
  { organizationId, signing = 'hmac', ...wanted }: WantedEndpoint,
): Promise<TestEndpoint> {
  const id = newId('whe')
  const { key, verifiesWith } = await newTestKey(sealing, { organizationId, endpointId: id, signing })
  const settings = {
    name: 'test',
    eventTypes: [],
    deviceTags: [],
    networkIds: [],
    maxPerSec: null,
    ...wanted,
  }
  const added = await addWebhookEndpoint(pool, organizationId, { id, settings, key }, { by: systemAuthor('test') })
  if (typeof added === 'string') throw new Error(added)
  return { id, key: verifiesWith }
}

export async function newTestKey(
  sealing: SealingKeyPair,
  { organizationId, endpointId, signing }: { organizationId: string; endpointId: string; signing: 'hmac' | 'ed25519' },
): Promise<{ key: NewWebhookKey; verifiesWith: string }> {
  const id = newId('whk')
  const made = signing === 'hmac' ? hmacKey() : ed25519Key()
  const sealedKey = await createSecretSealer(sealing.publicKey)(
    new TextEncoder().encode(made.text),
    webhookKeyBinding(organizationId, endpointId, id),
  )
  const scheme = signing === 'hmac' ? 'v1' : 'v1a'
  const key = {
    id,
    scheme,
    sealedKey,
    sealingKeyId: sealingKeyId(sealing.publicKey),
    publicKey: made.publicKey,
  } as const
  return { key, verifiesWith: made.publicKey ?? made.text }
}

function hmacKey(): { text: string; publicKey: null } {
  return { text: secretText(randomBytes(32)), publicKey: null }
}

function ed25519Key(): { text: string; publicKey: string } {
  const pair = generateKeyPairSync('ed25519')
  const seed = pair.privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32)
  const publicKey = pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  return { text: privateKeyText(seed, publicKey), publicKey: publicKeyText(publicKey) }
}
