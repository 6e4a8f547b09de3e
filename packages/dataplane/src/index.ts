export type {
  ConcentratorRole,
  DataPlane,
  DataPlaneHandlers,
  DataPlaneOptions,
  MappedHost,
  DeviceRole,
  IkePort,
  NodeCounters,
  OffloadLimits,
  OuterHeaderOptions,
  Rung,
  SaCounters,
  TunOptions,
} from './contract.ts'
export { examine } from './doctor.ts'
export type { Examination, Finding } from './findings.ts'
export { openCrypto, openIkePort } from './native/index.ts'
export { NativeEspError } from './native-esp-error.ts'
export { openDataPlane } from './open.ts'
export { compileForPackets } from './packet-compiling.ts'
export {
  configureTun,
  ensureNamespace,
  kernelHasIpv6,
  namespaceExists,
  removeNamespace,
  removeTun,
  type TunConfiguration,
} from './tun/namespace.ts'
export { TunError, type TunErrorCode } from './tun/tun-error.ts'
