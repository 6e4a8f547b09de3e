/**
 * ICCID, the number on a SIM (ITU-T E.118): 18 to 22 digits here, starting with 89 (telecommunications), the last one a
 * Luhn check digit over the others.
 */
export type IccidFault = 'length' | 'digits' | 'industry' | 'checksum'

/** @returns null when `text` is a valid ICCID, else what is wrong with it */
export function iccidFault(text: string): IccidFault | null {
  if (!/^\d*$/.test(text)) return 'digits'
  if (text.length < 18 || text.length > 22) return 'length'
  if (!text.startsWith('89')) return 'industry'
  return luhnSum(text) % 10 === 0 ? null : 'checksum'
}

/** @returns the check digit that makes `digits` followed by it pass the Luhn test */
export function luhnCheckDigit(digits: string): string {
  return String((10 - (luhnSum(`${digits}0`) % 10)) % 10)
}

function luhnSum(text: string): number {
  let sum = 0
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(text.length - 1 - i) - 48
    const doubled = i % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum
}
