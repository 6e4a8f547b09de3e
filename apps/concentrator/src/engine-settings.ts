/**
 * How the JavaScript engine works in a concentrator: young garbage is collected by the thread that made it, without helpers.
 *
 * There is too little to do for several threads: they spend more on looking for work than on working, many times a second while
 * devices come, and take the processors of the data threads for it.
 */
import { setFlagsFromString } from 'node:v8'

/** For the whole process; call it before there is much to collect. */
export function applyEngineSettings(): void {
  setFlagsFromString('--no-parallel-scavenge')
}
