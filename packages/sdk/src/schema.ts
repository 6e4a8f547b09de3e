/** Types of what the API takes and answers, by the names of its OpenAPI document. */
import type { components, webhooks } from './generated/api.ts'

export type { components, paths, webhooks } from './generated/api.ts'

/** A resource by name, such as `Schema<'Device'>`. */
export type Schema<Name extends keyof components['schemas']> = components['schemas'][Name]

export type Device = Schema<'Device'>
export type Tunnel = Schema<'Tunnel'>
export type Operation = Schema<'Operation'>
export type Problem = Schema<'Problem'>

/** An event as it is delivered; `type` tells which one it is. */
export type WebhookEvent = {
  [Type in keyof webhooks]: webhooks[Type] extends {
    post: { requestBody: { content: { 'application/json': infer Body } } }
  }
    ? Body
    : never
}[keyof webhooks]
