/**
 * Young garbage is collected by the thread that made it, without helpers.
 *
 * The engine would wake up to seven threads for each of these collections, many times a second while devices come. There is too
 * little to do for so many: they spend more on looking for work than on working, and take the processors of the data threads for it.
 */
import { setFlagsFromString } from 'node:v8'

/** For the whole process; call it before there is much to collect. */
export function collectAlone(): void {
  setFlagsFromString('--no-parallel-scavenge')
}
