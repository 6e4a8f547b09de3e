/**
 * Whether foreign calls can be made here at all, and do what they are known to do: asked before the native rung is chosen. Whoever is
 * told no by `NativeUnavailableError` takes another rung.
 */
import { proveCallLists, proveOpenssl } from './openssl-self-test.ts'
import { PacketMemory } from './packet-memory.ts'
import { proveSyscalls } from './syscalls-self-test.ts'
import { Syscalls } from './syscalls.ts'
import { NativeUnavailableError } from './unavailable.ts'

const MEMORY_BYTES = 65_536
/** What the native rung needs. */
export const FOREIGN_FAMILIES = ['system calls', 'OpenSSL'] as const
/** What it can do without, and is slower then. */
export const CALL_LISTS = 'lists of calls'
export type ForeignFamily = (typeof FOREIGN_FAMILIES)[number] | typeof CALL_LISTS

const proved = new Set<ForeignFamily>()

/**
 * Of what the native rung needs, or of some families; what was right once is not asked again. Throws `NativeUnavailableError` with what
 * is missing or gave a wrong answer.
 */
export function proveForeignCalls(families: readonly ForeignFamily[] = FOREIGN_FAMILIES): void {
  for (const family of families) {
    if (proved.has(family)) continue
    prove(family)
    proved.add(family)
  }
}

function prove(family: ForeignFamily): void {
  const memory = new PacketMemory(MEMORY_BYTES)
  try {
    if (family === 'OpenSSL') proveOpenssl(memory)
    else if (family === CALL_LISTS) proveCallLists(memory)
    else proveSyscalls(memory, new Syscalls(memory))
  } catch (cause) {
    if (cause instanceof NativeUnavailableError) throw cause
    throw new NativeUnavailableError(cause instanceof Error ? cause.message : 'unknown error', { cause })
  }
}
