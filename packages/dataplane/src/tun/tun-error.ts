/**
 * Why a TUN interface could not be opened, as one sentence a person can act on.
 */
export type TunErrorCode =
  /** There is no /dev/net/tun. */
  | 'no_device_node'
  /** CAP_NET_ADMIN (and CAP_SYS_ADMIN to enter a namespace) is missing. */
  | 'not_permitted'
  /** Another process holds the interface, or it is of another kind. */
  | 'name_in_use'
  | 'bad_name'
  /** The network namespace does not exist. */
  | 'no_namespace'
  /** The foreign function interface does not load on this platform. */
  | 'no_native_calls'
  | 'system'

export class TunError extends Error {
  override readonly name = 'TunError'
  readonly code: TunErrorCode

  constructor(code: TunErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
