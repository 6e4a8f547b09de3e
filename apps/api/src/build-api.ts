/**
 * The API as a Fastify application: stores, queues, checks, routes, documentation. It owns what it opens and closes it with
 * itself. Starts and serves also while the database is away: then it answers 503 and heals by itself.
 */
import { createSecretSealer, openPool, sealingKeyId } from '@culvert/db'
import { openEgress, type Egress } from '@culvert/egress'
import { createHealthRegistry, createLogger, type Logger } from '@culvert/observability'
import { openQueues } from '@culvert/queue'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { LogController, type FastifyBaseLogger } from 'fastify'
import { randomUUID } from 'node:crypto'
import { authorize, requirePermissions } from './permissions.ts'
import { authenticator } from './authenticate.ts'
import { Changes } from './changes.ts'
import type { Api, ApiContext } from './context.ts'
import { commonProblems } from './conventions/common-problems.ts'
import { conditional } from './conventions/conditional.ts'
import { deprecation } from './conventions/deprecation.ts'
import { idempotency } from './conventions/idempotency.ts'
import { optionalBody } from './conventions/optional-body.ts'
import { rateLimits, type RateLimits } from './conventions/rate-limits.ts'
import { traceContextOf } from './conventions/trace-context.ts'
import { hintsWhenMeant, validateOnly } from './conventions/validate-only.ts'
import { noteDenials } from './denials.ts'
import { documentation } from './documentation.ts'
import { answerErrors, answerBrokenHttp } from './error-answers.ts'
import { openLogin, type LoginOptions } from './login.ts'
import { auditLogRoutes } from './routes/audit-log.ts'
import { attachmentRoutes } from './routes/attachments.ts'
import { apiKeyRoutes } from './routes/api-keys.ts'
import { authRoutes, keyRoutes } from './routes/auth.ts'
import { authorityRoutes } from './routes/authorities.ts'
import { attemptRoutes } from './routes/attempts.ts'
import { configLinkRoutes, openedLinkRoutes } from './routes/config-links.ts'
import { connectionRoutes } from './routes/connections.ts'
import { credentialRoutes } from './routes/credentials.ts'
import { deviceConfigRoutes } from './routes/device-config.ts'
import { deviceAuthorityRoutes } from './routes/device-authorities.ts'
import { deviceBulkRoutes } from './routes/device-bulk.ts'
import { deviceRoutes } from './routes/devices.ts'
import { eventRoutes } from './routes/events.ts'
import { grantRoutes } from './routes/grants.ts'
import { healthRoutes } from './routes/health.ts'
import { memberRoutes } from './routes/members.ts'
import { nodeRoutes } from './routes/nodes.ts'
import { networkRoutes } from './routes/networks.ts'
import { operationRoutes } from './routes/operations.ts'
import { signingKeyRoutes } from './routes/signing-keys.ts'
import { sshKeyRoutes } from './routes/ssh-keys.ts'
import { tunnelRoutes } from './routes/tunnels.ts'
import { automationRuleRoutes } from './routes/automation-rules.ts'
import { ruleRunRoutes } from './routes/rule-runs.ts'
import { usageRoutes } from './routes/usage.ts'
import { usageThresholdRoutes } from './routes/usage-thresholds.ts'
import { webhookDeliveryRoutes } from './routes/webhook-deliveries.ts'
import { webhookRecoveryRoutes } from './routes/webhook-recovery.ts'
import { webhookEndpointRoutes } from './routes/webhook-endpoints.ts'
import { buildSerializer } from './serialization.ts'
import { unknownRoutes } from './unknown-routes.ts'
import { compileValidator } from './validation.ts'
import { openWebhooks, type WebhookOptions } from './webhooks.ts'

export interface ApiOptions {
  readonly databaseUrl: string
  /** Jobs go through PostgreSQL without it. */
  readonly redisUrl?: string | undefined
  /** The concentrators' public key, base64url. */
  readonly sealingPublicKey: string
  /** Where callers reach the API. */
  readonly publicUrl?: string | undefined
  readonly zone?: string | undefined
  readonly servicePrefix?: string | undefined
  readonly servicePrefix6?: string | undefined
  /** Where inner IPv6 pools come from; null: devices have IPv4 alone. */
  readonly pool6Prefix?: string | null | undefined
  /** Proxies whose X-Forwarded-For is believed; nobody's when left out. */
  readonly trustProxy?: string | undefined
  /** Any number of calls when left out. */
  readonly rateLimits?: RateLimits | undefined
  /** How many calls of one organization and of one caller wait for events at once, and how a stream of events behaves. */
  readonly stream?: ApiContext['stream'] | undefined
  readonly logger?: Logger | undefined
  readonly poolSize?: number | undefined
  /** People log in; without it API keys alone are good. */
  readonly login?: LoginOptions | undefined
  /** Events are delivered; without it there is the feed alone. */
  readonly webhooks?: WebhookOptions | undefined
  /** Judges URLs that customers write; nothing is sent with it. To the public Internet alone when left out. */
  readonly egress?: Egress | undefined
}

const bodyLimitBytes = 64 * 1024
const unlimited: RateLimits = { organization: 0, key: 0, address: 0 }

