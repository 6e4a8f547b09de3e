/**
 * Turns on what the kernel offers for a TUN opened with virtio-net headers: superpackets and missing checksums on the way in,
 * superpackets on the way out. Tried from everything down to nothing, because older kernels refuse unknown bits as a whole.
 *
 * The kernel forgets them when another process takes the interface over.
 */
import { setTunOffload } from '../../foreign/index.ts'

const CSUM = 0x01
const TSO4 = 0x02
const TSO6 = 0x04
const TSO_ECN = 0x08
const USO4 = 0x20
const USO6 = 0x40

/** `uso`: TCP and UDP superpackets (Linux 6.2); `tso`: TCP; `none`: single packets with complete checksums. */
export type TunOffload = 'uso' | 'tso' | 'none'

const LADDER: readonly (readonly [TunOffload, number])[] = [
  ['uso', CSUM | TSO4 | TSO6 | TSO_ECN | USO4 | USO6],
  ['tso', CSUM | TSO4 | TSO6 | TSO_ECN],
]

/** @param most the rung to begin with */
export function enableTunOffload(fd: number, most: TunOffload = 'uso'): TunOffload {
  const from = LADDER.findIndex(([rung]) => rung === most)
  for (const [name, flags] of from < 0 ? [] : LADDER.slice(from)) {
    if (setTunOffload(fd, flags) === 0) return name
  }
  return 'none'
}
