/**
 * One TCP connection attempt from the current network namespace, with a time limit.
 *
 * Invariant: the socket is paused before it connects, so not one byte is read here: it may be handed to another process.
 */
import { isIP, Socket } from 'node:net'
import { type DialRequest, TIMED_OUT } from './contract.ts'

export type Connected =
  | { readonly socket: Socket; readonly code: null }
  | { readonly socket: null; readonly code: string }

export function connectUnread({ host, port, localAddress, timeoutMs }: Omit<DialRequest, 'id'>): Promise<Connected> {
  if (isIP(host) === 0) return Promise.resolve({ socket: null, code: 'EINVAL' })
  return new Promise((resolve) => {
    const socket = new Socket({ allowHalfOpen: true })
    socket.pause()
    const fail = (code: string): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ socket: null, code })
    }
    const failed = (error: NodeJS.ErrnoException): void => fail(error.code ?? 'EIO')
    const timer = setTimeout(() => fail(TIMED_OUT), timeoutMs)
    socket.once('error', failed)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', failed)
      resolve({ socket, code: null })
    })
    socket.connect({ host, port, ...(localAddress === '' ? {} : { localAddress }) })
  })
}
