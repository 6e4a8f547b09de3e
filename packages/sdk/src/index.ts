export {
  createClient,
  ifUnchanged,
  type AnswerOf,
  type ClientOptions,
  type Culvert,
  type InputOf,
  type ItemOf,
  type ListPath,
  type PathOf,
} from './client.ts'
export { CulvertError, type CulvertErrorCode } from './error.ts'
export { type EventCalls, type FollowedEvent, type FollowOptions } from './events.ts'
export { type OperationCalls } from './operations.ts'
export { Pages } from './pages.ts'
export type { components, Device, Operation, paths, Problem, Schema, Tunnel, WebhookEvent, webhooks } from './schema.ts'
export { type OpenTunnel, type TunnelCalls, type TunnelInput } from './tunnels.ts'
export { type WaitOptions } from './waiting.ts'
