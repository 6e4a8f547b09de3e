/**
 * The dialer process: lives in the network namespace of a concentrator's TUN, connects to devices on request and passes each
 * connected socket to the gateway over the IPC channel.
 *
 * Invariants: it reads nothing from any socket, holds no secret and no configuration, and ends with the gateway (the channel
 * closes). Signals of the terminal's process group are the gateway's business.
 */
import { connectUnread } from './connect.ts'
import type { DialReply, DialRequest } from './contract.ts'

process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)
process.on('disconnect', () => process.exit(0))
process.on('message', (request: DialRequest) => void answer(request))

async function answer({ id, ...target }: DialRequest): Promise<void> {
  const { socket, code } = await connectUnread(target)
  if (!process.connected) return
  const reply: DialReply = { id, code }
  // keepOpen false: the descriptor is closed here once the gateway has it.
  if (socket) process.send?.(reply, socket, { keepOpen: false }, () => undefined)
  else process.send?.(reply, undefined, {}, () => undefined)
}
