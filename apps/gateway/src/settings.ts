/**
 * What a gateway is told; main.ts reads it from the environment, tests and the launcher pass it.
 */
export interface GatewaySettings {
  readonly nodeName: string
  readonly databaseUrl: string
  readonly redisUrl: string | null
  /** Address the listeners bind to, and the name or address that customers are told. */
  readonly bindAddress: string
  readonly publicHost: string
  /** Ports for customers, both included. */
  readonly portRange: { readonly from: number; readonly to: number }
  /** How long a port that was closed stays unused. */
  readonly quarantineMs: number
  readonly dialTimeoutMs: number
  readonly maxConnectionsPerTunnel: number
  readonly maxConnections: number
  /** How long connections may still go on when the gateway is stopped. */
  readonly drainMs: number
}

export const gatewayDefaults = {
  redisUrl: null,
  portRange: { from: 20_000, to: 20_999 },
  quarantineMs: 60_000,
  dialTimeoutMs: 10_000,
  maxConnectionsPerTunnel: 256,
  maxConnections: 8_192,
  drainMs: 2_000,
} as const
