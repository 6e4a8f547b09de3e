/** Why the native rung cannot be used here; whoever opens a data plane takes the next rung. */
export class NativeUnavailableError extends Error {
  override readonly name = 'NativeUnavailableError'
}
