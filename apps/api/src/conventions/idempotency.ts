/**
 * `Idempotency-Key` on every POST under /v1: however often and however concurrently the same request comes, it has one effect
 * and one answer, also when a process dies in the middle (docs/adr/0027-idempotency.md). Routes know nothing of it.
 *
 * What is refused before anything was written, and what failed on our side, is not kept: it may turn out otherwise.
 */
import { DomainError, type ErrorCode } from '@culvert/contracts'
import {
  claimKey,
  inRequestScope,
  keptAnswerHours,
  keyName,
  claimLeaseSec,
  type Claim,
  type ClaimResult,
  type KeptAnswer,
  type KeyHolder,
} from '@culvert/db'
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { createHash, createHmac, type Hash } from 'node:crypto'
import { Transform } from 'node:stream'
import { Type } from 'typebox'
import type { Api, ApiContext } from '../context.ts'
import { callerSignal, waitMs } from '../preconditions.ts'
import { withProblems } from '../responses.ts'
import { readIdempotencyKey } from './idempotency-key.ts'
import { isTried } from './validate-only.ts'

const keptHeaders = ['content-type', 'cache-control', 'location', 'etag', 'retry-after', 'link']

interface Work {
  readonly claim: Claim
  readonly renewal: NodeJS.Timeout
  /** What was begun came to nothing. */
  undone: boolean
}

export function idempotency(v1: Api, context: ApiContext): void {
  const works = new WeakMap<FastifyRequest, Work>()
  const bodies = new WeakMap<FastifyRequest, Hash>()

  v1.addHook('onRoute', (route) => {
    if (isIdempotent(route)) describe(route)
  })

  v1.addHook('preParsing', (request, _reply, payload, done) => {
    const hasBody =
      request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0
    if (!hasBody || !isAsked(request)) return done(null, payload)
    const hash = createHash('sha256')
    bodies.set(request, hash)
    const tee = new Transform({
      transform: (chunk: Buffer, _encoding, passOn) => {
        hash.update(chunk)
        passOn(null, chunk)
      },
    })
    payload.on('error', (error: Error) => tee.destroy(error))
    done(null, payload.pipe(tee))
  })

  v1.addHook('preHandler', (request, reply, resume) => {
    if (!isAsked(request)) return resume()
    begin(context, request, reply, printOf(request, bodies.get(request))).then((begun) => {
      if (begun.kind === 'answered') return replay(reply, begun.answer)
      const { claim } = begun
      const renew = (): void => void claim.renew().catch((error: unknown) => notKept(request, error))
      const renewal = setInterval(renew, (claimLeaseSec * 1_000) / 3).unref()
      works.set(request, { claim, renewal, undone: false })
      inRequestScope({ kind: 'kept', effects: claim.effects, drawing: claim.drawing }, () => resume())
    }, resume)
  })

  v1.addHook('onError', async (request, _reply, error: Error) => {
    const work = works.get(request)
    if (work && error instanceof DomainError) work.undone = error.undone
  })

  v1.addHook('onSend', async (request, reply, payload: unknown) => {
    const work = works.get(request)
    if (!work) return
    works.delete(request)
    clearInterval(work.renewal)
    await conclude(work, reply, payload).catch((error: unknown) => notKept(request, error))
  })
}

/** The answer goes out all the same: the request done again finds what it made. */
function notKept(request: FastifyRequest, error: unknown): void {
  request.log.warn({ err: error }, 'the answer to an Idempotency-Key is not kept')
}

function isIdempotent({ method, config }: Pick<RouteOptions, 'method' | 'config'>): boolean {
  return [method].flat().includes('POST') && config?.permission !== 'public'
}

function isAsked(request: FastifyRequest): boolean {
  if (request.headers['idempotency-key'] === undefined || !isIdempotent(request.routeOptions)) return false
  return !isTried(request)
}

const codes: readonly ErrorCode[] = [
  'invalid_idempotency_key',
  'idempotency_in_progress',
  'idempotency_key_reused',
  'idempotency_limit',
]

function describe(route: RouteOptions): void {
  const { schema = {} } = route
  const header = Type.Optional(
    Type.String({
      description:
        `A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within ${keptAnswerHours} hours, ` +
        'the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`.',
      examples: ['"8e03978e-40d5-43e8-bc93-6894a57f9324"'],
    }),
  )
  route.schema = {
    ...schema,
    headers: Type.Object({ 'Idempotency-Key': header }),
    response: withProblems(schema.response, codes),
  }
}

/** All that makes it another request when it differs. A body that its route reads by itself counts by its length. */
function printOf(request: FastifyRequest, body: Hash | undefined): string {
  const length = request.headers['content-length'] ?? null
  const isRead = request.raw.readableEnded
  return JSON.stringify([request.method, request.url, body && isRead ? body.digest('hex') : length])
}

/** A second call waits for the answer of the first one, as long as it would have waited for its own (`Prefer`). */
async function begin(
  { pool, changes, login }: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
  print: string,
): Promise<Extract<ClaimResult, { kind: 'claimed' | 'answered' }>> {
  const holder = holderOf(request, login)
  const result = await changes.until({
    organizationId: holder.organizationId,
    id: keyName(holder),
    timeoutMs: waitMs(request, undefined),
    signal: callerSignal(request, reply),
    read: () => claimKey(pool, holder, print),
    done: ({ kind }) => kind !== 'running',
  })
  if (result.kind === 'running') throw new DomainError('idempotency_in_progress', { retryAfterSec: 2 })
  if (result.kind === 'full') throw new DomainError('idempotency_limit', { retryAfterSec: 60 })
  if (result.kind !== 'reused') return result
  throw new DomainError('idempotency_key_reused', {
    errors: [{ in: 'header', pointer: '/idempotency-key', message: 'was sent with another request' }],
  })
}

/**
 * A key's own secret is the proof. What a person proves itself with changes every few minutes: for it stands what the API alone
 * can compute, so that neither the database nor the Idempotency-Key, nor both, give an answer away.
 */
function holderOf(request: FastifyRequest, login: ApiContext['login']): KeyHolder {
  const { organizationId, kind, id } = request.actor
  const ofPerson = (): string =>
    login ? createHmac('sha256', login.keys.keptAnswers).update(`${organizationId} ${id}`).digest('base64url') : ''
  const proof = kind === 'api_key' ? (request.headers.authorization ?? '').replace(/^\S+ +/, '').trim() : ofPerson()
  return { organizationId, actor: `${kind}:${id}`, key: readIdempotencyKey(request) ?? '', proof }
}

function replay(reply: FastifyReply, { status, headers, body }: KeptAnswer): void {
  const answer = reply.code(status).headers(headers).header('idempotency-replayed', 'true')
  void (status === 204 ? answer.send() : answer.send(body))
}

async function conclude({ claim, undone }: Work, reply: FastifyReply, payload: unknown): Promise<void> {
  const { effects } = claim
  const { statusCode: status } = reply
  effects.end()
  if (undone || (status >= 400 && !effects.any)) return claim.forget()
  const isText = payload === null || payload === undefined || typeof payload === 'string' || Buffer.isBuffer(payload)
  if (status >= 500 || !isText) return claim.interrupt()
  const headers = keptHeaders.map((name) => [name, reply.getHeader(name)] as const)
  const said = headers.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)] as const]))
  return claim.finish({ status, headers: Object.fromEntries(said), body: payload?.toString() ?? '' })
}
