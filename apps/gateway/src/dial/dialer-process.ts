/**
 * The dialer process: lives in the network namespace of a concentrator's TUN, connects to devices on request and passes each
 * connected socket to the gateway over the IPC channel.
 *
 * Invariants: it reads nothing from any socket, holds no secret and no configuration, and ends with the gateway (the channel
 * closes). Once inside the namespace it is nobody, in no group. Signals of the terminal's process group are the gateway's business.
 */
import fs from 'node:fs'
import { connectUnread } from './connect.ts'
import type { DialerGreeting, DialReply, DialRequest } from './contract.ts'

const NOBODY = 65_534

process.send?.({ namespaceInode: fs.statSync('/proc/self/ns/net').ino } satisfies DialerGreeting)
becomeNobody()
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)
process.on('disconnect', () => process.exit(0))
process.on('message', (request: DialRequest) => void answer(request))

/** Entering the namespace took root; connecting does not. */
function becomeNobody(): void {
  if (process.getuid?.() !== 0) return
  try {
    process.setgroups?.([])
    process.setgid?.(NOBODY)
    process.setuid?.(NOBODY)
  } catch (error) {
    // A user namespace may have no such account; then root of that namespace is all there is.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
  }
}

async function answer({ id, ...target }: DialRequest): Promise<void> {
  const { socket, code } = await connectUnread(target)
  if (!process.connected) return
  const reply: DialReply = { id, code }
  // keepOpen false: the descriptor is closed here once the gateway has it.
  if (socket) process.send?.(reply, socket, { keepOpen: false }, () => undefined)
  else process.send?.(reply, undefined, {}, () => undefined)
}