export async function buildApi(options: ApiOptions): Promise<Api> {
  const logger = options.logger ?? createLogger('api', 'silent')
  const context = openContext(options, logger)
  const api: Api = Fastify({
    loggerInstance: logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    bodyLimit: bodyLimitBytes,
    trustProxy: options.trustProxy ?? false,
    requestTimeout: 60_000,
    forceCloseConnections: 'idle',
    genReqId: (request) => requestId(request.headers['x-request-id']),
    childLoggerFactory: (parent, bindings, childOptions, message) => {
      const trace = traceContextOf(message)
      const named = trace ? { ...bindings, traceId: trace.traceId, spanId: trace.spanId } : bindings
      return parent.child(named, childOptions)
    },
    clientErrorHandler: answerBrokenHttp,
    frameworkErrors: answerErrors,
    routerOptions: { maxParamLength: 200 },
    schemaController: { compilersFactory: { buildSerializer } },
  }).withTypeProvider<TypeBoxTypeProvider>()
  api.setValidatorCompiler(compileValidator)
  api.setErrorHandler(answerErrors)
  acceptEmptyJson(api)
  api.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
    const trace = traceContextOf(request.raw)
    if (trace) reply.header('traceparent', trace.traceparent)
  })
  api.decorateRequest('organizationId', '')
  api.decorateRequest('actor')
  endGently(api, context)
  api.addHook('onClose', () => closeContext(context))
  unknownRoutes(api)
  deprecation(api)
  requirePermissions(api)
  await documentation(api)
  healthRoutes(api, healthOf(context))
  keyRoutes(api, context)
  await api.register(
    async (v1) => {
      const limits = rateLimits(v1 as Api, options.rateLimits ?? unlimited, { redisUrl: options.redisUrl, logger })
      v1.addHook('onRequest', limits.beforeAuthentication)
      v1.addHook('onRequest', context.authenticate)
      v1.addHook('onRequest', limits.afterAuthentication)
      v1.addHook('onRequest', authorize)
      commonProblems(v1 as Api)
      conditional(v1 as Api)
      optionalBody(v1 as Api)
      validateOnly(v1 as Api, context)
      idempotency(v1 as Api, context)
      v1.addHook('onError', noteDenials(context.pool))
      for (const routes of [
        authorityRoutes,
        authRoutes,
        deviceRoutes,
        deviceBulkRoutes,
        deviceConfigRoutes,
        configLinkRoutes,
        openedLinkRoutes,
        credentialRoutes,
        deviceAuthorityRoutes,
        tunnelRoutes,
        attachmentRoutes,
        connectionRoutes,
        nodeRoutes,
        attemptRoutes,
        networkRoutes,
        apiKeyRoutes,
        operationRoutes,
        memberRoutes,
        auditLogRoutes,
        grantRoutes,
        eventRoutes,
        sshKeyRoutes,
        signingKeyRoutes,
        automationRuleRoutes,
        ruleRunRoutes,
        usageRoutes,
        usageThresholdRoutes,
        webhookEndpointRoutes,
        webhookDeliveryRoutes,
        webhookRecoveryRoutes,
      ])
        routes(v1 as Api, context)
    },
    { prefix: '/v1' },
  )
  await api.ready()
  return api
}

/** Calls that wait answer with what they have, and no connection is kept that would hold up the end. */
function endGently(api: Api, { changes }: ApiContext): void {
  let ending = false
  api.addHook('preClose', async () => {
    ending = true
    changes.release()
  })
  api.addHook('onSend', async (_request, reply) => {
    if (ending) reply.header('connection', 'close')
  })
}

function openContext(options: ApiOptions, logger: Logger): ApiContext {
  const warn = (error: Error): void => logger.warn({ err: error }, 'a connection to the database broke')
  const pool = openPool(options.databaseUrl, {
    max: options.poolSize ?? 20,
    applicationName: 'culvert-api',
    role: 'culvert_api',
    onError: warn,
  })
  const login = options.login ? openLogin(options.login, pool, logger) : null
  return {
    pool,
    authenticate: authenticator(pool, login),
    stream: options.stream ?? { organization: 100, caller: 25, heartbeatMs: 15_000, stallMs: 30_000 },
    queues: hintsWhenMeant(openQueues({ databaseUrl: options.databaseUrl, redisUrl: options.redisUrl, logger })),
    changes: new Changes(options.databaseUrl, logger),
    logger,
    login,
    publicUrl: originOf(options.publicUrl ?? options.login?.publicUrl),
    egress: options.egress ?? openEgress(),
    zone: options.zone ?? 'fleet.culvert.internal',
    servicePrefix: options.servicePrefix ?? '10.127.0.0/24',
    servicePrefix6: options.servicePrefix6 ?? 'fd43:756c:7665:7f00::/64',
    pool6Prefix: options.pool6Prefix === undefined ? 'fd43:756c:7665:8000::/49' : options.pool6Prefix,
    sealing: { seal: createSecretSealer(options.sealingPublicKey), keyId: sealingKeyId(options.sealingPublicKey) },
    webhooks: options.webhooks ? openWebhooks(options.webhooks) : null,
  }
}

function originOf(url: string | undefined): string | null {
  return url === undefined ? null : new URL(url).origin
}

async function closeContext({ changes, queues, pool }: ApiContext): Promise<void> {
  await Promise.all([changes.close(), queues.close()])
  await pool.end()
}

function healthOf({ pool }: ApiContext): ReturnType<typeof createHealthRegistry> {
  const health = createHealthRegistry()
  health.register('database', async () => void (await pool.query('SELECT 1')), 'the database does not answer')
  return health
}

/** Clients send `Content-Type: application/json` also where there is no body; then the schema says what is missing. */
function acceptEmptyJson(api: Api): void {
  const parse = api.getDefaultJsonParser('error', 'error')
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  api.removeAllContentTypeParsers()
  api.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined)
    try {
      void parse(request, utf8.decode(body), done)
    } catch (error) {
      done(Object.assign(error as Error, { statusCode: 400 }))
    }
  })
}

/** A caller's id is kept when it is harmless, so that its own logs can be matched. */
function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[A-Za-z0-9._-]{1,100}$/.test(given) ? given : `req_${randomUUID()}`
}
