/**
 * How the JavaScript engine collects garbage and compiles in a concentrator, for crowds of devices that come after hours in which
 * nothing happens.
 *
 * - Young garbage is collected by the thread that made it, without helpers. There is too little to do for several threads: they
 *   spend more on looking for work than on working, many times a second while devices come, and take the processors of the data
 *   threads for it.
 * - The heap may double before everything is looked through. Left to itself the engine allows a process that was idle a tenth more,
 *   and looks through ten thousand devices again and again while the next thousand comes. What is not needed is given back in the
 *   next pause (`idle-collector.ts`).
 * - The last compiler takes a function only after it ran 30 000 times. What a handshake calls runs some times for each device: the
 *   compiler costs more than it gives there, for the first ten thousand devices and again whenever it was wrong. What runs for
 *   each packet is there within a second, compiled as the data plane wants it.
 */
import { setFlagsFromString } from 'node:v8'
import { compileForPackets } from '@culvert/dataplane'

/** For the whole process; call it before there is much to collect. */
export function applyEngineSettings(): void {
  setFlagsFromString('--no-parallel-scavenge')
  setFlagsFromString('--heap-growing-percent=100')
  setFlagsFromString('--invocation-count-for-turbofan=30000')
  compileForPackets()
}
