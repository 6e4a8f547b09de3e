/**
 * UTCTime and GeneralizedTime as RFC 5280 4.1.2.5 has them: seconds are there, the zone is Z, no fractions.
 */
import { TAG, malformed, type DerReader } from './reader.ts'

/** @returns milliseconds since 1970. @throws Malformed, also for the 30th of February. */
export function readTime(reader: DerReader): number {
  const tag = reader.tag
  if (tag !== TAG.UTC_TIME && tag !== TAG.GENERALIZED_TIME) malformed()
  const text = String.fromCharCode(...reader.content(tag).subarray(0, 20))
  const match = (tag === TAG.UTC_TIME ? UTC : GENERALIZED).exec(text) ?? malformed()
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number)
  const fullYear = tag === TAG.GENERALIZED_TIME ? year : year < 50 ? 2000 + year : 1900 + year
  const time = new Date(0)
  time.setUTCFullYear(fullYear, month - 1, day)
  time.setUTCHours(hour, minute, second)
  const isReal =
    time.getUTCMonth() === month - 1 && time.getUTCDate() === day && hour < 24 && minute < 60 && second < 60
  return isReal ? time.getTime() : malformed()
}

const UTC = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
const GENERALIZED = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
