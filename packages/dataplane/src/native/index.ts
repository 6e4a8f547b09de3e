/** The native rung of the data plane. None of its code is loaded before it is asked for. */
import { type CryptoProvider, opensslProvider } from '@culvert/crypto'
import type { Path, SocketAddress } from '@culvert/ikev2'
import type { DataPlane, DataPlaneHandlers, DataPlaneOptions, IkePort } from '../contract.ts'

export { NativeUnavailableError } from '../foreign/index.ts'

/** Throws `NativeUnavailableError` when this machine cannot run it; other errors mean that the options cannot be met. */
export async function openNativeDataPlane(options: DataPlaneOptions, handlers: DataPlaneHandlers): Promise<DataPlane> {
  const native = await import('./open-native.ts')
  return native.startNative(options, handlers)
}

/**
 * The socket of the IKE port for one address, where the native rung runs. Datagrams shorter than an IKE header, and those from port 0,
 * are not handed over.
 * @throws the bind error of the system
 */
export async function openIkePort(
  bind: SocketAddress,
  onDatagram: (bytes: Uint8Array, path: Path) => void,
): Promise<IkePort> {
  const { NativeIkePort } = await import('./ike/ike-port.ts')
  return NativeIkePort.open(bind, onDatagram)
}

let provider: Promise<CryptoProvider> | null = null

/** The fastest provider of cryptography that works here: OpenSSL called directly, else through node:crypto. One per thread. */
export function openCrypto(): Promise<CryptoProvider> {
  provider ??= import('./native-crypto.ts').then((native) => native.createNativeCrypto()).catch(() => opensslProvider)
  return provider
}
