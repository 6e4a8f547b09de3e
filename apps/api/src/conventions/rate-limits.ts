/**
 * How many calls per minute: of an organization, of one API key or person, and, from one address, calls that need no key or
 * come without a valid one. Counted in Redis where there is one, so that all processes count together, else in this process;
 * a Redis that is away turns the count into this process's own and stops nobody. Answers say what is left
 * (draft-ietf-httpapi-ratelimit-headers-11).
 */
import { DomainError } from '@culvert/contracts'
import type { Logger } from '@culvert/observability'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Redis } from 'ioredis'
import { createHash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible'
import { isPublic } from '../permissions.ts'
import type { Api } from '../context.ts'
import { withProblems } from '../responses.ts'
import { RecentSet } from './recent-set.ts'

/** Calls per minute; 0: any number. */
export interface RateLimits {
  readonly organization: number
  readonly key: number
  readonly address: number
}

const windowSec = 60
type Policy = keyof RateLimits

export function rateLimits(
  v1: Api,
  limits: RateLimits,
  options: { redisUrl?: string | undefined; logger: Logger },
): {
  /** An `onRequest` hook that goes before the question who calls. */
  readonly beforeAuthentication: (request: FastifyRequest, reply: FastifyReply) => Promise<void>
  /** One that goes after it. */
  readonly afterAuthentication: (request: FastifyRequest, reply: FastifyReply) => Promise<void>
} {
  const redis = options.redisUrl === undefined ? null : openRedis(options.redisUrl, options.logger)
  const limiters = { organization: limiterOf('organization'), key: limiterOf('key'), address: limiterOf('address') }
  /** Addresses with too many calls without a valid key, and what proved itself: an address has honest callers too. */
  const [blocked, proven] = [new RecentSet(10_000), new RecentSet(10_000)]

  function limiterOf(policy: Policy): RateLimiterAbstract | null {
    const common = { points: limits[policy], duration: windowSec, keyPrefix: `culvert:rate:${policy}` }
    if (common.points === 0) return null
    const insuranceLimiter = new RateLimiterMemory(common)
    if (!redis) return insuranceLimiter
    return new RateLimiterRedis({ ...common, storeClient: redis, insuranceLimiter, rejectIfRedisNotReady: true })
  }

  const count = async (reply: FastifyReply, wanted: readonly (readonly [Policy, string])[]): Promise<void> => {
    const known = wanted.flatMap(([policy, key]) => {
      const limiter = limiters[policy]
      return limiter ? [{ policy, counted: consume(limiter, key) }] : []
    })
    const states = await Promise.all(known.map(async ({ policy, counted }) => ({ policy, ...(await counted) })))
    if (states.length === 0) return
    reply.header(
      'ratelimit-policy',
      states.map(({ policy }) => `"${policy}";q=${limits[policy]};w=${windowSec}`).join(', '),
    )
    reply.header(
      'ratelimit',
      states.map(({ policy, left, resetSec }) => `"${policy}";r=${left};t=${resetSec}`).join(', '),
    )
    const over = states.find((state) => state.isOver)
    if (over) throw tooMany(over.policy, over.resetSec)
  }

  v1.addHook('onRoute', (route) => {
    route.schema = { ...route.schema, response: withProblems(route.schema?.response, ['rate_limited']) }
  })
  v1.addHook('onError', async (request, reply, error: Error) => {
    if (!(error instanceof DomainError) || error.code !== 'unauthenticated' || !limiters.address) return
    const address = addressOf(request)
    const { isOver, resetSec } = await consume(limiters.address, address)
    if (isOver) blocked.add(address, resetSec * 1_000)
    reply.header('ratelimit-policy', `"address";q=${limits.address};w=${windowSec}`)
  })
  v1.addHook('onClose', async () => redis?.disconnect())

  return {
    beforeAuthentication: async (request, reply) => {
      const address = addressOf(request)
      if (isPublic(request)) return count(reply, [['address', address]])
      const leftMs = blocked.leftMs(address)
      if (leftMs > 0 && proven.leftMs(proofOf(request)) === 0) throw tooMany('address', Math.ceil(leftMs / 1_000))
    },
    afterAuthentication: async (request, reply) => {
      if (isPublic(request)) return
      const { organizationId, id } = request.actor
      if (limiters.address) proven.add(proofOf(request), 600_000)
      await count(reply, [
        ['organization', organizationId],
        ['key', `${organizationId}:${id}`],
      ])
    },
  }
}

async function consume(
  limiter: RateLimiterAbstract,
  key: string,
): Promise<{ left: number; resetSec: number; isOver: boolean }> {
  const state = (at: RateLimiterRes, isOver: boolean) => ({
    left: Math.max(0, at.remainingPoints),
    resetSec: Math.max(1, Math.ceil(at.msBeforeNext / 1_000)),
    isOver,
  })
  try {
    return state(await limiter.consume(key), false)
  } catch (error) {
    if (error instanceof RateLimiterRes) return state(error, true)
    throw error
  }
}

function tooMany(policy: Policy, retryAfterSec: number): DomainError {
  const whose = { organization: 'of this organization', key: 'with this key', address: 'from this address' }[policy]
  return new DomainError('rate_limited', {
    publicDetail: `There were too many calls ${whose} in the last minute.`,
    retryAfterSec,
    internalContext: { policy },
  })
}

/** Who has one IPv6 address has 2^64. */
function addressOf({ ip }: FastifyRequest): string {
  if (!isIPv6(ip) || /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(ip)) return ip.replace(/^::ffff:/i, '')
  return expanded(ip).slice(0, 4).join(':')
}

/** @returns the eight groups of an address that may be shortened */
function expanded(ip: string): string[] {
  const [head = '', tail = ''] = ip.replace(/%.*$/, '').split('::')
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'))
  const missing = 8 - groups(head).length - groups(tail).length
  return [...groups(head), ...Array.from({ length: missing }, () => '0'), ...groups(tail)]
}

/** No secret is remembered, only its hash. */
function proofOf({ headers }: FastifyRequest): string {
  return createHash('sha256')
    .update(headers.authorization ?? '')
    .digest('base64')
}

function openRedis(url: string, logger: Logger): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: 1, enableOfflineQueue: false, connectTimeout: 2_000 })
  let told = false
  redis.on('ready', () => void (told = false))
  redis.on('error', (error: Error) => {
    if (!told) logger.warn({ err: error }, 'Redis does not answer; calls are counted in this process alone')
    told = true
  })
  return redis
}
