/**
 * Opens the fastest data plane that works here.
 *
 * The native rung tests itself against a known answer before it takes packets. When it cannot be used, the portable rung is opened and
 * says why. Errors that any rung would meet (no TUN, port taken) are not a reason to try the next one.
 */
import type { DataPlane, DataPlaneHandlers, DataPlaneOptions, Rung } from './contract.ts'
import { NativeEspError } from './native-esp-error.ts'
import { openNativeDataPlane } from './native/index.ts'
import { openPortableDataPlane } from './portable/portable-data-plane.ts'
import { TunError } from './tun/tun-error.ts'

/** @param whyNotNative told by the rung that comes second */
type OpenRung = (options: DataPlaneOptions, handlers: DataPlaneHandlers, whyNotNative?: string) => Promise<DataPlane>

/** @throws TunError, NativeEspError, the bind error of the system, or why the asked rung does not work */
export function openDataPlane(options: DataPlaneOptions, handlers: DataPlaneHandlers): Promise<DataPlane> {
  return climbDown({ native: openNativeDataPlane, portable: openPortableDataPlane }, options, handlers)
}

/** The ladder itself: `options.rung` alone, or native and then portable, which has neither ESP without UDP nor AH. */
export async function climbDown(
  rungs: Readonly<Record<Rung, OpenRung>>,
  options: DataPlaneOptions,
  handlers: DataPlaneHandlers,
): Promise<DataPlane> {
  const needsNative = options.nativeEsp === true || options.ah === true
  const carrier = options.nativeEsp === true ? 'esp' : 'ah'
  if (needsNative && options.rung === 'portable') {
    throw new NativeEspError('the portable data plane sends in UDP alone', { carrier })
  }
  if (options.rung !== undefined) return rungs[options.rung](options, handlers)
  try {
    return await rungs.native(options, handlers)
  } catch (error) {
    if (isOfEveryRung(error)) throw error
    if (needsNative)
      throw new NativeEspError(`the native data plane cannot be used: ${reasonOf(error)}`, { cause: error, carrier })
    return rungs.portable(options, handlers, `native not used: ${reasonOf(error)}`)
  }
}

const BIND_ERRORS: readonly string[] = ['EADDRINUSE', 'EACCES', 'EADDRNOTAVAIL']

function isOfEveryRung(error: unknown): boolean {
  return (
    error instanceof TunError ||
    error instanceof NativeEspError ||
    (error instanceof Error && 'code' in error && BIND_ERRORS.includes(`${error.code}`))
  )
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error'
}
