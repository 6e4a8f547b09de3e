import { describe, expect, it } from 'vitest'
import { renderRuleText, unknownTextName } from './rule-text.ts'
import { ruleFits, stepsOf, ttlOf, type OpenTunnelAction, type RuleTrigger } from './rule.ts'
import { canonicalTimeZone, endOfWeekHours, type WeekHours } from './week-hours.ts'

const at = (text: string): number => Date.parse(text)
const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())
const night: WeekHours = {
  timeZone: 'Europe/Berlin',
  windows: [{ days: ['mon', 'fri', 'sun'], from: '22:00', to: '06:00' }],
}

describe('hours of the week', () => {
  it.each([
    ['before the shift', '2026-11-20T20:59:59Z', null],
    ['its first minute', '2026-11-20T21:00:00Z', '2026-11-21T05:00:00.000Z'],
    ['after midnight', '2026-11-21T03:30:12Z', '2026-11-21T05:00:00.000Z'],
    ['its last second', '2026-11-21T04:59:59Z', '2026-11-21T05:00:00.000Z'],
    ['its end', '2026-11-21T05:00:00Z', null],
    ['another day', '2026-11-21T22:00:00Z', null],
    ['over the end of the week', '2026-11-23T04:00:00Z', '2026-11-23T05:00:00.000Z'],
  ])('%s', (_, now, end) => {
    expect(iso(endOfWeekHours(night, at(now)))).toBe(end)
  })

  it('end by the clock on the wall in the night when it is changed', () => {
    const sunday = { timeZone: 'Europe/Berlin', windows: [{ days: ['sat'] as const, from: '22:00', to: '06:00' }] }
    expect(iso(endOfWeekHours(sunday, at('2026-10-24T21:00:00Z')))).toBe('2026-10-25T05:00:00.000Z')
    expect(iso(endOfWeekHours(sunday, at('2026-03-28T22:00:00Z')))).toBe('2026-03-29T04:00:00.000Z')
  })

  it('of a window with the same beginning and end are 24', () => {
    const whole = { timeZone: 'UTC', windows: [{ days: ['tue'] as const, from: '00:00', to: '00:00' }] }
    expect(endOfWeekHours(whole, at('2026-11-23T23:59:59Z'))).toBeNull()
    expect(iso(endOfWeekHours(whole, at('2026-11-24T00:00:00Z')))).toBe('2026-11-25T00:00:00.000Z')
    expect(endOfWeekHours(whole, at('2026-11-25T00:00:00Z'))).toBeNull()
  })

  it('of several windows that hold the moment end with the last', () => {
    const windows = [
      { days: ['mon'] as const, from: '08:00', to: '12:00' },
      { days: ['mon'] as const, from: '10:00', to: '18:00' },
    ]
    expect(iso(endOfWeekHours({ timeZone: 'UTC', windows }, at('2026-11-23T11:00:00Z')))).toBe(
      '2026-11-23T18:00:00.000Z',
    )
  })

  it('are in a zone that there is', () => {
    expect(canonicalTimeZone('europe/berlin')).toBe('Europe/Berlin')
    expect(canonicalTimeZone('Europe/Atlantis')).toBeNull()
  })
})

describe('a rule', () => {
  const rule: RuleTrigger = {
    eventTypes: ['device.online', 'tunnel.*'],
    deviceIds: [],
    deviceTags: [],
    networkIds: [],
    during: null,
  }
  const event = { type: 'device.online', resourceId: 'dev_a', deviceId: 'dev_a', atMs: at('2026-11-20T21:00:00Z') }
  const device = { tags: ['pump'], networkId: 'net_a' }

  it.each<[boolean, string, Partial<RuleTrigger>, Partial<typeof event>]>([
    [true, 'its type', {}, {}],
    [true, 'a type of its kind', {}, { type: 'tunnel.opened' }],
    [false, 'another type', {}, { type: 'device.offline' }],
    [false, 'a kind that only begins so', {}, { type: 'tunnels.opened' }],
    [false, 'an event of a rule', { eventTypes: ['rule.*'] }, { type: 'rule.ran' }],
    [true, 'its device', { deviceIds: ['dev_b', 'dev_a'] }, {}],
    [false, 'another device', { deviceIds: ['dev_b'] }, {}],
    [true, 'one of its tags', { deviceTags: ['valve', 'pump'] }, {}],
    [false, 'none of its tags', { deviceTags: ['valve'] }, {}],
    [true, 'its network', { networkIds: ['net_a'] }, {}],
    [false, 'another network', { networkIds: ['net_b'] }, {}],
    [true, 'its hours', { during: night }, {}],
    [false, 'other hours', { during: night }, { atMs: at('2026-11-20T12:00:00Z') }],
  ])('is %s for %s', (fits, _, change, changed) => {
    expect(ruleFits({ ...rule, ...change }, { ...event, ...changed }, device)).toBe(fits)
  })

  it('for devices never fits what is about none, nor a device that is gone', () => {
    const other = { ...event, type: 'tunnel.x', resourceId: 'org_a', deviceId: null as never }
    for (const wanted of [{ deviceIds: ['dev_a'] }, { deviceTags: ['pump'] }, { networkIds: ['net_a'] }])
      expect(ruleFits({ ...rule, ...wanted }, other, null)).toBe(false)
  })

  it('opens each port in a step of its own', () => {
    const open: OpenTunnelAction = { kind: 'open_tunnel', ports: [22, 443], host: null, ttlSec: null, allowFrom: [] }
    const steps = stepsOf([open, { kind: 'close_tunnels', ports: [80] }, { kind: 'revoke_credentials' }])
    expect(steps.map(({ action, kind, port }) => [action, kind, port])).toEqual([
      [0, 'open_tunnel', 22],
      [0, 'open_tunnel', 443],
      [1, 'close_tunnels', null],
      [2, 'revoke_credentials', null],
    ])
    expect(ttlOf(open, night, at('2026-11-21T03:00:00Z'))).toBe(7_200)
    expect(ttlOf(open, night, at('2026-11-21T12:00:00Z'))).toBeNull()
    expect(ttlOf({ ...open, ttlSec: 60 }, null, 0)).toBe(60)
  })
})

describe('the text of a rule', () => {
  it('has values for names, and no markup in them', () => {
    const values = Object.fromEntries(['device.name', 'rule', 'event'].map((key) => [key, `<!channel> & ${key}`]))
    expect(renderRuleText('*{{ rule }}* {{device.name}}{{tunnels}}', values as never)).toBe(
      '*&lt;!channel&gt; &amp; rule* &lt;!channel&gt; &amp; device.name',
    )
  })

  it('knows its names', () => {
    expect(unknownTextName('{{rule}} {{ event }} {{ {x} }}')).toBeNull()
    expect(unknownTextName('{{rule}} {{constructor}}')).toBe('constructor')
  })
})
