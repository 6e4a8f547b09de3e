/** String formats of our schemas that are more than a pattern; `registerFormats` makes TypeBox check them. */
import { iccidFault } from '@culvert/lifecycle'
import { isIP, isIPv4 } from 'node:net'
import Format from 'typebox/format'
import { Settings } from 'typebox/system'
import { canonicalCidr } from './cidr.ts'

/** What is wrong with a text of this format, for people; null when nothing is. */
export const formatFaults: Readonly<Record<string, (text: string) => string | null>> = {
  iccid: (text) => {
    const fault = iccidFault(text)
    if (fault === null) return null
    return {
      digits: 'must have digits only',
      length: 'must have 18 to 22 digits',
      industry: 'must start with 89',
      checksum: 'has a wrong check digit (Luhn): check it for a typing error',
    }[fault]
  },
  address: (text) => (isIP(text) === 0 || text.includes('%') ? 'must be an IPv4 or IPv6 address' : null),
  ipv4: (text) => (isIPv4(text) ? null : 'must be an IPv4 address'),
  domain: (text) =>
    /^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(text)
      ? null
      : 'must be a domain name such as corp.example, without a dot at its end',
  email: (text) =>
    /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(
      text,
    )
      ? null
      : 'must be an e-mail address such as ada@corp.example',
  cidr: (text) =>
    canonicalCidr(text) === null
      ? 'must be an address or prefix such as 203.0.113.7 or 203.0.113.0/24, without bits beyond its length'
      : null,
}

/** Enough for what all branches of a union say of a value, of which the one that was meant may be the last. */
const maxErrors = 128

export function registerFormats(): void {
  Settings.Set({ maxErrors })
  for (const [name, fault] of Object.entries(formatFaults)) Format.Set(name, (text) => fault(text) === null)
}
