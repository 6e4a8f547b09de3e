/**
 * `npm run bench -- esp-overload`: what one tunnel feels while another is overloaded, in either direction, and while strangers flood
 * the port; and where packets are lost meanwhile.
 *
 * ```
 *   ping ─ TUN ─ concentrator 192.0.2.1 ══ device-sim 192.0.2.14 ─ TUN ─ answers
 *   iperf3 ┘                            ╚═ device-sim 192.0.2.11 ─ TUN ─ iperf3 -s: more than two cores carry
 * ```
 */
import { withBenchLab } from './bench-lab.ts'
import { openOurs } from './esp-endpoints.ts'
import { latencyBesideOverload } from './esp-latency.ts'
import { startIperfServer } from './iperf.ts'

await withBenchLab(async (bench) => {
  const ours = await openOurs(bench)
  await startIperfServer(ours)
  await latencyBesideOverload(bench, ours)
})
