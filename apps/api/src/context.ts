/** What routes get: the stores, the queues and the way to wait for a change. Nothing in it belongs to one request. */
import type { Pool, SecretSealer } from '@culvert/db'
import type { Egress } from '@culvert/egress'
import type { Logger } from '@culvert/observability'
import type { Queues } from '@culvert/queue'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { StreamTimes } from './feed/event-stream.ts'
import type { SeatLimits } from './feed/seats.ts'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyRequest,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { Login } from './login.ts'
import type { Changes } from './changes.ts'
import type { Webhooks } from './webhooks.ts'

export interface ApiContext {
  readonly pool: Pool
  readonly queues: Queues
  readonly changes: Changes
  readonly logger: Logger
  /** Null: people cannot log in. */
  readonly login: Login | null
  /** Where callers reach the API, without a path; null: as each call says it. */
  readonly publicUrl: string | null
  /** Finds out anew who calls. @throws unauthenticated */
  readonly authenticate: (request: FastifyRequest) => Promise<void>
  /** Calls that wait for events. */
  readonly stream: StreamTimes & SeatLimits
  /** Judges URLs that customers write. */
  readonly egress: Pick<Egress, 'checkUrl'>
  readonly zone: string
  readonly servicePrefix: string
  readonly servicePrefix6: string
  readonly pool6Prefix: string | null
  readonly sealing: { readonly seal: SecretSealer; readonly keyId: string }
  /** Null: there are no webhooks. */
  readonly webhooks: Webhooks | null
}

export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>
