/** Tunnels: opened means that there is something to connect to. */
import type { Calls, InputOf } from './calls.ts'
import { CulvertError } from './error.ts'
import type { Tunnel } from './schema.ts'
import { pause } from './send.ts'
import { Deadline, type WaitOptions } from './waiting.ts'

export type TunnelInput = InputOf<'post', '/v1/tunnels'>['body']
export type OpenTunnel = Tunnel & { readonly host: string; readonly port: number }

export interface TunnelCalls {
  /**
   * Opens a tunnel and waits until one can connect to `host` and `port`, a minute when nothing else is said; with
   * `waitForDevice` that may take as long as the device stays away.
   * @throws CulvertError `timeout` when it is not open in time; the tunnel is closed then
   */
  open(input: TunnelInput, options?: WaitOptions): Promise<OpenTunnel>
}

const pollMs = 500

export async function openTunnel(
  culvert: Calls,
  body: TunnelInput,
  { timeoutMs = 60_000, signal }: WaitOptions = {},
): Promise<OpenTunnel> {
  const deadline = new Deadline(timeoutMs)
  const options = signal ? { signal } : {}
  let tunnel: Tunnel = await culvert.post('/v1/tunnels', {
    params: { query: { wait: deadline.waitSec() } },
    body,
    ...options,
  })
  const path = { tunnelId: tunnel.id }
  try {
    while (!isOpen(tunnel)) {
      if (tunnel.closedAt !== null) throw notOpened(tunnel)
      deadline.check(`Tunnel ${tunnel.id} to device ${tunnel.deviceId} is not open`)
      await pause(pollMs, signal)
      tunnel = await culvert.get('/v1/tunnels/{tunnelId}', { params: { path }, ...options })
    }
    return tunnel
  } catch (error) {
    // Nobody would know of it and close it.
    if (tunnel.closedAt === null)
      await culvert.delete('/v1/tunnels/{tunnelId}', { params: { path, query: { wait: 0 } } }).catch(() => undefined)
    throw error
  }
}

function isOpen(tunnel: Tunnel): tunnel is OpenTunnel {
  return tunnel.state === 'open' && tunnel.host !== null && tunnel.port !== null
}

function notOpened({ id, reason, state }: Tunnel): CulvertError {
  return new CulvertError({
    code: 'tunnel_failed',
    title: 'The tunnel could not be opened',
    detail: `Tunnel ${id} is ${state}: ${reason ?? 'without a reason'}.`,
  })
}
