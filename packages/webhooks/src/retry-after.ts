/** `Retry-After` (RFC 9110 10.2.3): seconds, or a date in the one form that is sent (RFC 9110 5.6.7, IMF-fixdate). */

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const fixdate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/

/** @returns seconds from now, not below 0; null for what is neither */
export function retryAfterSec(value: string | undefined, nowMs: number): number | null {
  const text = value?.trim() ?? ''
  if (/^\d{1,9}$/.test(text)) return Number(text)
  const [, day, month, year, hour, minute, second] = fixdate.exec(text) ?? []
  const monthAt = months.indexOf(month ?? '')
  if (monthAt < 0) return null
  const days = daysFromEpoch(Number(year), monthAt + 1, Number(day))
  const seconds = days * 86_400 + Number(hour) * 3_600 + Number(minute) * 60 + Number(second)
  return Math.max(0, Math.ceil(seconds - nowMs / 1_000))
}

/** Gregorian calendar, counted in years that begin in March, so that the day that leap years add is the last. */
function daysFromEpoch(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400)
  return marchYear * 365 + leapDays + dayOfYear - 719_468
}
