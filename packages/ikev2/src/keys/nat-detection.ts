/**
 * Data of NAT_DETECTION_SOURCE_IP and NAT_DETECTION_DESTINATION_IP (RFC 7296 2.23): SHA-1(SPIi | SPIr | IP | port).
 *
 * SPIr is zero in the first request. SHA-1 is what the RFC says; nothing secret rests on it.
 */
import { parseIp } from '@culvert/bytes'
import type { CryptoProvider } from '@culvert/crypto'
import type { IkeSpi } from '../message/model.ts'
import { EMPTY, IKE_SPI_BYTES, writeIkeSpi, writeU16 } from '../message/octets.ts'

/** @param ip textual IPv4 or IPv6 address. @returns 20 octets. */
export function natDetectionHash(
  crypto: Pick<CryptoProvider, 'sha1'>,
  spiI: IkeSpi,
  spiR: IkeSpi,
  ip: string,
  port: number,
): Uint8Array {
  const address = parseIp(ip) ?? EMPTY
  const octets = new Uint8Array(2 * IKE_SPI_BYTES + address.length + 2)
  writeIkeSpi(octets, 0, spiI)
  writeIkeSpi(octets, IKE_SPI_BYTES, spiR)
  octets.set(address, 2 * IKE_SPI_BYTES)
  writeU16(octets, octets.length - 2, port)
  return crypto.sha1(octets)
}
