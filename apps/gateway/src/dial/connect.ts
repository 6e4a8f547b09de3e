/**
 * One TCP connection attempt from the current network namespace, with a time limit.
 *
 * Invariants: the socket is paused before it connects, so not one byte is read here: it may be handed to another process. Never
 * rejects: addresses come from rows that another node wrote, and what is no address is an answer like any other.
 */
import { isIP, Socket } from 'node:net'
import { type DialRequest, TIMED_OUT } from './contract.ts'

export type Connected =
  | { readonly socket: Socket; readonly code: null }
  | { readonly socket: null; readonly code: string }

export function connectUnread({ host, port, localAddress, timeoutMs }: Omit<DialRequest, 'id'>): Promise<Connected> {
  const isAddress = isIP(host) !== 0 && (localAddress === '' || isIP(localAddress) !== 0)
  if (!isAddress || !Number.isInteger(port) || port < 1 || port > 65_535)
    return Promise.resolve({ socket: null, code: 'EINVAL' })
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
