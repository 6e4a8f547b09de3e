/**
 * From one device to another of its group: opened by `inbound.ts`, sealed by `outbound.ts`, never near the TUN.
 *
 * What is no dial address comes here. Whoever may reach nobody, asks for nobody, or for somebody of another group gets the same
 * answer, so that no device learns which addresses are leased.
 */
import { Direction, DropCode, type InnerPacket, routeBetweenDevices } from '@culvert/esp'
import { applyOuterCongestion, innerTos } from './congestion.ts'
import type { ForwardingSite } from './forwarding-site.ts'
import type { NativeSa } from '../sa/native-sa.ts'

export interface PacketSealer {
  /** Seals one packet in the clear, behind which there is room for a trailer. `tos`: its own, or its traffic class. */
  sealPacket(record: NativeSa, inner: InnerPacket, tos: number): DropCode
}

export class Hairpin {
  readonly #site: ForwardingSite
  readonly #sealer: PacketSealer

  constructor(site: ForwardingSite, sealer: PacketSealer) {
    this.#site = site
    this.#sealer = sealer
  }

  /**
   * @param inner as its SA accepted it
   * @param outerCongestion bits of the outer header it came in
   * @returns `notToDialAddress` when they are not to be joined, else what became of the packet
   */
  forward(from: NativeSa, inner: InnerPacket, outerCongestion: number): DropCode {
    const { memory, sads, policies, tunMtuBytes, paths } = this.#site
    const { bytes } = memory
    const { subject } = from.sa
    if (policies === null || !policies.mayReachGroup(subject)) return DropCode.notToDialAddress
    const to = sads.outbound(inner)
    if (typeof to === 'number' || !policies.mayPair(subject, to.sa.subject)) return DropCode.notToDialAddress
    const mtuBytes = Math.min(tunMtuBytes, paths.largestInner(to), paths.largestInner(from))
    let code: DropCode = routeBetweenDevices(bytes, inner, { from: from.sa, to: to.sa, mtuBytes })
    if (code === DropCode.none && outerCongestion !== 0) {
      code = applyOuterCongestion(bytes, inner.packetOffset, outerCongestion)
    }
    if (code === DropCode.none) code = policies.admit(subject, Direction.in, inner.totalBytes)
    return code === DropCode.none ? this.#sealer.sealPacket(to, inner, innerTos(bytes, inner.packetOffset)) : code
  }
}
