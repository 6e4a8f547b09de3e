/**
 * Hours of the week in a time zone, such as a night shift: whether a moment is in them, and when they end. Wall-clock time: when
 * clocks are changed, a window keeps its beginning and end and is an hour longer or shorter.
 */
export const weekDays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export type WeekDay = (typeof weekDays)[number]

export interface WeekWindow {
  /** On which it begins. */
  readonly days: readonly WeekDay[]
  /** `HH:MM` */
  readonly from: string
  /** `HH:MM`; not after `from`: of the next day. The same: 24 hours. */
  readonly to: string
}

export interface WeekHours {
  /** Of the IANA database, such as `Europe/Berlin`. */
  readonly timeZone: string
  readonly windows: readonly WeekWindow[]
}

const minutesOfDay = 1_440
const minutesOfWeek = 7 * minutesOfDay
const minuteMs = 60_000

/** @returns the name as the database writes it, null when there is no such zone */
export function canonicalTimeZone(name: string): string | null {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone
  } catch {
    return null
  }
}

/**
 * @param nowMs Unix time in milliseconds
 * @returns when the window ends that holds the moment, of several the latest end; null when none does
 */
export function endOfWeekHours({ timeZone, windows }: WeekHours, nowMs: number): number | null {
  const clock = clockOf(timeZone)
  const now = minuteOfWeek(clock, nowMs)
  const lefts = windows.flatMap(({ days, from, to }) => {
    const start = minuteOf(from)
    const length = (minuteOf(to) - start + minutesOfDay - 1) % minutesOfDay
    return days.map((day) => {
      const since = (now - weekDays.indexOf(day) * minutesOfDay - start + minutesOfWeek) % minutesOfWeek
      return since <= length ? length + 1 - since : 0
    })
  })
  const left = Math.max(0, ...lefts)
  if (left === 0) return null
  const end = (Math.floor(nowMs / minuteMs) + left) * minuteMs
  // Clocks that are changed on the way there are off by that at its end.
  const off = minuteOfWeek(clock, end) - ((now + left) % minutesOfWeek)
  const shift = off > minutesOfWeek / 2 ? off - minutesOfWeek : off < -minutesOfWeek / 2 ? off + minutesOfWeek : off
  return end - shift * minuteMs
}

/** Zones are those of the IANA database, some hundreds. */
const clocks = new Map<string, Intl.DateTimeFormat>()

function clockOf(timeZone: string): Intl.DateTimeFormat {
  const known = clocks.get(timeZone)
  if (known) return known
  const parts = { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
  const clock = new Intl.DateTimeFormat('en-US', { timeZone, ...parts })
  clocks.set(timeZone, clock)
  return clock
}

function minuteOfWeek(clock: Intl.DateTimeFormat, ms: number): number {
  const parts = new Map(clock.formatToParts(ms).map(({ type, value }) => [type, value]))
  const day = weekDays.indexOf((parts.get('weekday') ?? '').toLowerCase() as WeekDay)
  return day * minutesOfDay + Number(parts.get('hour')) * 60 + Number(parts.get('minute'))
}

function minuteOf(time: string): number {
  const [hours, minutes] = time.split(':').map(Number)
  return (hours ?? 0) * 60 + (minutes ?? 0)
}
