/** Secrets of devices: made here, or judged when the customer brings one. */
import { drawOctets } from '@culvert/db'

/** @returns 256 random bits as 43 characters of base64url: text that every router takes */
export function makePsk(): string {
  return drawOctets(32).toString('base64url')
}

/** @returns 144 random bits as 24 characters of base64url, short enough to be typed into a phone */
export function makePassword(): string {
  return drawOctets(18).toString('base64url')
}

export const leastPskBits = 128

/**
 * An estimate from above: characters times the bits of the smallest alphabet that holds them. Text that is mostly repeats,
 * runs (abcd, 4321) or words of a few distinct characters counts only for what is not predictable.
 */
export function estimateBits(psk: string): number {
  const predictable = Array.from({ length: psk.length }, (_, index) => isPredictable(psk, index)).filter(Boolean).length
  const counted = predictable * 2 > psk.length ? psk.length - predictable : psk.length
  const distinct = new Set(psk).size
  return Math.floor(Math.min(counted * alphabetBits(psk), psk.length * Math.log2(Math.max(distinct, 1)) * 1.5))
}

/** The character follows from those before it: it repeats or continues a run, or its three characters were seen before. */
function isPredictable(psk: string, index: number): boolean {
  if (index === 0) return false
  const step = psk.charCodeAt(index) - psk.charCodeAt(index - 1)
  return Math.abs(step) <= 1 || (index >= 2 && psk.lastIndexOf(psk.slice(index - 2, index + 1), index - 3) >= 0)
}

function alphabetBits(psk: string): number {
  if (/^[0-9]*$/.test(psk)) return Math.log2(10)
  if (/^[0-9a-f]*$/.test(psk) || /^[0-9A-F]*$/.test(psk)) return 4
  let size = 0
  if (/[0-9]/.test(psk)) size += 10
  if (/[a-z]/.test(psk)) size += 26
  if (/[A-Z]/.test(psk)) size += 26
  if (/[^0-9A-Za-z]/.test(psk)) size += /^[0-9A-Za-z_+/=-]*$/.test(psk) ? 2 : 32
  return Math.log2(size)
}
