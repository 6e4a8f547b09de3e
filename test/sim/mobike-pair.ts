/** Two ends that do MOBIKE (RFC 4555), and the ways in which the device gets to another address. */
import type { Pair, PairOptions } from './pair.ts'

export const ELSEWHERE = '198.51.100.99'
export const MOBIKE = { features: { mobike: true } }
export const BOTH: PairOptions = { device: MOBIKE, concentrator: MOBIKE }
export const UPDATE = 'N(UPDATE_SA_ADDRESSES), N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP), N(COOKIE2)'

/** The device is reached at another address, and no more at its old one. */
export function carryAway({ network, device }: Pair, address = ELSEWHERE): void {
  network.detach(device.address)
  network.attach({ address, receive: (packet) => device.receive(packet) })
}

export function moveTo({ device, concentrator }: Pair, address = ELSEWHERE): void {
  const local = { address, port: 4500 }
  const remote = { address: concentrator.address, port: 4500 }
  device.command({ kind: 'moveTo', key: device.key, path: { local, remote } })
}
