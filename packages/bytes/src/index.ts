export { ByteReader } from './byte-reader.ts'
export { ByteWriter } from './byte-writer.ts'
export type { ByteWriterOptions } from './byte-writer.ts'
export {
  cidrAround,
  cidrContains,
  cidrContainsCidr,
  cidrsOverlap,
  cidrSize,
  cidrToRange,
  formatCidr,
  parseCidr,
} from './cidr.ts'
export type { Cidr, CidrText, IpRange } from './cidr.ts'
export { InvariantError } from './invariant.ts'
export { canonicalIp, formatIp, ipFamily, parseIp, parseIpv4, parseIpv6 } from './ip-address.ts'
export type { IpFamily, IpText } from './ip-address.ts'
export { compareBytes, concatBytes, constantTimeEqual, fromHex, toHex, zeroize } from './octets.ts'
