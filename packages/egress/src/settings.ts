/** From the texts of the settings (`egressSettings` of `@culvert/config`) to options. */
import { type EgressOptions } from './egress.ts'
import { type PortRange } from './url.ts'

export interface EgressSettings {
  readonly EGRESS_PORTS: string
  readonly EGRESS_ALLOW_HTTP: boolean
  readonly EGRESS_REFUSE: string
  readonly EGRESS_ALLOW?: string
  readonly EGRESS_PROXY?: string
}

/** Lists are separated by commas. `openEgress` says which prefix is wrong. */
export function egressOptions(settings: EgressSettings): EgressOptions {
  const { EGRESS_PORTS, EGRESS_ALLOW_HTTP, EGRESS_REFUSE, EGRESS_ALLOW = '', EGRESS_PROXY } = settings
  return {
    allowHttp: EGRESS_ALLOW_HTTP,
    ports: list(EGRESS_PORTS).map(portRange),
    refusedPrefixes: list(EGRESS_REFUSE),
    allowedPrefixes: list(EGRESS_ALLOW),
    ...(EGRESS_PROXY !== undefined && { proxy: { url: EGRESS_PROXY } }),
  }
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function portRange(text: string): PortRange {
  const [from = 0, to = from] = text.split('-').map(Number)
  return { from, to }
}
