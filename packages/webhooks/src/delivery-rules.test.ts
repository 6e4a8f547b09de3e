/** Rules of sending: the schedule, what answers mean, whom events go to, when an endpoint is given up. */
import { describe, expect, it } from 'vitest'
import { FilterIndex, type EndpointFilter, type EventSubject } from './filter.ts'
import { disableAfterMs, leastWarningMs, stepHealth, warnAfterMs } from './health.ts'
import { retryAfterSec } from './retry-after.ts'
import { delayAfter, mostAttempts, pauseAfter, retryScheduleSec } from './retry.ts'
import { verdictOf } from './verdict.ts'

describe('the retry schedule', () => {
  it('has ten attempts over about 75 hours, and none after them', () => {
    const delays = Array.from({ length: mostAttempts - 1 }, (_, index) => delayAfter(index + 1, 0.5) ?? 0)
    expect(delays).toEqual(retryScheduleSec.slice(1).map((sec) => sec * 1_000))
    expect(delays.reduce((sum, delay) => sum + delay) / 3_600_000).toBeCloseTo(75.58, 1)
    expect(delayAfter(mostAttempts, 0.5)).toBeNull()
  })

  it('moves each attempt by at most a tenth', () => {
    expect(delayAfter(1, 0)).toBe(4_500)
    expect(delayAfter(1, 0.999_999)).toBe(5_500)
  })

  it('never comes before Retry-After, which counts for a day at most', () => {
    expect(delayAfter(1, 0.5, 120)).toBe(120_000)
    expect(delayAfter(3, 0.5, 60)).toBe(1_800_000)
    expect(delayAfter(1, 0.5, 999_999_999)).toBe(86_400_000)
    expect(delayAfter(mostAttempts, 0.5, 60)).toBeNull()
  })

  it('lets an endpoint that has too much rest longer each time, an hour at most', () => {
    expect([1, 2, 3, 6, 60].map((times) => pauseAfter(times, 0.5))).toEqual([1_000, 2_000, 5_000, 60_000, 60_000])
    expect(pauseAfter(1, 0.5, 30)).toBe(30_000)
    expect(pauseAfter(1, 0.5, 86_400)).toBe(3_600_000)
  })
})

describe('Retry-After', () => {
  it('RFC 9110 10.2.3 is seconds, or a date', () => {
    const nowMs = Date.UTC(2026, 10, 22, 10, 0, 0)
    expect(retryAfterSec('120', nowMs)).toBe(120)
    for (const date of ['2026-11-22T10:01:00Z', '2028-02-29T23:59:59Z', '2100-03-01T00:00:00Z', '2027-01-01T00:00:00Z'])
      expect(retryAfterSec(new Date(date).toUTCString(), nowMs)).toBe((Date.parse(date) - nowMs) / 1_000)
    expect(retryAfterSec('Sun, 06 Nov 1994 08:49:37 GMT', nowMs)).toBe(0)
    for (const bad of [undefined, '', 'soon', '-1', '1.5', 'Sunday, 06-Nov-94 08:49:37 GMT', '9999999999'])
      expect(retryAfterSec(bad, nowMs)).toBeNull()
  })
})

describe('an answer', () => {
  const verdict = (status: number, headers: Record<string, string> = {}) => verdictOf({ status, headers }, 0)

  it('is success when it is 2xx, and nothing else is', () => {
    for (const status of [200, 201, 202, 204, 299]) expect(verdict(status).kind).toBe('delivered')
    for (const status of [100, 301, 302, 307, 308, 400, 401, 404, 500, 503])
      expect(verdict(status)).toEqual({ kind: 'again', throttle: false, retryAfterSec: null })
    expect(verdictOf(null, 0)).toEqual({ kind: 'again', throttle: false, retryAfterSec: null })
  })

  it('410 switches the endpoint off', () => {
    expect(verdict(410)).toEqual({ kind: 'gone' })
  })

  it('429, 502 and 504 slow the endpoint down, with what it asks for', () => {
    for (const status of [429, 502, 504])
      expect(verdict(status, { 'retry-after': '7' })).toEqual({ kind: 'again', throttle: true, retryAfterSec: 7 })
    expect(verdict(503, { 'retry-after': '7' })).toEqual({ kind: 'again', throttle: false, retryAfterSec: 7 })
  })

  it('with webhook-delivery: abort-message ends this message alone', () => {
    expect(verdict(400, { 'webhook-delivery': 'abort-message' })).toEqual({ kind: 'aborted' })
    expect(verdict(200, { 'webhook-delivery': 'abort-message' })).toEqual({ kind: 'delivered' })
    expect(verdict(400, { 'webhook-delivery': 'other' }).kind).toBe('again')
  })
})

describe('an endpoint that fails', () => {
  const failing = (failingMs: number, warnedMs: number | null, nowMs = 1e12) =>
    stepHealth({ failingSinceMs: nowMs - failingMs, warnedAtMs: warnedMs === null ? null : nowMs - warnedMs }, nowMs)
      .act

  it('is warned about after a day, and switched off after five', () => {
    expect(stepHealth({ failingSinceMs: null, warnedAtMs: null }, 7)).toEqual({
      health: { failingSinceMs: 7, warnedAtMs: null },
      act: 'none',
    })
    expect(failing(warnAfterMs - 1, null)).toBe('none')
    expect(failing(warnAfterMs, null)).toBe('warn')
    expect(failing(disableAfterMs - 1, disableAfterMs - warnAfterMs)).toBe('none')
    expect(failing(disableAfterMs, disableAfterMs - warnAfterMs)).toBe('disable')
  })

  it('is never switched off without a warning two days before, however rarely something is sent to it', () => {
    expect(failing(30 * disableAfterMs, null)).toBe('warn')
    expect(failing(30 * disableAfterMs, leastWarningMs - 1)).toBe('none')
    expect(failing(30 * disableAfterMs, leastWarningMs)).toBe('disable')
  })
})

describe('the filter of an endpoint', () => {
  const endpoint = (id: string, filter: Partial<EndpointFilter> = {}) => ({
    id,
    eventTypes: [],
    deviceTags: [],
    networkIds: [],
    ...filter,
  })
  const online: EventSubject = {
    type: 'device.online',
    resourceId: 'dev_1',
    device: { tags: ['env=test', 'site:berlin'], networkId: 'net_1' },
    onlyNamed: false,
  }
  const matching = (endpoints: ReturnType<typeof endpoint>[], event: Partial<EventSubject> = {}) =>
    new FilterIndex(endpoints).matching({ ...online, ...event }).map(({ id }) => id)

  it('chooses by type, by all types of a kind, and without types all but those that must be asked for', () => {
    const endpoints = [
      endpoint('all'),
      endpoint('one', { eventTypes: ['device.online'] }),
      endpoint('kind', { eventTypes: ['tunnel.*', 'device.*'] }),
      endpoint('other', { eventTypes: ['tunnel.*', 'device.onlineish', 'device'] }),
    ]
    expect(matching(endpoints)).toEqual(['all', 'one', 'kind'])
    expect(matching(endpoints, { onlyNamed: true })).toEqual(['one', 'kind'])
  })

  it('chooses by tag and by network, each of which must fit', () => {
    const endpoints = [
      endpoint('tag', { deviceTags: ['env=prod', 'env=test'] }),
      endpoint('otherTag', { deviceTags: ['env=prod'] }),
      endpoint('network', { networkIds: ['net_1'] }),
      endpoint('both', { deviceTags: ['env=test'], networkIds: ['net_2'] }),
    ]
    expect(matching(endpoints)).toEqual(['tag', 'network'])
  })

  it('leaves out what is about no device, unless it is about the network itself', () => {
    const endpoints = [endpoint('tag', { deviceTags: ['env=test'] }), endpoint('network', { networkIds: ['net_1'] })]
    expect(matching(endpoints, { type: 'api_key.created', resourceId: 'key_1', device: null })).toEqual([])
    expect(matching(endpoints, { type: 'network.updated', resourceId: 'net_1', device: null })).toEqual(['network'])
  })

  it('is not asked for a test: it goes to the endpoint that it is about', () => {
    const endpoints = [endpoint('whe_1', { eventTypes: ['tunnel.opened'] }), endpoint('whe_2')]
    expect(matching(endpoints, { type: 'webhook.test', resourceId: 'whe_1', device: null })).toEqual(['whe_1'])
  })
})
